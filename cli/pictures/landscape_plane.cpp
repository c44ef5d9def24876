#include "pictures/landscape_plane.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bilevel/status.hpp"

namespace bilevel::cli {

namespace {

void check_objective(const Objective& phi, const char* what, const Landscape& landscape, OracleSet needed) {
  const Index n = landscape.line.from.size(), m = landscape.box_y.dim();
  if (phi.dim_x() != n || phi.dim_y() != m) {
    throw DimensionMismatch(
        fmt::format("the landscape has {} leader and {} follower variables, but its {} '{}' {} and {}", n, m, what,
                    phi.name(), phi.dim_x(), phi.dim_y()));
  }
  if (const auto missing = needed.without(phi.provides()); !missing.empty()) {
    throw MissingOracle(
        fmt::format("the landscape needs {} of the {} '{}', which lacks it", to_string(missing), what, phi.name()));
  }
}

void check_point(const PlottedPoint& point, const char* what, const Landscape& landscape) {
  if (point.x.size() != landscape.line.from.size() || point.y.size() != landscape.box_y.dim()) {
    throw DimensionMismatch(
        fmt::format("{} of the landscape has {} leader and {} follower variables, but needs {} and {}", what,
                    point.x.size(), point.y.size(), landscape.line.from.size(), landscape.box_y.dim()));
  }
}

std::string entries(const Vec& v) {
  constexpr Index kShown = 4;
  std::string text;
  for (Index i = 0; i < std::min(v.size(), kShown); ++i) text += (i > 0 ? ", " : "") + short_number(v[i], 3);
  return "(" + text + (v.size() > kShown ? ", …)" : ")");
}

}  // namespace

LandscapePlane::LandscapePlane(const Landscape& landscape) : landscape_(&landscape), slice_(landscape.slice) {
  const auto& [from, to] = landscape.line;
  const Index m = landscape.box_y.dim();
  if (landscape.lower == nullptr) throw InvalidInput("a landscape needs the follower's objective");
  if (from.size() == 0 || from.size() != to.size()) {
    throw DimensionMismatch(fmt::format(
        "the landscape's line of leaders goes from a point with {} entries to one with {}", from.size(), to.size()));
  }
  landscape.box_y.validate(m, "the landscape's box of y");
  const OracleSet value = Oracle::value;
  check_objective(*landscape.lower, "lower objective", landscape,
                  landscape.direction_field ? value | Oracle::grad_y : value);
  if (landscape.upper != nullptr) check_objective(*landscape.upper, "upper objective", landscape, value);
  for (const auto& point : landscape.iterates) check_point(point, "an iterate", landscape);
  if (landscape.solution) check_point(*landscape.solution, "the solution", landscape);
  if (!((to - from).norm() > 0) || !from.allFinite() || !to.allFinite()) {
    throw InvalidInput("the landscape's line of leaders needs two finite ends that differ");
  }
  if (landscape.coordinate < 0 || landscape.coordinate >= m) {
    throw InvalidInput(fmt::format("the landscape's follower coordinate is {}, but must be from 0 to {}",
                                   landscape.coordinate, m - 1));
  }
  if (landscape.columns < 2 || landscape.rows < 2) {
    throw InvalidInput(fmt::format("the landscape has {} columns and {} rows, but needs at least 2 of each",
                                   landscape.columns, landscape.rows));
  }
  if (slice_.size() == 0) slice_ = landscape.box_y.centre();
  if (slice_.size() != m) {
    throw DimensionMismatch(
        fmt::format("the landscape's slice has {} entries, but there are {} follower variables", slice_.size(), m));
  }
  across = from.size() > 1 ? Range{0, 1} : Range{std::min(from[0], to[0]), std::max(from[0], to[0])};
  up = {landscape.box_y.low[landscape.coordinate], landscape.box_y.high[landscape.coordinate]};
  if (!has_width(up)) {
    throw InvalidInput(
        fmt::format("the landscape's box of y goes from {} to {} in coordinate {}, which has no width to draw", up.low,
                    up.high, landscape.coordinate + 1));
  }
  if (!has_width(across)) {
    throw InvalidInput(
        fmt::format("the landscape's leaders go from {} to {}, which has no width to draw", across.low, across.high));
  }
}

PlottedPoint LandscapePlane::at(double horizontal, double vertical) const {
  PlottedPoint point{landscape_->line.at(horizontal), slice_};
  if (point.x.size() == 1) point.x[0] = horizontal;
  point.y[landscape_->coordinate] = vertical;
  return point;
}

double LandscapePlane::across_of(const Vec& x) const {
  if (x.size() == 1) return x[0];
  const Vec along = landscape_->line.to - landscape_->line.from;
  return (x - landscape_->line.from).dot(along) / along.squaredNorm();
}

double LandscapePlane::across_of_t(double t) const {
  return landscape_->line.from.size() > 1 ? t : landscape_->line.at(t)[0];
}

bool LandscapePlane::is_projected(const PlottedPoint& point) const {
  const auto drawn = at(across_of(point.x), up_of(point.y));
  const double scale = 1 + point.x.norm() + point.y.norm();
  return (drawn.x - point.x).norm() + (drawn.y - point.y).norm() > 1e-9 * scale;
}

std::string LandscapePlane::across_title() const {
  const auto& [from, to] = landscape_->line;
  if (from.size() == 1) return "leader x";
  return fmt::format("leader x = {} at t = 0 to {} at t = 1", entries(from), entries(to));
}

std::string LandscapePlane::up_title() const {
  return slice_.size() == 1 ? "follower y" : fmt::format("follower y[{}]", landscape_->coordinate + 1);
}

std::string LandscapePlane::slice_text() const {
  if (slice_.size() == 1) return "";
  constexpr Index kShown = 4;
  std::string others;
  Index shown = 0;
  for (Index i = 0; i < slice_.size() && shown < kShown; ++i) {
    if (i == landscape_->coordinate) continue;
    others += fmt::format("{}y[{}] = {}", shown++ == 0 ? "" : ", ", i + 1, short_number(slice_[i], 3));
  }
  return "slice of g at " + others + (slice_.size() - 1 > kShown ? ", …" : "");
}

std::vector<double> LandscapePlane::evaluate(const Objective& phi, Index columns, Index rows) const {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(columns * rows));
  const double width = (across.high - across.low) / static_cast<double>(columns);
  const double height = (up.high - up.low) / static_cast<double>(rows);
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) {
      const auto point =
          at(across.low + (static_cast<double>(j) + 0.5) * width, up.low + (static_cast<double>(i) + 0.5) * height);
      values.push_back(phi.value(point.x, point.y));
    }
  }
  return values;
}

}  // namespace bilevel::cli
