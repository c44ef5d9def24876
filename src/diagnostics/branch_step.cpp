#include "diagnostics/branch_step.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace bilevel {

double Landmarks::target(double t, double sign, double length) const {
  const double next = t + sign * length;
  constexpr double kSame = 1e-13;
  for (const double landmark : ts) {
    if (std::abs(next - landmark) < kSame) return landmark;
  }
  return std::clamp(next, 0.0, 1.0);
}

double Landmarks::ahead(double t, double sign) const {
  constexpr double kHere = 1e-12;
  double nearest = 1;
  for (const double landmark : ts) {
    const double distance = sign * (landmark - t);
    if (distance > kHere) nearest = std::min(nearest, distance);
  }
  return nearest;
}

double Landmarks::gap(double t, const Vec& y, double farthest) const {
  const auto after = std::lower_bound(ts.begin(), ts.end(), t);
  auto at = static_cast<std::size_t>(after - ts.begin());
  if (at == ts.size() || (at > 0 && t - ts[at - 1] < ts[at] - t)) --at;
  double nearest = farthest, second = farthest;
  for (const CriticalPoint& point : searches[at].points) {
    const double distance = norm(point.y - y);
    if (distance < nearest)
      second = std::exchange(nearest, distance);
    else
      second = std::min(second, distance);
  }
  return second;
}

std::optional<Advance> advance(const BranchTask& task, const Landmarks& landmarks, const PathPoint& here, double t) {
  constexpr double kContracts = 0.5, kCorrects = 0.2, kFree = 1e-3, kOfGap = 0.05;
  constexpr double kTrapezium = 0.75, kExact = 1e-8, kTurns = 0.6, kVanishes = 1e-6;
  const double step = t - here.t;
  if (step == 0) return std::nullopt;
  const Vec predicted = here.y + step * here.slope;
  const Correction correction = correct(task, t, predicted);
  if (!correction.converged || correction.contraction > kContracts) return std::nullopt;
  const double change = norm(step * here.slope), corrected = norm(correction.y - predicted);
  // Where the prediction is no change at all, its own size says nothing: a small correction is free.
  const double free = std::min(kFree * task.size, kOfGap * landmarks.gap(t, here.y, task.size));
  if (corrected > kCorrects * change + free) return std::nullopt;

  PathPoint point = path_point(task, t, correction.y);
  if (!point.finite() || std::abs(point.index - here.index) > 1) return std::nullopt;
  if (std::abs(point.smallest()) < kVanishes * std::abs(here.smallest())) return std::nullopt;
  // Both slopes together predict better than one, unless the new one is that of another curve.
  const double trapezium = norm(point.y - here.y - 0.5 * step * (here.slope + point.slope));
  if (trapezium > kTrapezium * corrected + kExact * task.size) return std::nullopt;
  const double turn = norm(step * (point.slope - here.slope));
  if (turn > kTurns * std::max(change, norm(step * point.slope)) + free) return std::nullopt;
  return Advance{std::move(point), corrected / (change + free)};
}

}  // namespace bilevel
