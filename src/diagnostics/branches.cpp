#include "bilevel/branches.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "bilevel/status.hpp"
#include "diagnostics/branch_mapper.hpp"
#include "diagnostics/branch_path.hpp"

namespace bilevel {

namespace {

void check(const Objective& lower, const LeaderLine& line, const Box& box, const BranchOptions& options,
           const Objective* upper) {
  const auto require = [](bool allowed, const char* name, double value, const char* range) {
    if (!allowed)
      throw InvalidOption(fmt::format("following branches has {} = {}, but it must be {}", name, value, range));
  };
  constexpr Index kMostSamples = 100'000;
  require(options.samples >= 2 && options.samples <= kMostSamples, "samples", static_cast<double>(options.samples),
          "between 2 and 100000");
  require(options.smallest_step > 0 && options.smallest_step < 1, "smallest_step", options.smallest_step,
          "between 0 and 1, ends excluded");
  require(options.first_step >= options.smallest_step && options.first_step <= 1, "first_step", options.first_step,
          "between smallest_step and 1");
  require(options.largest_step >= options.first_step && options.largest_step <= 1, "largest_step", options.largest_step,
          "between first_step and 1");
  require(options.event_accuracy >= 1e-14 && options.event_accuracy < 1, "event_accuracy", options.event_accuracy,
          "from 1e-14 to below 1");
  const Index n = lower.dim_x();
  if (line.from.size() != n || line.to.size() != n) {
    throw DimensionMismatch(fmt::format("the line of leaders of '{}' needs ends of length {}, but has {} and {}",
                                        lower.name(), n, line.from.size(), line.to.size()));
  }
  if (!line.from.allFinite() || !line.to.allFinite()) {
    throw InvalidInput("the line of leaders needs finite ends, but has an entry that is no number");
  }
  if (upper && (upper->dim_x() != n || upper->dim_y() != lower.dim_y())) {
    throw DimensionMismatch(fmt::format("objectives '{}' ({} leader, {} follower variables) and '{}' ({}, {}) differ",
                                        upper->name(), upper->dim_x(), upper->dim_y(), lower.name(), n, lower.dim_y()));
  }
  box.validate(lower.dim_y(), "the box of y");
}

}  // namespace

std::string_view to_string(BranchEventKind kind) {
  switch (kind) {
    case BranchEventKind::line_end: return "line end";
    case BranchEventKind::fold: return "fold";
    case BranchEventKind::pitchfork: return "pitchfork";
    case BranchEventKind::degenerate: return "degenerate";
    case BranchEventKind::escape: return "escape";
    case BranchEventKind::leaves_box: return "leaves box";
    case BranchEventKind::stalled: return "stalled";
  }
  return "unknown";
}

std::optional<Vec> Branch::at(double t) const {
  if (!(t >= begin.t && t <= end.t)) return std::nullopt;
  const auto straight = [t](double ta, const Vec& ya, double tb, const Vec& yb) -> Vec {
    return tb == ta ? ya : Vec(ya + (t - ta) / (tb - ta) * (yb - ya));
  };
  const BranchPoint &first = points.front(), &last = points.back();
  if (t < first.t) {
    if (begin.kind == BranchEventKind::escape) return std::nullopt;
    return straight(begin.t, begin.y, first.t, first.y);
  }
  if (t > last.t) {
    if (end.kind == BranchEventKind::escape) return std::nullopt;
    return straight(last.t, last.y, end.t, end.y);
  }
  const auto after = std::lower_bound(points.begin(), points.end(), t,
                                      [](const BranchPoint& point, double value) { return point.t < value; });
  if (after->t == t) return after->y;
  const BranchPoint &a = *std::prev(after), &b = *after;
  PathPoint left, right;
  left.t = a.t;
  left.y = a.y;
  left.slope = a.slope;
  right.t = b.t;
  right.y = b.y;
  right.slope = b.slope;
  return interpolated(left, right, t);
}

BranchMap follow_branches(const Objective& lower, const LeaderLine& line, const Box& box_y,
                          const BranchOptions& options, const Objective* upper) {
  check(lower, line, box_y, options, upper);
  return map_branches(lower, line, box_y, options, upper);
}

}  // namespace bilevel
