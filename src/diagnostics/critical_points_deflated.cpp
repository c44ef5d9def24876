#include "diagnostics/critical_points_deflated.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/LU>

#include "diagnostics/dense_hessian.hpp"

namespace bilevel {

namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();

/// Newton's direction for F = g_y; Levenberg's where H is too near to singular for it.
Vec newton_direction(const Eigen::MatrixXd& hessian, const Vec& residual) {
  constexpr double kSolved = 1e-6, kDamping = 1e-6;
  Vec direction = -hessian.partialPivLu().solve(residual);
  if (direction.allFinite() && norm(hessian * direction + residual) <= kSolved * norm(residual)) return direction;
  Eigen::MatrixXd normal = hessian * hessian;
  normal.diagonal().array() += kDamping * std::max(normal.trace(), std::numeric_limits<double>::min());
  return -normal.partialPivLu().solve(hessian * residual);
}

}  // namespace

/// d/dy log M(y) for the deflation M = prod (1 / |y - y_i|^2 + 1), and log M itself.
std::pair<Vec, double> DeflatedNewton::deflation(const Vec& y, const std::vector<Vec>& known) const {
  Vec slope = Vec::Zero(y.size());
  double logarithm = 0;
  for (const Vec& point : known) {
    const Vec away = y - point;
    // Distances count in diameters, so that the size of the box does not matter.
    const double square = std::max(away.squaredNorm() / (diameter_ * diameter_), std::numeric_limits<double>::min());
    logarithm += std::log1p(1 / square);
    slope -= 2 / (square * (1 + square) * diameter_ * diameter_) * away;
  }
  return {slope, logarithm};
}

std::optional<Vec> DeflatedNewton::run(const Vec& start, const std::vector<Vec>& known) {
  const bool deflated = !known.empty();
  constexpr int kMaxSteps = 60, kMaxHalvings = 12;
  constexpr double kFalls = 1e-4, kLongestStep = 0.5, kStillMoving = 1e-5, kRounding = 1e-15, kStray = 1;
  Vec y = start;
  double last_step = kNone, size = kNone;
  for (int step = 0; step < kMaxSteps; ++step) {
    ++gradients_;
    const auto at = lower_.linearize(x_, y, full, Oracle::grad_y);
    const Vec& residual = *at.evaluation().grad_y;
    size = norm(residual);
    if (!std::isfinite(size)) return std::nullopt;
    if (size == 0) return y;
    const Eigen::MatrixXd hessian = dense_hessian(at, lower_.dim_y());
    if (!hessian.allFinite()) return std::nullopt;
    Vec direction = newton_direction(hessian, residual);
    double merit = std::log(size);
    if (deflated) {
      // Newton's step of M g_y is a multiple of that of g_y, by the formula of Sherman and Morrison.
      const auto [slope, logarithm] = deflation(y, known);
      direction /= 1 - dot(slope, direction);
      merit += logarithm;
    }
    double length = norm(direction);
    if (!std::isfinite(length)) return std::nullopt;
    if (length > kLongestStep * diameter_) {
      direction *= kLongestStep * diameter_ / length;
      length = kLongestStep * diameter_;
    }
    if (length <= kRounding * std::max(diameter_, norm(y))) return settled(y, size, length);

    double fraction = 1;
    bool accepted = false;
    for (int halving = 0; halving < kMaxHalvings && !accepted; ++halving, fraction *= 0.5) {
      const Vec trial = y + fraction * direction;
      const double next = norm(gradient(trial));
      const double next_merit = std::log(next) + (deflated ? deflation(trial, known).second : 0.0);
      if (next_merit <= merit + std::log1p(-kFalls * fraction)) {
        y = trial;
        last_step = fraction * length;
        accepted = true;
      } else if (size <= zero_) {
        // Small already: what stops it from falling further is rounding.
        return settled(y, size, length);
      }
    }
    if (!accepted || !box_.contains(y, kStray)) return std::nullopt;
  }
  if (last_step > kStillMoving * diameter_) return std::nullopt;
  return settled(y, size, last_step);
}

/// y if it is a zero of g_y, not only a place where g_y is small: Newton's step must be small as well.
std::optional<Vec> DeflatedNewton::settled(const Vec& y, double size, double step) const {
  constexpr double kSmallStep = 1e-5;
  if (size > zero_ || step > kSmallStep * diameter_) return std::nullopt;
  return y;
}

}  // namespace bilevel
