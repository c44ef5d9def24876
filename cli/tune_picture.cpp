#include "tune_picture.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <vector>

#include "pictures/marks.hpp"
#include "pictures/series.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

Script tuning_picture_script(const TuningResult& result) {
  const auto& points = result.grid.empty() ? result.start_grid : result.grid;
  std::vector<double> losses;
  DataBlock grid("grid"), run("run"), best("best");
  for (const auto& point : points) {
    losses.push_back(point.valid_loss);
    grid.row({point.weight, point.valid_loss});
  }
  for (const auto& row : result.run.trace) {
    losses.push_back(row.report.upper);
    run.row({static_cast<double>(row.iteration), row.report.upper});
    if (row.iteration == result.run.best_iteration) best.point(static_cast<double>(row.iteration), row.report.upper);
  }
  constexpr double kDecades = 1.5;  // beyond which the axis is logarithmic
  const auto axis = value_axis(losses, kDecades);
  const auto& single = result.warm_grid ? result.warm_grid : result.cold_grid;

  Layers left, right;
  if (!grid.empty()) left.add("$grid using 1:2 with linespoints lc '#d55e00' lw 2 pt 7 ps 0.8");
  if (!run.empty()) right.add("$run using 1:2 with linespoints lc '#0072b2' lw 2 pt 7 ps 0.6");
  if (single && is_drawable(single->valid_loss)) {
    right.add(fmt::format("{} with lines lc '#d55e00' lw 2 dt 2", number(single->valid_loss)));
  }
  if (!best.empty()) right.add_outlined("best", 7, 6, 1.4, "#f0c000", "");

  Script script;
  script.height = 500;
  for (auto* block : {&grid, &run, &best}) {
    if (!block->empty()) script.data.push_back(std::move(*block));
  }
  const auto weights = result.log_weights.size();
  script.commands =
      "set multiplot layout 1,2 margins screen 0.08,0.97,0.14,0.82 spacing screen 0.08\n"
      "set tics out nomirror\nset grid lc '#d8d8d8' lt 1\nset border 3\nunset key\n" +
      fmt::format(
          "set label 1 {} at screen 0.5,0.94 center font ',17'\n",
          gnuplot_string(fmt::format("validation loss: {}, {}", format_count(weights, "weight"), result.run.message))) +
      axis.commands('y') +
      "set logscale x\nset format x '10^{%T}'\nset xlabel 'one weight'\nset title 'grid over one weight'\n" +
      left.plot_command() +
      "unset label\nunset logscale x\nset format x '%h'\nset xlabel 'leader step'\n"
      "set title 'all weights along the hypergradient (dashed: the best of the grid)'\n" +
      right.plot_command() + "unset multiplot\n";
  return script;
}

}  // namespace bilevel::cli
