// The adjoint system of BGS-Opt: xi ~ -H^+ v for a Hessian H that may be singular or indefinite.
#pragma once

#include "bilevel/linear.hpp"

namespace bilevel {

/// The normal equations H^2 xi = -H v by conjugate gradients: consistent for every symmetric H. Residuals are those of
/// the normal equations, relative to |H v|; `start` in R^m.
LinearSolver::Summary solve_normal_equations(const LinearOperator& hessian, const Vec& v, const Vec& start,
                                             const ConjugateGradient::Options& options);

/// xi <- xi - b H (H xi + v) from `start` in R^m, with the b that makes |H xi + v| smallest along the direction; stops
/// at |H (H xi + v)| <= tolerance |H v|, residuals as above. Steepest descent of |H xi + v|^2, whose only fixed points
/// are its minimisers. [AM22, eq. (5)]
LinearSolver::Summary descend_normal_equations(const LinearOperator& hessian, const Vec& v, const Vec& start,
                                               double tolerance, Index max_iterations);

}  // namespace bilevel
