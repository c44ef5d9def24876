#include "lower/manifold_point.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "bilevel/lower.hpp"

namespace bilevel {

FollowerPoint::FollowerPoint(const Objective& lower, const Vec& x, Vec y, double kernel_tolerance, double size)
    : y_(std::move(y)),
      at_(lower.linearize(x, y_, full, Oracle::value | Oracle::grad_y)),
      rounding_(lower.rounding()),
      kernel_tolerance_(negligible(kernel_tolerance, rounding_)),
      size_(size) {
  finite_ = std::isfinite(value()) && all_finite(slope());
}

double FollowerPoint::noise() const { return 4 * rounding_ * size_ * (1 + norm(y_)); }

double FollowerPoint::accepted() const {
  constexpr double kAccepted = 1e-10;
  return negligible(kAccepted, rounding_) * size_ * (1 + norm(y_));
}

bool FollowerPoint::same_level(double other) const {
  constexpr double kLevel = 1e-10;
  const double length = 1 + norm(y_);
  return std::abs(value() - other) <= negligible(kLevel, rounding_) * (std::abs(value()) + size_ * length * length);
}

Vec FollowerPoint::solve(const Vec& b, double tolerance) {
  constexpr Index kMostIterations = 2000;
  const Index budget = std::min<Index>(10 * b.size(), kMostIterations);
  Vec w = Vec::Zero(b.size()), r = b, d = b;
  double rr = dot(r, r);
  const double target = tolerance * norm(b);
  for (Index i = 0; i < budget && std::sqrt(rr) > target; ++i) {
    const Vec q = at_.hess_yy(d);
    const double dd = dot(d, d), dq = dot(d, q);
    if (!std::isfinite(dq) || !all_finite(q)) {
      finite_ = false;
      break;
    }
    size_ = std::max(size_, norm(q) / std::sqrt(dd));
    if (dq <= kernel_tolerance_ * size_ * dd) break;
    const double step = rr / dq;
    w += step * d;
    r -= step * q;
    const double next = dot(r, r);
    d = r + (next / rr) * d;
    rr = next;
  }
  return w;
}

Vec FollowerPoint::kernel_part(const Vec& v) {
  constexpr int kPasses = 4;
  constexpr double kGone = 1e-14;
  const double tolerance = negligible(1e-9, rounding_), flat = negligible(1e-12, rounding_);
  Vec p = v;
  const double length = norm(v);
  for (int i = 0; i < kPasses && norm(p) > kGone * length; ++i) {
    const Vec image = at_.hess_yy(p);
    if (!all_finite(image)) {
      finite_ = false;
      return p;
    }
    size_ = std::max(size_, norm(image) / norm(p));
    if (norm(image) <= flat * size_ * norm(p)) return p;
    // Later passes have only the rest to remove.
    p -= solve(image, std::clamp(0.1 * flat * size_ * norm(p) / norm(image), tolerance, 1e-2));
  }
  if (norm(p) <= kGone * length) p.setZero();
  return p;
}

Vec FollowerPoint::rough_kernel_part(const Vec& v) {
  constexpr double kTolerance = 1e-4;
  const Vec image = at_.hess_yy(v);
  if (!all_finite(image)) {
    finite_ = false;
    return v;
  }
  return v - solve(image, kTolerance);
}

std::optional<FollowerPoint> settle(const Objective& lower, const Vec& x, Vec y, double kernel_tolerance, double size,
                                    Index& steps) {
  constexpr int kMost = 40, kMisses = 3;
  constexpr double kForcing = 1e-3;  // loose enough to stay clear of eigenvalues of the size of |g_y|
  constexpr double kPlain = 1e3;
  std::optional<FollowerPoint> best;
  int misses = 0;
  for (int i = 0; i < kMost; ++i) {
    FollowerPoint point(lower, x, std::move(y), kernel_tolerance, size);
    if (!point.finite()) break;
    if (best && point.residual() > 0.5 * best->residual()) {
      const double plain = std::min(kPlain * best->noise(), best->accepted());
      if (best->residual() <= plain || ++misses == kMisses) break;
    }
    const bool critical = point.residual() <= point.noise();
    const Vec correction = critical ? Vec::Zero(point.y().size()).eval() : point.solve(point.slope(), kForcing);
    size = point.size();
    y = point.y() - correction;
    if (!point.finite() || !all_finite(y)) break;
    if (!best || point.residual() < best->residual()) best = std::move(point);
    if (correction.isZero(0)) break;
    ++steps;
  }
  if (!best || !(best->residual() <= best->accepted())) return std::nullopt;
  return best;
}

std::optional<FollowerPoint> send_down(const Objective& lower, const Vec& x, const Vec& y, double kernel_tolerance,
                                       double size, Index max_iterations, Index& steps) {
  constexpr double kNear = 1e-6, kNearer = 1e-11;
  LowerSolver::Summary descent;
  descent.y = y;
  for (const double tolerance : {kNear, kNearer}) {
    descent =
        Lbfgs().solve(lower, x, descent.y,
                      {.tolerance = lower.attainable(tolerance), .max_iterations = max_iterations, .interrupt = {}});
    steps += descent.iterations;
    if (descent.status == Status::nonfinite || !all_finite(descent.y)) return std::nullopt;
    auto settled = settle(lower, x, descent.y, kernel_tolerance, size, steps);
    // Newton's corrections must not leave for a saddle above where the descent had arrived.
    if (settled && settled->value() <= descent.value) return settled;
    if (settled && settled->same_level(descent.value)) return settled;
  }
  return std::nullopt;
}

}  // namespace bilevel
