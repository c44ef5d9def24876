// The second derivative of f along the follower's manifold of minimisers.
#pragma once

#include "bilevel/manifold_selection.hpp"
#include "methods/hg_ms_explore.hpp"

namespace bilevel {

struct IntrinsicCurvature {
  double smallest = 0;  // eigenvalue of the intrinsic Hessian
  double scale = 0;     // what it is measured against: the curvature of f at y and one unit 1 + |y| away along ker H
  Vec newton_step;      // R^m: where the Hessian and `tangent` put the stationary point along ker H, from y
};

/// The intrinsic Hessian K'(f_yy - D3g[., ., w]) K of sign f at y, w = H+ f_y, K the basis and
/// `tangent` P_ker f_y: k products of f, and 2 k
/// linearisations and products of g for the third derivative by central differences, good to about 1e-8 of its size.
/// The basis must have a column. Empty where a number is not finite.
std::optional<IntrinsicCurvature> intrinsic_curvature(const BilevelProblem& problem, const Vec& x, const Vec& y,
                                                      const Vec& w, const Vec& tangent, const KernelBasis& basis,
                                                      double sign);

}  // namespace bilevel
