#include "diagnostics/branch_escape.hpp"

#include <algorithm>
#include <cmath>

namespace bilevel {

namespace {

struct Growth {
  double t = 0;
  double distance = 0;  // u = |y - centre|
  double time = 0;      // u / (du/dt), t counted in the direction of travel
};

Growth growth_of(const BranchTask& task, const PathPoint& point, double sign) {
  const Vec away = point.y - task.box.centre();
  const double distance = norm(away);
  return {point.t, distance, distance * distance / (sign * dot(away, point.slope))};
}

/// The root of the line through the times of a and b, and its steepness.
std::pair<double, double> vanishing(const Growth& a, const Growth& b) {
  const double steepness = (b.time - a.time) / (b.t - a.t);
  return {b.t - b.time / steepness, steepness};
}

}  // namespace

std::optional<Escape> escape_of(const BranchTask& task, const std::vector<PathPoint>& points, double sign) {
  constexpr double kFar = 10, kLeastSteepness = 0.05, kMostSteepness = 20;  // powers p from 20 down to 1/20
  const Growth last = growth_of(task, points.back(), sign);
  if (!(last.distance >= kFar * 0.5 * task.size) || !(last.time > 0)) return std::nullopt;
  // The points where |y| was about a half and a quarter of what it is at the end.
  Growth half, quarter;
  for (const PathPoint& point : points) {
    const Growth growth = growth_of(task, point, sign);
    if (growth.distance <= 0.25 * last.distance) quarter = growth;
    if (growth.distance <= 0.5 * last.distance) half = growth;
  }
  if (quarter.distance == 0 || half.t == quarter.t || half.t == last.t) return std::nullopt;
  const auto [t, steepness] = vanishing(half, last);
  const auto [t_before, steepness_before] = vanishing(quarter, half);
  const double least = std::min(-sign * steepness, -sign * steepness_before);
  const double most = std::max(-sign * steepness, -sign * steepness_before);
  if (!(least >= kLeastSteepness && most <= kMostSteepness)) return std::nullopt;
  // The remaining way is known no better than the law holds, and the last points no better than rounding allows.
  constexpr double kRounding = 1e-12;
  Escape escape{t, std::abs(t - t_before) + kRounding};
  if (t < -escape.accuracy || t > 1 + escape.accuracy) return std::nullopt;
  escape.t = std::clamp(t, 0.0, 1.0);
  return escape;
}

}  // namespace bilevel
