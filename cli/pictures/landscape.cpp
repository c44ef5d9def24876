#include "pictures/landscape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "pictures/colour_scale.hpp"
#include "pictures/landscape_plane.hpp"
#include "pictures/marks.hpp"

namespace bilevel::cli {

namespace {

DataBlock matrix(std::string name, const std::vector<double>& values, Index columns) {
  DataBlock block(std::move(name));
  for (auto row = values.begin(); row != values.end(); row += columns) {
    block.row(std::vector<double>(row, row + columns));
  }
  return block;
}

/// `using` columns that put the matrix's cells at their places.
std::string cells(const LandscapePlane& plane, Index columns, Index rows) {
  const double width = (plane.across.high - plane.across.low) / static_cast<double>(columns);
  const double height = (plane.up.high - plane.up.low) / static_cast<double>(rows);
  return fmt::format("({}+{}*$1):({}+{}*$2):3", number(plane.across.low + width / 2), number(width),
                     number(plane.up.low + height / 2), number(height));
}

/// Levels of f that share its values evenly, so that lines are dense where f is flat as well.
std::string contour_levels(const std::vector<double>& values) {
  const ColourScale scale(values);
  constexpr int kLevels = 11;
  std::string levels;
  for (int i = 0; i < kLevels; ++i) {
    levels += fmt::format("{}{}", i > 0 ? "," : "", number(scale.value((i + 0.5) / kLevels)));
  }
  return levels;
}

void add_upper_contours(const Landscape& landscape, const LandscapePlane& plane, Script& script, Layers& layers) {
  constexpr Index kColumns = 120, kRows = 90;
  const auto values = plane.evaluate(*landscape.upper, kColumns, kRows);
  const ColourScale scale(values);
  if (!(scale.highest() > scale.lowest())) return;  // constant, or nothing to draw
  script.data.push_back(matrix("upper_grid", values, kColumns));
  script.commands += fmt::format(
      "set contour base\nunset surface\nset cntrparam levels discrete {}\n"
      "set table $upper_contours\nsplot $upper_grid matrix using {}\nunset table\nunset contour\nset surface\n",
      contour_levels(values), cells(plane, kColumns, kRows));
  layers.add("$upper_contours using 1:2 with lines lc '#1b6b45' lw 1.3 dt 2", "f constant");
}

void add_direction_field(const Landscape& landscape, const LandscapePlane& plane, Script& script, Layers& layers) {
  constexpr Index kColumns = 24, kRows = 16;
  const double width = (plane.across.high - plane.across.low) / kColumns;
  const double height = (plane.up.high - plane.up.low) / kRows;
  std::vector<std::array<double, 3>> arrows;
  std::vector<double> sizes;
  for (Index i = 0; i < kRows; ++i) {
    for (Index j = 0; j < kColumns; ++j) {
      const double x = plane.across.low + (static_cast<double>(j) + 0.5) * width;
      const double y = plane.up.low + (static_cast<double>(i) + 0.5) * height;
      const auto point = plane.at(x, y);
      const double slope = landscape.lower->grad_y(point.x, point.y)[landscape.coordinate];
      if (!is_drawable(slope)) continue;
      arrows.push_back({x, y, -slope});
      sizes.push_back(std::abs(slope));
    }
  }
  if (arrows.empty()) return;
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  DataBlock block("directions");
  for (const auto& [x, y, fall] : arrows) {
    // Length between a seventh of a cell and a whole one: the direction matters, the size is in the colours.
    const double share = std::abs(fall) / (std::abs(fall) + *middle + 1e-300);
    const double length = (fall > 0 ? 1 : -1) * height * (0.15 + 0.65 * share);
    if (fall != 0) block.row({x, y - length / 2, 0, length});
  }
  if (block.empty()) return;
  script.data.push_back(std::move(block));
  layers.add("$directions using 1:2:3:4 with vectors head size screen 0.004,25,60 filled lc '#5a5a5a' lw 1",
             "follower's descent");
}

void add_branches(const BranchMap& map, const LandscapePlane& plane, Script& script, Layers& layers) {
  DataBlock minimisers("minimisers"), others("others");
  for (const auto& branch : map.branches) {
    auto& block = branch.is_minimiser() ? minimisers : others;
    // Two branches that end in one event meet there; an escaping one has no end.
    const auto add_end = [&](const BranchEvent& end) {
      const bool is_meeting = end.kind == BranchEventKind::fold || end.kind == BranchEventKind::pitchfork ||
                              end.kind == BranchEventKind::degenerate;
      if (is_meeting && end.y.size() > 0) block.row({plane.across_of_t(end.t), plane.up_of(end.y)});
    };
    add_end(branch.begin);
    for (const auto& point : branch.points) block.row({plane.across_of_t(point.t), plane.up_of(point.y)});
    add_end(branch.end);
    block.gap();
  }
  for (const auto& [block, colour, title] :
       {std::tuple{&others, "#0b5fa5", "other critical points"}, {&minimisers, "#d7191c", "minimisers"}}) {
    if (block->empty()) continue;
    layers.add(fmt::format("${} using 1:2 with lines lc '#ffffff' lw 6.5", block->name()));
    layers.add(fmt::format("${} using 1:2 with lines lc '{}' lw 3.5", block->name(), colour), title);
    script.data.push_back(*block);
  }
}

void add_events(const BranchMap& map, const LandscapePlane& plane, Script& script, Layers& layers) {
  struct Mark {
    BranchEventKind kind;
    const char* name;
    const char* title;
    int filled, outline;  // gnuplot's point types
  };
  for (const auto& mark : {Mark{BranchEventKind::fold, "folds", "fold", 5, 4},
                           Mark{BranchEventKind::pitchfork, "pitchforks", "pitchfork", 13, 12},
                           Mark{BranchEventKind::degenerate, "degenerates", "degenerate", 15, 14},
                           Mark{BranchEventKind::escape, "escapes", "escape", 9, 8},
                           Mark{BranchEventKind::stalled, "losses", "branch lost", 11, 10}}) {
    DataBlock block(mark.name);
    for (const auto& event : map.events) {
      if (event.kind != mark.kind || event.y.size() == 0) continue;
      // An escape is beyond the picture: it is marked where the branch leaves it.
      const double y = plane.up_of(event.y);
      block.point(plane.across_of_t(event.t),
                  mark.kind == BranchEventKind::escape ? std::clamp(y, plane.up.low, plane.up.high) : y);
    }
    if (block.empty()) continue;
    layers.add_outlined(block.name(), mark.filled, mark.outline, 2.0, kWhite, mark.title);
    script.data.push_back(std::move(block));
  }
}

/// The game as it was played: the follower answers (up or down), then the leader moves (across). [AM22, fig. 1]
void add_iterates(const Landscape& landscape, const LandscapePlane& plane, Script& script, Layers& layers) {
  DataBlock path("iterates"), answers("answers"), moves("moves"), start("start"), end("end");
  const auto& iterates = landscape.iterates;
  if (iterates.empty()) return;
  constexpr std::size_t kMost = 2000;  // more could not be told apart
  const std::size_t stride = 1 + (iterates.size() - 1) / kMost;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < iterates.size(); i += stride, ++shown) {
    const double across = plane.across_of(iterates[i].x), up = plane.up_of(iterates[i].y);
    path.row({across, up});
    if (i == 0) continue;
    const auto& before = iterates[i - stride];
    moves.row({plane.across_of(before.x), plane.up_of(before.y)});
    moves.row({across, plane.up_of(before.y)});
    moves.gap();
    answers.row({across, plane.up_of(before.y)});
    answers.row({across, up});
    answers.gap();
  }
  start.point(plane.across_of(iterates.front().x), plane.up_of(iterates.front().y));
  end.point(plane.across_of(iterates.back().x), plane.up_of(iterates.back().y));
  if (shown > 1) {
    layers.add("$moves using 1:2 with lines lc '#118833' lw 1.8", "leader's moves");
    layers.add("$answers using 1:2 with lines lc '#000000' lw 1.8", "follower's answers");
  }
  layers.add_dots("iterates", shown, "iterates");
  if (!start.empty()) layers.add_outlined("start", 7, 6, 1.7, kWhite, "start");
  if (!end.empty()) layers.add_outlined("end", 7, 6, 1.7, "#56b4e9", "end");
  for (auto* block : {&path, &moves, &answers, &start, &end}) {
    if (!block->empty()) script.data.push_back(std::move(*block));
  }
}

std::string subtitle_of(const Landscape& landscape, const LandscapePlane& plane, bool has_missing) {
  std::vector<std::string> parts;
  if (auto slice = plane.slice_text(); !slice.empty()) parts.push_back(std::move(slice));
  const auto is_projected = [&](const PlottedPoint& point) { return plane.is_projected(point); };
  const bool points = (landscape.solution && is_projected(*landscape.solution)) ||
                      std::any_of(landscape.iterates.begin(), landscape.iterates.end(), is_projected);
  const bool branches = landscape.branches != nullptr && landscape.box_y.dim() > 1;
  if (points || branches) {
    parts.push_back(fmt::format("{}{}{} projected", points ? "points" : "", points && branches ? " and " : "",
                                branches ? "branches" : ""));
  }
  if (has_missing) parts.push_back("hatched: g is not finite");
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace

Script landscape_script(const Landscape& landscape) {
  const LandscapePlane plane(landscape);
  Script script;
  Layers layers;

  auto values = plane.evaluate(*landscape.lower, landscape.columns, landscape.rows);
  const ColourScale scale(values);
  const auto missing = std::count_if(values.begin(), values.end(), [](double v) { return !is_drawable(v); });
  for (double& value : values) value = scale.position(value);

  const std::string subtitle = subtitle_of(landscape, plane, missing > 0);
  script.commands = title_commands(landscape.title, subtitle) + colour_bar(scale, "g(x, y): light is low");
  script.commands += fmt::format(
      "set xrange [{}:{}]\nset yrange [{}:{}]\nset xlabel {}\nset ylabel {}\nset tics out nomirror\nset format '%h'\n",
      number(plane.across.low), number(plane.across.high), number(plane.up.low), number(plane.up.high),
      gnuplot_string(plane.across_title()), gnuplot_string(plane.up_title()));
  if (missing > 0) {
    script.commands +=
        "set object 1 rectangle from graph 0,0 to graph 1,1 behind fillcolor '#9a9a9a' "
        "fillstyle pattern 4 noborder\n";
  }

  if (static_cast<std::size_t>(missing) < values.size()) {
    script.data.push_back(matrix("lower_grid", values, landscape.columns));
    layers.add(fmt::format("$lower_grid matrix using {} with image", cells(plane, landscape.columns, landscape.rows)));
  }
  if (landscape.upper != nullptr) add_upper_contours(landscape, plane, script, layers);
  if (landscape.direction_field) add_direction_field(landscape, plane, script, layers);
  if (landscape.branches != nullptr) {
    add_branches(*landscape.branches, plane, script, layers);
    add_events(*landscape.branches, plane, script, layers);
  }
  add_iterates(landscape, plane, script, layers);
  if (landscape.solution) {
    DataBlock star("solution");
    star.point(plane.across_of(landscape.solution->x), plane.up_of(landscape.solution->y));
    if (!star.empty()) layers.add_star(star.name(), "solution");
    script.data.push_back(std::move(star));
  }
  script.commands += legend_below_commands(layers.titles()) + layers.plot_command();
  return script;
}

}  // namespace bilevel::cli
