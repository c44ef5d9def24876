#include "diagnostics/branch_singular.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include "diagnostics/critical_points_root.hpp"
#include "diagnostics/dense_hessian.hpp"

namespace bilevel {

namespace {

/// Eigenvalues up to this times |H| are left alone by the corrector near a singular point.
constexpr double kFrozen = 1e-5;

Eigen::MatrixXd hessian_at(const BranchTask& task, double t, const Vec& y) {
  return dense_hessian(task.lower.linearize(task.line.at(t), y), task.lower.dim_y());
}

/// The point of the smooth curve through a and b over t, where H may be singular.
PathPoint between(const BranchTask& task, const PathPoint& a, const PathPoint& b, double t) {
  const Vec guess = interpolated(a, b, t);
  const Correction correction = correct(task, t, guess, kFrozen);
  return path_point(task, t, correction.converged ? correction.y : guess);
}

Index kernel_dimension(const BranchTask& task, const PathPoint& point) {
  const double zero = task.options.search.degenerate_tolerance * std::max(1.0, point.largest());
  return (point.eigenvalues.array().abs() <= zero).count();
}

SingularPoint singular_at(const PathPoint& point, double accuracy) {
  return {.t = point.t,
          .y = point.y,
          .kernel = point.vectors.col(point.nearest),
          .eigenvalue = point.smallest(),
          .accuracy = accuracy};
}

}  // namespace

std::optional<SingularPoint> singular_end(const BranchTask& task, const PathPoint& from, double drive_size) {
  constexpr int kMaxSteps = 80;
  constexpr double kDifference = 1e-5;  // third derivatives by central differences: they steer, and are no result
  constexpr double kExact = 1e-13, kLinear = 0.3, kSmall = 1e-6, kSmallStep = 1e-3;
  constexpr double kSameKernel = 0.5, kVanishes = 1e-2;
  constexpr int kPatience = 8;
  const Index m = task.lower.dim_y();
  const Vec start = from.vectors.col(from.nearest);
  Vec y = from.y, v = start;
  double t = from.t, before = 0, ratio = 1;
  struct {
    double length = std::numeric_limits<double>::infinity(), t = 0, moved_t = 0;
    int step = 0;
    Vec y;
  } best;
  bool converged = false;
  for (int step = 0; step < kMaxSteps && !converged; ++step) {
    const auto at = task.lower.linearize(task.line.at(t), y, full, Oracle::grad_y);
    const Eigen::MatrixXd hessian = dense_hessian(at, m);
    const double dy = kDifference * task.size, dt = kDifference;
    const Eigen::MatrixXd third = (hessian_at(task, t, y + dy * v) - hessian_at(task, t, y - dy * v)) / (2 * dy);
    const Vec mixed = (hessian_at(task, t + dt, y) - hessian_at(task, t - dt, y)) * v / (2 * dt);

    Eigen::MatrixXd system = Eigen::MatrixXd::Zero(2 * m + 1, 2 * m + 1);
    system.topLeftCorner(m, m) = hessian;
    system.col(m).head(m) = at.hess_yx(task.direction);
    system.block(m, 0, m, m) = third;
    system.col(m).segment(m, m) = mixed;
    system.block(m, m + 1, m, m) = hessian;
    system.row(2 * m).tail(m) = v.transpose();
    Vec residual(2 * m + 1);
    residual << *at.evaluation().grad_y, hessian * v, 0.5 * (v.squaredNorm() - 1);
    if (!system.allFinite() || !residual.allFinite()) return std::nullopt;
    const Vec move = -system.colPivHouseholderQr().solve(residual);
    const double length = norm(move.head(m)) / task.size + std::abs(move[m]);
    if (!std::isfinite(length) || length > 1) return std::nullopt;
    y += move.head(m);
    t += move[m];
    v += move.tail(m);
    if (step > 0) ratio = length / before;
    before = length;
    converged = length <= kExact;
    // At a singular point of higher order the steps shrink linearly, not each of them, until rounding stops them.
    if (length < best.length) best = {length, t, std::abs(move[m]), step, y};
    if (step - best.step > kPatience) break;
  }
  if (!(best.moved_t < kSmall && best.length < kSmallStep)) return std::nullopt;

  const PathPoint end = path_point(task, best.t, best.y);
  if (!end.eigenvalues.allFinite() || std::abs(end.vectors.col(end.nearest).dot(start)) < kSameKernel) {
    return std::nullopt;
  }
  // Where H jumps, the steps may stop anywhere.
  if (std::abs(end.smallest()) > kVanishes * std::abs(from.smallest())) return std::nullopt;
  SingularPoint singular = singular_at(end, std::max(best.moved_t, std::numeric_limits<double>::epsilon()));
  constexpr double kZeroDrive = 1e-3;
  const bool driven = std::abs(singular.kernel.dot(end.drive)) > kZeroDrive * drive_size;
  const bool quadratic = converged && ratio < kLinear;
  if (kernel_dimension(task, end) <= 1) {
    if (driven && quadratic) singular.kind = BranchEventKind::fold;
    if (!driven) singular.kind = BranchEventKind::pitchfork;
  }
  return singular;
}

SingularPoint crossing(const BranchTask& task, const PathPoint& a, const PathPoint& b) {
  const Index position = std::min(a.index, b.index);
  const auto eigenvalue = [&](double t) { return between(task, a, b, t).eigenvalues[position]; };
  const bool forward = a.t < b.t;
  const PathPoint& left = forward ? a : b;
  const PathPoint& right = forward ? b : a;
  const auto root = bracketed_root(eigenvalue, left.t, right.t, left.eigenvalues[position], right.eigenvalues[position],
                                   1e-3 * task.options.event_accuracy);
  const PathPoint point = between(task, a, b, root.at);
  SingularPoint singular = singular_at(point, std::max(root.width, std::numeric_limits<double>::epsilon()));
  if (kernel_dimension(task, point) == 1) singular.kind = BranchEventKind::pitchfork;
  return singular;
}

std::optional<SingularPoint> touching(const BranchTask& task, const PathPoint& a, const PathPoint& b,
                                      const PathPoint& c) {
  const auto at = [&](double t) { return (t - a.t) * (t - b.t) < 0 ? between(task, a, b, t) : between(task, b, c, t); };
  double low = a.t, high = c.t;
  constexpr double kGolden = 1 / std::numbers::phi;
  double p = high - kGolden * (high - low), q = low + kGolden * (high - low);
  PathPoint at_p = at(p), at_q = at(q);
  const double width = task.options.event_accuracy;
  while (std::abs(high - low) > width) {
    if (!at_p.eigenvalues.allFinite() || !at_q.eigenvalues.allFinite()) return std::nullopt;
    if (std::abs(at_p.smallest()) < std::abs(at_q.smallest())) {
      high = q;
      q = p;
      at_q = at_p;
      p = high - kGolden * (high - low);
      at_p = at(p);
    } else {
      low = p;
      p = q;
      at_p = at_q;
      q = low + kGolden * (high - low);
      at_q = at(q);
    }
  }
  const PathPoint& least = std::abs(at_p.smallest()) < std::abs(at_q.smallest()) ? at_p : at_q;
  if (!least.eigenvalues.allFinite() || kernel_dimension(task, least) == 0) return std::nullopt;
  // H may be small all along; it touches zero where it is much smaller than on both sides.
  constexpr double kDips = 1e-3;
  const double beside = std::min(std::abs(a.smallest()), std::abs(c.smallest()));
  if (std::abs(least.smallest()) > kDips * beside) return std::nullopt;
  return singular_at(least, std::abs(high - low));
}

}  // namespace bilevel
