#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bilevel/hypergradient.hpp"

namespace bilevel {

std::string_view to_string(HypergradientKind kind) {
  switch (kind) {
    case HypergradientKind::unrolled: return "unrolled";
    case HypergradientKind::truncated: return "truncated";
    case HypergradientKind::forward: return "forward";
    case HypergradientKind::implicit: return "implicit";
  }
  return "unknown";
}

namespace {

/// The follower's steps, then the implicit derivative at their end.
HypergradientResult implicit_after_steps(const BilevelProblem& problem, const GradientDescentMap& map, const Vec& x,
                                         const Vec& z, Index steps, const ImplicitOptions& options, Vec& adjoint) {
  Vec y = z;
  double first_residual = 0;
  for (Index j = 0; j < steps; ++j) {
    Vec next = map.apply(x, y);
    if (j == 0) first_residual = norm(next - y) / map.step_size();
    y = std::move(next);
    if (!all_finite(y)) {
      HypergradientResult failed;
      failed.status = Status::nonfinite;
      failed.message =
          fmt::format("the follower's iterate became non-finite at inner step {} of {}", j + 1, map.describe());
      return failed;
    }
  }
  auto result = implicit(problem, x, y, options, adjoint);
  result.first_lower_residual = first_residual;
  result.lower_steps = steps;
  adjoint = result.adjoint;
  return result;
}

}  // namespace

HypergradientResult differentiate(const BilevelProblem& problem, const GradientDescentMap& map, const Vec& x,
                                  const Vec& z, Index steps, const HypergradientOptions& options, Vec& adjoint) {
  UnrolledOptions unrolling{.steps = steps, .memory = options.memory, .checkpoints = options.checkpoints};
  switch (options.kind) {
    case HypergradientKind::unrolled: return unrolled(problem, map, x, z, unrolling);
    case HypergradientKind::truncated:
      unrolling.differentiated_steps = std::min(options.truncated_steps, steps);
      return unrolled(problem, map, x, z, unrolling);
    case HypergradientKind::forward: return unrolled_forward(problem, map, x, z, steps);
    case HypergradientKind::implicit: break;
  }
  return implicit_after_steps(problem, map, x, z, steps, options.implicit, adjoint);
}

}  // namespace bilevel
