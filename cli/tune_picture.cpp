#include "tune_picture.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "pictures/marks.hpp"
#include "pictures/series.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

Script tuning_picture_script(const TuningResult& result) {
  constexpr double kDecades = 1.5;  // beyond which an axis is logarithmic
  const auto& points = result.grid.empty() ? result.start_grid : result.grid;
  std::vector<double> grid_losses, run_losses = result.guard_losses;
  DataBlock grid("grid"), run("run"), guard("guard"), best("best");
  for (const auto& point : points) {
    grid_losses.push_back(point.valid_loss);
    grid.row({point.weight, point.valid_loss});
  }
  for (std::size_t i = 0; i < result.run.trace.size(); ++i) {
    const auto& row = result.run.trace[i];
    const auto step = static_cast<double>(row.iteration);
    run_losses.push_back(row.report.upper);
    run.row({step, row.report.upper});
    if (i < result.guard_losses.size()) guard.row({step, result.guard_losses[i]});
    if (row.iteration == result.run.best_iteration) best.point(step, row.report.upper);
  }

  Layers left, right;
  if (!grid.empty()) left.add("$grid using 1:2 with linespoints lc '#d55e00' lw 2 pt 7 ps 0.8");
  if (!run.empty()) right.add("$run using 1:2 with linespoints lc '#0072b2' lw 2 pt 7 ps 0.6", "steering rows");
  if (!guard.empty()) right.add("$guard using 1:2 with linespoints lc '#117755' lw 2 pt 5 ps 0.6", "guard rows");
  if (!best.empty()) right.add_outlined("best", 7, 6, 1.4, "#f0c000", "kept");

  Script script;
  script.height = 500;
  for (auto* block : {&grid, &run, &guard, &best}) {
    if (!block->empty()) script.data.push_back(std::move(*block));
  }
  script.commands =
      "set multiplot layout 1,2 margins screen 0.07,0.97,0.14,0.82 spacing screen 0.08\n"
      "set tics out nomirror\nset grid lc '#d8d8d8' lt 1\nset border 3\nunset key\n" +
      fmt::format(
          "set label 1 {} at screen 0.5,0.95 center font ',17'\n",
          gnuplot_string(fmt::format("Validation loss: {}", format_count(result.log_weights.size(), "weight")))) +
      value_axis(grid_losses, kDecades).commands('y') +
      "set logscale x\nset format x '%.0e'\nset xlabel 'one weight'\nset title 'grid over one weight'\n" +
      left.plot_command() + value_axis(run_losses, kDecades).commands('y') +
      "unset label\nunset logscale x\nset format x '%h'\nset xlabel 'leader step'\nset key top right\n"
      "set title 'all weights along the hypergradient'\n" +
      right.plot_command() + "unset multiplot\n";
  return script;
}

}  // namespace bilevel::cli
