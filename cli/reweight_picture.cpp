#include "reweight_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "bilevel/spread.hpp"
#include "pictures/marks.hpp"

namespace bilevel::cli {

namespace {

std::string tic(const std::string& name, std::size_t position) {
  return fmt::format("{} {}", gnuplot_tic(name), position);
}

/// Adds the mean and deviation of the accuracies, if there are any.
void add_accuracy(DataBlock& block, std::string& tics, const std::string& name, const std::vector<double>& accuracies,
                  std::vector<double>& drawn) {
  if (accuracies.empty()) return;
  const auto spread = spread_of(accuracies);
  const std::size_t position = drawn.size() / 2;
  block.row({static_cast<double>(position), 100 * spread.mean, 100 * spread.deviation});
  drawn.insert(drawn.end(), {100 * (spread.mean - spread.deviation), 100 * (spread.mean + spread.deviation)});
  tics += (tics.empty() ? "" : ", ") + tic(name, position);
}

double accuracy_of(const WeighedModel& model) { return model.test_accuracy.value_or(model.valid_accuracy); }

}  // namespace

Script reweight_picture_script(const ReweightingInput& input, const std::vector<Repetition>& repetitions) {
  DataBlock good("good"), planted("planted"), sizes("sizes"), accuracies("accuracies");
  double rows = 0;
  for (const auto& source : input.sources) rows += static_cast<double>(source.rows);
  std::string source_tics, model_tics;
  for (std::size_t k = 0; k < input.sources.size(); ++k) {
    std::vector<double> weights;
    for (const auto& repetition : repetitions) {
      weights.push_back((*repetition.result.learned.weights)[static_cast<Index>(k)]);
    }
    const auto spread = spread_of(weights);
    const auto position = static_cast<double>(k);
    (input.sources[k].planted ? planted : good).row({position, spread.mean, spread.deviation});
    sizes.point(position, static_cast<double>(input.sources[k].rows) / rows);
    source_tics += (k > 0 ? ", " : "") + tic(input.sources[k].name, k);
  }

  std::vector<double> learned, uniform, by_size, target, drawn;
  for (const auto& [seed, result] : repetitions) {
    learned.push_back(accuracy_of(result.learned));
    if (result.uniform) uniform.push_back(accuracy_of(*result.uniform));
    if (result.by_size) by_size.push_back(accuracy_of(*result.by_size));
    if (result.target_only) target.push_back(accuracy_of(*result.target_only));
  }
  add_accuracy(accuracies, model_tics, "learned weights", learned, drawn);
  add_accuracy(accuracies, model_tics, "uniform", uniform, drawn);
  add_accuracy(accuracies, model_tics, "by size", by_size, drawn);
  add_accuracy(accuracies, model_tics, "target alone", target, drawn);
  const auto range = range_of(drawn);

  Layers left, right;
  const bool both = !good.empty() && !planted.empty();
  if (!good.empty()) {
    left.add("$good using 1:2 with boxes lc '#0072b2' fs solid 0.75 border lc '#0072b2'", "weight");
    left.add("$good using 1:2:3 with yerrorbars lc black lw 1.5 pt 7 ps 0.01");
  }
  if (!planted.empty()) {
    left.add("$planted using 1:2 with boxes lc '#d55e00' fs solid 0.75 border lc '#d55e00'",
             both ? "weight of a planted bad source" : "weight");
    left.add("$planted using 1:2:3 with yerrorbars lc black lw 1.5 pt 7 ps 0.01");
  }
  if (!sizes.empty()) left.add_outlined("sizes", 5, 4, 1.3, "#f0c000", "share of the rows");
  right.add("$accuracies using 1:2:3 with yerrorbars lc '#0072b2' lw 2 pt 7 ps 1.4");

  const std::string what = input.test_rows > 0 ? "test" : "validation";
  const std::string seeds =
      repetitions.size() > 1 ? fmt::format(", mean and deviation of {} seeds", repetitions.size()) : std::string();
  Script script;
  script.height = 500;
  script.commands =
      "set multiplot layout 1,2 margins screen 0.07,0.94,0.19,0.82 spacing screen 0.1\n"
      "set tics out nomirror\nset grid y lc '#d8d8d8' lt 1\nset border 3\nset boxwidth 0.6\n" +
      fmt::format("set label 1 {} at screen 0.5,0.95 center font ',17'\n",
                  gnuplot_string("Weights of the sources" + seeds)) +
      fmt::format(
          "set xrange [-0.6:{}]\nset yrange [0:*]\nset xtics rotate by -20 ({})\nset key top right\n"
          "set title 'weight in the mixture'\n",
          static_cast<double>(input.sources.size()) - 0.4, source_tics) +
      left.plot_command() +
      fmt::format(
          "unset label\nset xrange [-0.6:{}]\nset yrange [{}:{}]\nset xtics rotate by -20 ({})\nunset key\n"
          "set title '{} accuracy on the target, %'\n",
          static_cast<double>(drawn.size() / 2) - 0.4, number(range.low), number(range.high), model_tics, what) +
      right.plot_command() + "unset multiplot\n";
  for (auto* block : {&good, &planted, &sizes, &accuracies}) {
    if (!block->empty()) script.data.push_back(std::move(*block));
  }
  return script;
}

}  // namespace bilevel::cli
