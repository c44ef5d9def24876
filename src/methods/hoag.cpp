#include "bilevel/hoag.hpp"

#include <utility>

#include <fmt/format.h>

#include "methods/leader_turn.hpp"

namespace bilevel {

namespace {

/// Entries that would push x further out of the box are no gain, and so no gradient.
Vec projected(const Vec& gradient, const Vec& x, const HoagOptions& options) {
  Vec inside = gradient;
  for (Index i = 0; i < x.size(); ++i) {
    const bool above = options.highest && x[i] >= *options.highest, below = options.lowest && x[i] <= *options.lowest;
    if ((above && gradient[i] < 0) || (below && gradient[i] > 0)) inside[i] = 0;
  }
  return inside;
}

}  // namespace

void describe(OptionTable& table, HoagOptions& options) {
  table.group("Follower")
      .add("lower-tolerance", options.lower_tolerance,
           "the follower is solved until its gradient is below this (times that at the start, if above 1)",
           between(1e-14, 0.1))
      .add("lower-iterations", options.lower_iterations, "most L-BFGS iterations of one solve", between(1, 1e6));
  table.group("Hypergradient")
      .add("adjoint-tolerance", options.adjoint_tolerance, "conjugate gradients stop at |H w - f_y| <= this |f_y|",
           between(1e-14, 0.5));
  table.group("Leader")
      .add("lowest", options.lowest, "every leader variable stays at or above this; auto: no bound")
      .add("highest", options.highest, "every leader variable stays at or below this; auto: no bound");
  describe(table, options.leader);
}

Hoag::Hoag(HoagOptions options) : options_(std::move(options)) {
  check_options(options_);
  if (options_.lowest && options_.highest && *options_.lowest > *options_.highest) {
    throw InvalidOption(
        fmt::format("option 'lowest' is {}, above option 'highest', {}", *options_.lowest, *options_.highest));
  }
}

OuterMethod::Needs Hoag::needs() const {
  return {Oracle::value | Oracle::grad_x | Oracle::grad_y,
          Oracle::value | Oracle::grad_y | Oracle::hess_yy | Oracle::hess_xy};
}

std::unique_ptr<OuterMethod::State> Hoag::do_init(const BilevelProblem& problem) const {
  auto state = std::make_unique<State>();
  state->x = problem.x0;
  state->y = problem.y0;
  return state;
}

StepReport Hoag::step(const BilevelProblem& problem, OuterMethod::State& base) const {
  auto& state = dynamic_cast<State&>(base);
  const ImplicitOptions adjoint{.tolerance = options_.adjoint_tolerance, .max_iterations = 0};
  const LowerSolver::Options lower{.tolerance = problem.lower->attainable(options_.lower_tolerance),
                                   .max_iterations = options_.lower_iterations,
                                   .interrupt = options_.interrupt};
  auto solved = Lbfgs().solve(*problem.lower, state.x, state.y, lower);
  StepReport report;
  report.lower_steps = solved.iterations;
  report.lower = solved.value;
  // Rounding that forbids progress (stagnated) is as good as the tolerance; an exhausted budget shows in the residual.
  if (solved.status == Status::nonfinite || solved.status == Status::diverged) {
    report.status = solved.status;
    report.message = fmt::format("the follower: {}", solved.message);
    return report;
  }

  auto result = implicit(problem, state.x, solved.y, adjoint, state.adjoint);
  if (result.status == Status::breakdown && state.adjoint.size() > 0) {
    // A warm start carries rounding in the kernel of H along; from zero there is none.
    result = implicit(problem, state.x, solved.y, adjoint);
  }
  report.upper = result.upper;
  report.lower_residual = result.lower_residual;
  report.status = result.status;
  report.message = std::move(result.message);
  if (report.status != Status::converged) return report;

  const Vec gradient = projected(result.gradient, state.x, options_);
  report.hypergradient_norm = norm(gradient);
  state.adjoint = std::move(result.adjoint);
  move_leader(options_.leader, gradient, result.upper, std::move(solved.y), state, report);
  if (options_.lowest) state.x = state.x.cwiseMax(*options_.lowest);
  if (options_.highest) state.x = state.x.cwiseMin(*options_.highest);
  return report;
}

}  // namespace bilevel
