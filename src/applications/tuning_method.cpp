#include "applications/tuning_method.hpp"

#include <utility>

#include <fmt/format.h>

#include "bilevel/hypergradient.hpp"

namespace bilevel {

namespace {

/// Entries that would push x further out of the box are no gain, and so no gradient.
Vec projected(const Vec& gradient, const Vec& x, double lowest, double highest) {
  Vec inside = gradient;
  for (Index i = 0; i < x.size(); ++i) {
    const bool outward = (x[i] >= highest && gradient[i] < 0) || (x[i] <= lowest && gradient[i] > 0);
    if (outward) inside[i] = 0;
  }
  return inside;
}

}  // namespace

Hoag::Hoag(HoagOptions options) : options_(std::move(options)) {}

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
  const LowerSolver::Options lower{.tolerance = options_.lower_tolerance,
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

  const Vec gradient = projected(result.gradient, state.x, options_.lowest, options_.highest);
  report.hypergradient_norm = norm(gradient);
  Vec x = state.x;
  if (leader_step(options_.leader, state.leader, gradient, result.upper, state.x) == LeaderMove::accepted) {
    state.answered_x = std::move(x);
    state.y = std::move(solved.y);
    state.adjoint = std::move(result.adjoint);
  }
  state.x = state.x.cwiseMax(options_.lowest).cwiseMin(options_.highest);
  note_choice(state.choices, {"outer-step-size", "auto", fmt::format("{:.3g}", state.leader.step_size),
                              options_.leader.rule == LeaderRule::adam ? "Adam, shortened when the loss rises"
                                                                       : "from the change of the hypergradient"});
  ++state.iteration;
  if (!all_finite(state.x)) {
    report.status = Status::nonfinite;
    report.message = "the leader's step made x non-finite";
  }
  return report;
}

}  // namespace bilevel
