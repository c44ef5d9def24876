#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "bilevel/hypergradient.hpp"
#include "bilevel/linear.hpp"

namespace bilevel {

HypergradientResult implicit(const BilevelProblem& problem, const Vec& x, const Vec& y, const ImplicitOptions& options,
                             const Vec& warm_start) {
  constexpr Index kIterationCap = 1000;
  HypergradientResult result;
  result.y = y;

  const auto lower = problem.lower->linearize(x, y, full, Oracle::grad_y);
  result.lower_residual = result.first_lower_residual = norm(*lower.evaluation().grad_y);
  auto upper = problem.upper->evaluate(Oracle::value | Oracle::grad_x | Oracle::grad_y, x, y);
  result.upper = *upper.value;
  result.upper_x_norm = norm(*upper.grad_x);
  result.upper_y_norm = norm(*upper.grad_y);
  if (!std::isfinite(result.upper) || !all_finite(*upper.grad_x) || !all_finite(*upper.grad_y)) {
    result.status = Status::nonfinite;
    result.message = fmt::format("the upper objective is not finite at the follower's answer (f = {})", result.upper);
    return result;
  }

  const auto hessian = LinearOperator::symmetric(problem.dim_y(), [&](const Vec& v) { return lower.hess_yy(v); },
                                                 {.symmetric = true, .positive_definite = true});
  ConjugateGradient::Options cg;
  cg.tolerance = problem.lower->attainable(options.tolerance);
  cg.max_iterations =
      options.max_iterations > 0 ? options.max_iterations : std::min<Index>(10 * problem.dim_y(), kIterationCap);
  auto solved = ConjugateGradient(cg).solve(hessian, *upper.grad_y, warm_start.size() > 0 ? &warm_start : nullptr);

  result.adjoint = std::move(solved.x);
  result.gradient = *upper.grad_x - lower.hess_xy(result.adjoint);
  const bool rounding =
      solved.status == Status::breakdown && solved.relative_residual <= consistent_residual(*problem.lower);
  if ((solved.status == Status::breakdown && !rounding) || solved.status == Status::nonfinite) {
    result.status = solved.status;
    result.message = fmt::format("the adjoint system H w = f_y: {}", solved.message);
  } else if (!all_finite(result.gradient)) {
    result.status = Status::nonfinite;
    result.message = "the product B w of the implicit hypergradient is not finite";
  } else {
    result.message = std::move(solved.message);
  }
  return result;
}

}  // namespace bilevel
