// Newton's method for critical points, damped, and deflated by those already known.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "bilevel/box.hpp"
#include "bilevel/objective.hpp"

namespace bilevel {

/// For a fixed leader. Refers to its arguments.
class DeflatedNewton {
 public:
  DeflatedNewton(const Objective& lower, const Vec& x, const Box& box)
      : lower_(lower), x_(x), box_(box), diameter_(box.diameter()) {}

  /// |g_y| up to this counts as zero.
  void set_zero(double zero) { zero_ = zero; }

  Vec gradient(const Vec& y) {
    ++gradients_;
    return lower_.grad_y(x_, y);
  }

  /// The critical point that Newton's method reaches from `start`, damped so that |g_y| falls; or |g_y| times the
  /// deflation M = prod_i (1 / |y - y_i|^2 + 1) of the known points y_i, which it then does not reach. Empty if it
  /// strays from the box by more than its width, meets what is no number, or does not converge.
  std::optional<Vec> run(const Vec& start, const std::vector<Vec>& known);

  /// Evaluations of g_y so far.
  Index gradients() const { return gradients_; }

 private:
  std::pair<Vec, double> deflation(const Vec& y, const std::vector<Vec>& known) const;
  std::optional<Vec> settled(const Vec& y, double size, double step) const;

  const Objective& lower_;
  const Vec& x_;
  const Box& box_;
  double diameter_, zero_ = 0;
  Index gradients_ = 0;
};

}  // namespace bilevel
