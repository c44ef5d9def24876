#include "pictures/run_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "pictures/marks.hpp"
#include "pictures/series.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

namespace {

struct Panel {
  const char* block;
  const char* title;
  const char* colour;
  double decades;  // beyond which its axis is logarithmic
  std::function<double(const StepReport&)> value;
};

/// The panel's commands; adds its data and counts what cannot be drawn.
std::string panel_commands(const Panel& panel, const RunResult& result, Script& script, std::size_t& missing) {
  std::vector<double> values;
  for (const auto& row : result.trace) values.push_back(panel.value(row.report));
  const auto axis = value_axis(values, panel.decades);
  missing += axis.missing;

  DataBlock line(panel.block), best(fmt::format("{}_best", panel.block));
  for (const std::size_t i : thinned(values)) {
    const double value = axis.logarithmic && !(values[i] > 0) ? std::numeric_limits<double>::quiet_NaN() : values[i];
    line.row({static_cast<double>(result.trace[i].iteration), value});
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (result.trace[i].iteration == result.best_iteration) {
      best.point(static_cast<double>(result.best_iteration), values[i]);
    }
  }

  Layers layers;
  if (!axis.empty) {
    constexpr std::size_t kFewPoints = 60;  // of which each can be seen
    layers.add(fmt::format("${} using 1:2 with {} lc '{}' lw 2 pt 7 ps 0.6", line.name(),
                           values.size() <= kFewPoints ? "linespoints" : "lines", panel.colour));
    if (!best.empty()) layers.add_outlined(best.name(), 7, 6, 1.4, "#f0c000", "");
    script.data.push_back(std::move(line));
    if (!best.empty()) script.data.push_back(std::move(best));
  }
  std::string label = panel.title;
  if (axis.hides_zeros) label += " (zeros not shown)";
  if (axis.empty) label += values.empty() ? " (no step was taken)" : " (no finite value)";
  return axis.commands('y') + fmt::format("set title {} offset 0,-0.7\n", gnuplot_string(label)) +
         layers.plot_command();
}

}  // namespace

Script run_picture_script(std::string_view title, const RunResult& result) {
  const std::vector<Panel> panels{
      {"upper", "upper value f(x, y)", "#0072b2", 3, [](const StepReport& report) { return report.upper; }},
      {"hypergradient", "|hypergradient|", "#d55e00", 1.5,
       [](const StepReport& report) { return report.hypergradient_norm; }},
      {"residual", "follower's residual |∂g/∂y|", "#117755", 1.5,
       [](const StepReport& report) { return report.lower_residual; }}};

  Script script;
  std::size_t missing = 0;
  std::string drawn;
  for (const auto& panel : panels) {
    const bool is_last = &panel == &panels.back();
    drawn += is_last ? "set format x '%h'\nset xlabel 'iteration'\n" : "set format x ''\n";
    drawn += panel_commands(panel, result, script, missing);
    if (&panel == &panels.front()) drawn += "unset label\n";  // else each panel draws the title again
  }

  std::string ending = result.message.empty() ? std::string(to_string(result.status)) : result.message;
  const bool has_best = std::any_of(result.trace.begin(), result.trace.end(),
                                    [&](const TraceRow& row) { return row.iteration == result.best_iteration; });
  if (has_best) {
    ending = fmt::format("{}; best f = {} at iteration {} (yellow)", ending, short_number(result.best_upper, 6),
                         result.best_iteration);
  }
  if (missing > 0)
    ending += fmt::format("; {} not finite and left out", format_count(static_cast<std::int64_t>(missing), "number"));

  constexpr std::size_t kTitleWidth = 70, kEndingWidth = 130;
  const double first = result.trace.empty() ? 0 : static_cast<double>(result.trace.front().iteration);
  const double last = result.trace.empty() ? 1 : static_cast<double>(result.trace.back().iteration);
  script.commands = fmt::format(
      "set multiplot layout 3,1 margins screen 0.1,0.97,0.09,0.87 spacing screen 0.07\n"
      "set label 1 {} at screen 0.5,0.965 center font ',17'\n"
      "set label 2 {} at screen 0.5,0.925 center textcolor '#404040'\n"
      "set xrange [{}:{}]\nset tics out nomirror\nset grid lc '#d8d8d8' lt 1\nset format y '%h'\nset border 3\n",
      gnuplot_string(cut_to_width(title, kTitleWidth)), gnuplot_string(cut_to_width(ending, kEndingWidth)),
      number(first - 0.01 * (last - first) - 0.1), number(last + 0.01 * (last - first) + 0.1));
  script.commands += drawn + "unset multiplot\n";
  return script;
}

}  // namespace bilevel::cli
