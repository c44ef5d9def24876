// The second derivative of f along the follower's manifold of minimisers.
#pragma once

#include "bilevel/manifold_selection.hpp"
#include "lower/manifold_explore.hpp"

namespace bilevel {

struct IntrinsicCurvature {
  double smallest = 0;  // eigenvalue of the intrinsic Hessian
  double scale = 0;     // what it is measured against: the curvature of f at y and one unit 1 + |y| away along ker H
  bool degenerate = false;  // nearly zero, or vanishing on the way to the stationary point
  /// Whether f falls along S(x) to second order.
  bool falls() const { return smallest < 0 && !degenerate; }
};

/// The intrinsic Hessian K'(f_yy - D3g[., ., w]) K of sign f at y, w = H+ f_y, K the basis and
/// `tangent` P_ker f_y: k products of f, and 2 k linearisations and products of g for the third derivative by central
/// differences, good to about 1e-8 of its size in double; twice that where it is not degenerate at y itself, for at a
/// degenerate minimiser the curvature vanishes with the distance to it. The basis must have a column. Empty where a
/// number is not finite.
std::optional<IntrinsicCurvature> intrinsic_curvature(const BilevelProblem& problem, const Vec& x, const Vec& y,
                                                      const Vec& w, const Vec& tangent, const KernelBasis& basis,
                                                      double sign);

}  // namespace bilevel
