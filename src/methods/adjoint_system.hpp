// The adjoint system of BGS-Opt: xi ~ -H^+ v for a Hessian H that may be singular or indefinite.
#pragma once

#include "bilevel/linear.hpp"

namespace bilevel {

/// argmin |H xi + v|^2 + damping |xi|^2 by conjugate gradients on (H^2 + damping I) xi = -H v, consistent for every
/// symmetric H. Residuals are those of that system, relative to |H v|; `start` in R^m, damping >= 0 in the unit of H^2.
LinearSolver::Summary solve_normal_equations(const LinearOperator& hessian, const Vec& v, const Vec& start,
                                             double damping, const ConjugateGradient::Options& options);

/// xi <- xi - b H (H xi + v) from `start` in R^m, with the b that makes |H xi + v| smallest along the direction; stops
/// at |H (H xi + v)| <= tolerance |H v|, residuals as above. Steepest descent of |H xi + v|^2, whose only fixed points
/// are its minimisers. [AM22, eq. (5)]
LinearSolver::Summary descend_normal_equations(const LinearOperator& hessian, const Vec& v, const Vec& start,
                                               double tolerance, Index max_iterations);

/// xi = H z with z in argmin |H^2 z + v|^2 by minimum residuals from the last `z` (R^m; empty: zero), which is
/// replaced: whatever part z has in the kernel, xi has none. The summary's x is xi, its residual that of z. [AM22, eqs.
/// (6), (7)]
LinearSolver::Summary solve_reparametrised(const LinearOperator& hessian, const Vec& v, Vec& z,
                                           const LinearStop& options);

}  // namespace bilevel
