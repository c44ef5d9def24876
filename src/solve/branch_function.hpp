// phi_i(x) = f(x, y_i(x)) on the branch of minimisers through a known pair, tracked by continuation.
#pragma once

#include <optional>

#include "bilevel/problem.hpp"

namespace bilevel {

/// A pair on the branch and what the leader sees of it.
struct BranchPair {
  Vec x;         // R^n
  Vec y;         // R^m, g_y(x, y) = 0 to rounding, H positive definite
  double upper;  // f(x, y)
  Vec gradient;  // grad phi_i(x) = f_x - B H^-1 f_y, R^n
  double terms;  // |f_x| + |B H^-1 f_y|: what rounding in the gradient is relative to
};

/// Forms H (m x m): for small problems. `problem` must outlive it.
class BranchFunction {
 public:
  explicit BranchFunction(const BilevelProblem& problem) : problem_(problem) {}

  /// The minimiser next to y at x. Empty if Newton's method does not end at one with H positive definite.
  std::optional<BranchPair> at(const Vec& x, const Vec& y) const;

  /// y_i followed along the straight line from `start` to x. Empty where the branch ends before x (a fold), or where
  /// values are not finite.
  std::optional<BranchPair> move(const BranchPair& start, const Vec& x) const;

 private:
  /// Newton from y; accepts only while H stays positive definite and y within `reach` of where it began.
  std::optional<Vec> correct(const Vec& x, const Vec& y, double reach) const;
  /// dy/dt along x + t dx; empty where H is not positive definite.
  std::optional<Vec> slope(const Vec& x, const Vec& y, const Vec& dx) const;
  std::optional<BranchPair> evaluate(const Vec& x, const Vec& y) const;

  const BilevelProblem& problem_;
};

}  // namespace bilevel
