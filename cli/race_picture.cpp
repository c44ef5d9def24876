#include "race_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "pictures/marks.hpp"
#include "race_report.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {

namespace {

constexpr std::array<std::string_view, 10> kColours{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
                                                    "#56b4e9", "#000000", "#7f7f7f", "#8c564b", "#6a3d9a"};
constexpr std::size_t kMoments = 60;

/// Positions on an axis from the first judged moment of any run to the last one, evenly in the logarithm.
template <class Coordinate>
std::vector<double> axis(const RaceResult& result, const Coordinate& coordinate) {
  double first = INFINITY, last = 0;
  for (const auto& runs : result.runs) {
    for (const auto& run : runs) {
      for (const auto& point : run.points) {
        if (coordinate(point) > 0) first = std::min(first, coordinate(point));
        last = std::max(last, coordinate(point));
      }
    }
  }
  std::vector<double> positions;
  if (!(last > first)) return positions;
  for (std::size_t i = 0; i < kMoments; ++i) {
    positions.push_back(first * std::pow(last / first, static_cast<double>(i) / (kMoments - 1)));
  }
  positions.back() = last;
  return positions;
}

struct Panel {
  std::string title, x_label;
  bool logarithmic;
  std::vector<DataBlock> blocks;  // one for each method that has something to show
  Layers layers;

  std::string commands(bool legend) const {
    return fmt::format("set title {}\nset xlabel {}\n{}set {}\n", gnuplot_string(title), gnuplot_string(x_label),
                       logarithmic ? "set logscale xy\nset format y '%.0e'\n"
                                   : "unset logscale y\nset logscale x\nset format y '%h'\n",
                       legend ? "key bottom left" : "key off") +
           layers.plot_command();
  }
};

/// `at` gives a run's point at a position, `value` what is drawn of it (with the seed's number).
template <class At, class Value>
void add_methods(Panel& panel, const std::string& prefix, const RaceResult& result,
                 const std::vector<double>& positions, const At& at, const Value& value) {
  const auto order = ranking(result);
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const auto& runs = result.runs[order[rank]];
    DataBlock block(fmt::format("{}{}", prefix, rank));
    for (const double position : positions) {
      std::vector<double> values;
      for (std::size_t s = 0; s < runs.size(); ++s) values.push_back(value(at(runs[s], position), s));
      const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
      block.row({position, median(values), *lowest, *highest});
    }
    if (block.empty()) continue;
    const auto colour = kColours[rank % kColours.size()];
    panel.layers.add(fmt::format("${} using 1:3:4 with filledcurves lc '{}' fs transparent solid 0.12 noborder",
                                 block.name(), colour));
    panel.layers.add(
        fmt::format("${} using 1:2 with lines lc '{}' lw 2 dt {}", block.name(), colour, 1 + rank / kColours.size()),
        result.methods[order[rank]]);
    panel.blocks.push_back(std::move(block));
  }
}

}  // namespace

Script race_picture_script(const RaceField& field, const RaceOptions& options, const RaceResult& result) {
  const auto seconds = axis(result, [](const RacePoint& p) { return p.seconds; });
  const auto passes = axis(result, [](const RacePoint& p) { return p.passes; });
  const auto at_seconds = [](const RaceRun& run, double t) -> const RacePoint& { return run.at_seconds(t); };
  const auto at_passes = [](const RaceRun& run, double t) -> const RacePoint& { return run.at_passes(t); };
  // A logarithmic axis has no zero: the best run's own curve ends at a thousandth of what was to be gained.
  const auto gap = [&](const RacePoint& point, std::size_t s) {
    const double start = result.runs.front()[s].points.front().value;
    return std::max(point.value - result.best[s], 1e-3 * std::abs(start - result.best[s]));
  };
  std::vector<Panel> panels{{"phi above the best of all", "seconds", true, {}, {}},
                            {"phi above the best of all", "passes over the data", true, {}, {}}};
  add_methods(panels[0], "a", result, seconds, at_seconds, gap);
  add_methods(panels[1], "b", result, passes, at_passes, gap);
  if (!field.score_names.empty()) {
    const auto score = [](const RacePoint& point, std::size_t) { return point.scores.front(); };
    panels.push_back({field.score_names.front(), "seconds", false, {}, {}});
    panels.push_back({field.score_names.front(), "passes over the data", false, {}, {}});
    add_methods(panels[2], "c", result, seconds, at_seconds, score);
    add_methods(panels[3], "d", result, passes, at_passes, score);
  }

  Script script;
  script.width = 1400;
  script.height = panels.size() > 2 ? 1000 : 600;
  script.commands =
      fmt::format("set multiplot layout {},2 title {} font ',16'\n", panels.size() / 2,
                  gnuplot_string(fmt::format("{}: median and range of {}, {:.3g} s each", field.name,
                                             format_count(static_cast<std::int64_t>(result.best.size()), "seed"),
                                             options.time))) +
      "set tics out nomirror\nset grid lc '#d8d8d8' lt 1\nset border 3\nset format x '%g'\n";
  for (std::size_t i = 0; i < panels.size(); ++i) {
    script.commands += panels[i].commands(i == 0);
    for (auto& block : panels[i].blocks) script.data.push_back(std::move(block));
  }
  script.commands += "unset multiplot\n";
  return script;
}

}  // namespace bilevel::cli
