#include "methods/adjoint_system.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace bilevel {

LinearSolver::Summary solve_normal_equations(const LinearOperator& hessian, const Vec& v, const Vec& start,
                                             double damping, const ConjugateGradient::Options& options) {
  const auto squared = LinearOperator::symmetric(
      hessian.rows(), [&](const Vec& u) -> Vec { return hessian.apply(hessian.apply(u)) + damping * u; },
      {.symmetric = true, .positive_semidefinite = true});
  auto solved = ConjugateGradient(options).solve(squared, -hessian.apply(v), &start);
  solved.products = 2 * solved.products + 1;
  return solved;
}

LinearSolver::Summary descend_normal_equations(const LinearOperator& hessian, const Vec& v, const Vec& start,
                                               double tolerance, Index max_iterations) {
  LinearSolver::Summary solved;
  solved.x = start;
  const auto product = [&](const Vec& u) {
    ++solved.products;
    return hessian.apply(u);
  };
  const double unit = norm(product(v));
  if (unit == 0) {  // v is in ker H: xi = 0 is the minimiser of least norm, and what a start in ker H adds is nothing
    solved.x.setZero();
    solved.status = Status::converged;
    solved.message = "the normal equations' right-hand side H v is zero";
    return solved;
  }
  Vec residual = product(start) + v;
  for (;;) {
    const Vec gradient = product(residual);
    solved.residual = norm(gradient);
    solved.relative_residual = solved.residual / unit;
    if (!std::isfinite(solved.relative_residual)) {
      solved.status = Status::nonfinite;
      break;
    }
    if (solved.residual <= tolerance * unit) {
      solved.status = Status::converged;
      break;
    }
    if (solved.iterations == max_iterations) {
      solved.status = Status::budget_reached;
      break;
    }
    const Vec image = product(gradient);
    const double step_size = dot(gradient, gradient) / dot(image, image);
    if (!std::isfinite(step_size)) {  // the gradient is in ker H, as only rounding can make it, or beyond all numbers
      solved.status = all_finite(image) ? Status::stagnated : Status::nonfinite;
      break;
    }
    solved.x -= step_size * gradient;
    residual -= step_size * image;
    ++solved.iterations;
  }
  solved.message = fmt::format("normal gradient {} after {} iterations with |H (H xi + v)| = {:.3g} ({:.3g} of |H v|)",
                               to_string(solved.status), solved.iterations, solved.residual, solved.relative_residual);
  return solved;
}

LinearSolver::Summary solve_reparametrised(const LinearOperator& hessian, const Vec& v, Vec& z,
                                           const LinearStop& options) {
  const auto squared =
      LinearOperator::symmetric(hessian.rows(), [&](const Vec& u) -> Vec { return hessian.apply(hessian.apply(u)); },
                                {.symmetric = true, .positive_semidefinite = true});
  if (z.size() == 0) z = Vec::Zero(v.size());
  auto solved = Minres(options).solve(squared, -v, &z);
  z = solved.x;
  solved.x = hessian.apply(z);
  solved.products = 2 * solved.products + 1;
  return solved;
}

}  // namespace bilevel
