// A point on the follower's manifold of minimisers, and H+ and P_ker there by products with H.
#pragma once

#include <algorithm>
#include <optional>

#include "bilevel/objective.hpp"

namespace bilevel {

/// What counts as nothing, relatively: `in_double`, or what answers with this relative rounding error leave of it.
inline double negligible(double in_double, double rounding) { return std::max(in_double, 10 * rounding); }

/// g linearised at (x, y). Away from S(x) the kernel of H is not exactly one: its eigenvalues have the size of the
/// distance, and an exact inverse would blow up along them. So all solves leave out what curves less than
/// kernel_tolerance |H| or no more than rounding shows, and `settle` makes y critical to rounding first.
class FollowerPoint {
 public:
  /// `size` is a lower bound of |H| known from elsewhere. `lower` must outlive the point.
  FollowerPoint(const Objective& lower, const Vec& x, Vec y, double kernel_tolerance, double size);

  const Vec& y() const { return y_; }
  const Vec& slope() const { return *at_.evaluation().grad_y; }  // g_y
  double value() const { return *at_.evaluation().value; }
  double residual() const { return norm(slope()); }
  double size() const { return size_; }
  /// False if g, g_y or a product was not finite.
  bool finite() const { return finite_; }
  /// Of g's answers, relative.
  double rounding() const { return rounding_; }
  /// |g_y| that rounding may leave.
  double noise() const;
  /// |g_y| up to which y counts as critical where rounding forbids less.
  double accepted() const;
  /// Whether `other` lies as low, up to rounding and the error of a descent.
  bool same_level(double other) const;

  Vec product(const Vec& v) const { return at_.hess_yy(v); }
  Vec cross_product(const Vec& v) const { return at_.hess_xy(v); }

  /// H+ b to |H w - b| <= tolerance |b| for b in the range of H, by conjugate gradients from 0. One product an
  /// iteration; ends early where it meets a direction that counts as kernel.
  Vec solve(const Vec& b, double tolerance);

  /// P_ker v = v - H+ H v, improved until |H p| is rounding.
  Vec kernel_part(const Vec& v);
  /// The same to a thousandth of |v| or so, at a fraction of the cost: for directions to move in.
  Vec rough_kernel_part(const Vec& v);

 private:
  Vec y_;
  Linearization at_;
  double rounding_;
  double kernel_tolerance_;
  double size_;
  bool finite_ = true;
};

/// Newton's corrections y <- y - H+ g_y along the range of H, until |g_y| is rounding: one linearisation and one solve
/// each. Empty if that does not happen: y was too far from a minimiser. Adds the corrections to `steps`.
std::optional<FollowerPoint> settle(const Objective& lower, const Vec& x, Vec y, double kernel_tolerance, double size,
                                    Index& steps);

/// Descent of g from y by L-BFGS, then settle.
std::optional<FollowerPoint> send_down(const Objective& lower, const Vec& x, const Vec& y, double kernel_tolerance,
                                       double size, Index max_iterations, Index& steps);

}  // namespace bilevel
