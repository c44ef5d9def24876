#include "manifold/cost_picture.hpp"

#include <cstdlib>
#include <functional>
#include <set>
#include <string>

#include <fmt/format.h>

#include "bilevel/atomic_file.hpp"
#include "bilevel/status.hpp"

namespace bilevel::bench {

namespace {

using Column = std::function<double(const ManifoldCost&)>;

/// One block of two columns for each value of `group`, as gnuplot's `index` takes them.
std::string blocks(const std::vector<ManifoldCost>& costs, const Column& group, const Column& across,
                   const Column& up) {
  std::set<double> groups;
  for (const auto& cost : costs) groups.insert(group(cost));
  std::string text;
  for (const double value : groups) {
    for (const auto& cost : costs) {
      if (group(cost) == value && cost.reached > 0) text += fmt::format("{} {}\n", across(cost), up(cost));
    }
    text += "\n\n";
  }
  return text;
}

constexpr auto kPicture = R"(set encoding utf8
set terminal pngcairo size 1200,420 font 'DejaVu Sans,11' background '#ffffff'
set output '{}'
$by_dimension << END
{}END
$gradients << END
{}END
$products << END
{}END
$few << END
{}END
set grid
set yrange [0:*]
dimensions = '1 2 3 6'
set multiplot layout 1,3
set key bottom right
set title 'gradients of g, over k'
set xlabel 'dimension k of the manifold'
set xrange [0.8:6.2]
set xtics 1
plot for [i=0:3] $by_dimension index i with linespoints lw 2 pt 7 title sprintf('m = %d', 10**(i+1))
set title 'gradients of g, over m'
set xlabel 'dimension m of the space'
set logscale x
set xrange [7:14000]
set xtics autofreq
set format x '10^%T'
set key bottom right
plot for [i=0:3] $gradients index i with linespoints lw 2 pt 7 title 'k = '.word(dimensions, i+1)
set title 'Hessian products (dashed: 4 eigenvalues)'
set key top left
set yrange [0:8000]
plot for [i=0:3] $products index i with linespoints lw 2 pt 7 lc i+1 title 'k = '.word(dimensions, i+1), \
     for [i=0:3] $few index i with linespoints lw 2 pt 6 dt 2 lc i+1 notitle
)";

}  // namespace

void draw_costs(const std::vector<ManifoldCost>& costs, const std::vector<ManifoldCost>& few,
                const std::filesystem::path& target) {
  const Column k = [](const auto& cost) { return static_cast<double>(cost.k); };
  const Column m = [](const auto& cost) { return static_cast<double>(cost.m); };
  const Column gradients = [](const auto& cost) { return cost.gradients; };
  const Column products = [](const auto& cost) { return cost.products; };
  // Both names stand between quotes, in gnuplot's script and in the shell's command.
  if (target.string().find('\'') != std::string::npos) {
    throw InvalidInput(fmt::format("{}: the picture's name may not hold a quote", target.string()));
  }
  auto script = target;
  script.replace_extension(".gnuplot");
  write_atomically(
      script, fmt::format(kPicture, target.string(), blocks(costs, m, k, gradients), blocks(costs, k, m, gradients),
                          blocks(costs, k, m, products), blocks(few, k, m, products)));
  if (std::system(fmt::format("gnuplot '{}'", script.string()).c_str()) != 0) {
    throw InvalidInput(
        fmt::format("{}: gnuplot could not draw it from {}; is it installed?", target.string(), script.string()));
  }
}

}  // namespace bilevel::bench
