#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "bilevel/hypergradient.hpp"
#include "hypergradient/trajectory.hpp"

namespace bilevel {

namespace {

/// f and its gradients at (x, y); a non-finite one is recorded as the origin of the failure.
Evaluation evaluate_upper(const BilevelProblem& problem, const Vec& x, HypergradientResult& result) {
  auto evaluation = problem.upper->evaluate(Oracle::value | Oracle::grad_x | Oracle::grad_y, x, result.y);
  result.upper = *evaluation.value;
  if (!std::isfinite(result.upper) || !all_finite(*evaluation.grad_x) || !all_finite(*evaluation.grad_y)) {
    result.status = Status::nonfinite;
    result.message = fmt::format("the upper objective is not finite at the follower's answer (f = {})", result.upper);
  }
  return evaluation;
}

void name_nonfinite_step(HypergradientResult& result, const StepMap& map, Index step) {
  result.status = Status::nonfinite;
  result.message = fmt::format("the follower's iterate became non-finite at inner step {} of {}", step, map.describe());
}

}  // namespace

HypergradientResult unrolled(const BilevelProblem& problem, const StepMap& map, const Vec& x, const Vec& z,
                             const UnrolledOptions& options) {
  if (options.steps < 1 || options.differentiated_steps < 0 || options.differentiated_steps > options.steps ||
      options.checkpoints < 1) {
    throw InvalidOption(
        fmt::format("unrolling needs inner-steps >= 1, checkpoints >= 1 and at most inner-steps differentiated ones, "
                    "but got inner-steps {}, checkpoints {}, differentiated {}",
                    options.steps, options.checkpoints, options.differentiated_steps));
  }
  const Index differentiated = options.differentiated_steps == 0 ? options.steps : options.differentiated_steps;

  HypergradientResult result;
  Vec start = z;
  for (Index j = 0; j < options.steps - differentiated; ++j) {
    Vec next;
    if (j == 0) {
      const auto first = map.record(x, start);
      result.first_lower_residual = first->residual();
      next = first->image();
    } else {
      next = map.apply(x, start);
    }
    if (!all_finite(next)) {
      name_nonfinite_step(result, map, j + 1);
      return result;
    }
    start = std::move(next);
  }
  const auto trajectory = make_trajectory(map, x, start, differentiated, options);
  result.lower_steps = options.steps;
  result.y = trajectory->last();
  result.lower_residual = trajectory->residual();
  if (differentiated == options.steps) result.first_lower_residual = trajectory->first_residual();
  if (trajectory->first_nonfinite_step() > 0) {
    name_nonfinite_step(result, map, options.steps - differentiated + trajectory->first_nonfinite_step());
    return result;
  }

  auto upper = evaluate_upper(problem, x, result);
  if (result.status != Status::converged) return result;
  result.upper_x_norm = norm(*upper.grad_x);
  result.upper_y_norm = norm(*upper.grad_y);
  result.gradient = std::move(*upper.grad_x);
  result.adjoint = std::move(*upper.grad_y);
  Index remaining = differentiated;
  const auto traversal = trajectory->sweep_back([&](const StepMap::Point& point) {
    if (result.status == Status::nonfinite) return;
    auto pulled = point.pull_back(result.adjoint);
    result.gradient += pulled.to_x;
    result.adjoint = std::move(pulled.to_y);
    --remaining;
    if (!all_finite(result.adjoint) || !all_finite(result.gradient)) {
      result.status = Status::nonfinite;
      result.message = fmt::format("the adjoint became non-finite going back through inner step {} of {}",
                                   options.steps - differentiated + remaining + 1, map.describe());
    }
  });
  result.lower_steps += traversal.extra_steps;
  if (result.status == Status::converged && traversal.status != Status::converged) {
    result.status = traversal.status;
    result.message = traversal.message;
  }
  return result;
}

HypergradientResult unrolled_forward(const BilevelProblem& problem, const StepMap& map, const Vec& x, const Vec& z,
                                     Index steps) {
  if (steps < 1) throw InvalidOption(fmt::format("inner-steps {} is not allowed: it must be >= 1", steps));
  const Index n = problem.dim_x();
  HypergradientResult result;
  result.y = z;
  Eigen::MatrixXd jacobian = Eigen::MatrixXd::Zero(problem.dim_y(), n);
  for (Index j = 0; j < steps; ++j) {
    const auto point = map.record(x, result.y);
    for (Index i = 0; i < n; ++i) jacobian.col(i) = point->push_forward(Vec::Unit(n, i), jacobian.col(i));
    result.y = point->image();
    result.lower_residual = point->residual();
    if (j == 0) result.first_lower_residual = point->residual();
    if (!all_finite(result.y)) {
      name_nonfinite_step(result, map, j + 1);
      return result;
    }
  }
  result.lower_steps = steps;
  const auto upper = evaluate_upper(problem, x, result);
  if (result.status != Status::converged) return result;
  result.gradient = *upper.grad_x + jacobian.transpose() * *upper.grad_y;
  if (!all_finite(result.gradient)) {
    result.status = Status::nonfinite;
    result.message = fmt::format("the derivative of the follower's path became non-finite in {} inner steps of {}",
                                 steps, map.describe());
  }
  return result;
}

}  // namespace bilevel
