// One leader step around a hypergradient: what methods do alike once they can answer at (x, y).
#pragma once

#include <utility>

#include <fmt/format.h>

#include "bilevel/hypergradient.hpp"
#include "bilevel/inner_steps.hpp"
#include "bilevel/leader_step.hpp"
#include "methods/step_size_choice.hpp"

namespace bilevel {

/// What the leader's rule made of a pair, for the report: a pair that was not taken is not judged, and a step that had
/// to grow for want of curvature says that a small hypergradient is no sign of a solution.
inline void report_move(const LeaderStepOptions& leader, const LeaderStepState& state, LeaderMove move,
                        StepReport& report) {
  report.accepted = move != LeaderMove::rejected;
  if (!leader.step_size && leader.rule == LeaderRule::gradient_descent && state.lengthened &&
      report.hypergradient_norm > 0) {
    report.solved = false;
  }
  if (move == LeaderMove::stuck) {
    report.status = Status::stagnated;
    report.message = fmt::format(
        "no step along the hypergradient, however short, lowers f = {:.10g}, though |hypergradient| = {:.3g}",
        state.recent.back(), norm(state.last_gradient));
  }
}

/// Moves the leader along `gradient`; `upper` and `y` belong to state.x. An accepted move keeps (state.x, y) as the
/// latest pair, a rejected one keeps the old y. State has x, y, answered_x, iteration, choices, leader.
template <class State>
void move_leader(const LeaderStepOptions& leader, const Vec& gradient, double upper, Vec y, State& state,
                 StepReport& report) {
  Vec x = state.x;
  const auto move = leader_step(leader, state.leader, gradient, upper, state.x);
  if (move == LeaderMove::accepted) {
    state.answered_x = std::move(x);
    state.y = std::move(y);
  }  // else y stays: a rejected leader's answer may lie on another branch
  if (!leader.step_size) note_outer_step_size(state.choices, state.leader.step_size);
  ++state.iteration;
  report_move(leader, state.leader, move, report);
  if (!all_finite(state.x)) {
    report.status = Status::nonfinite;
    report.message =
        fmt::format("the leader's step with outer-step-size {:.4g} made x non-finite", state.leader.step_size);
  }
}

/// `answer()` gives the follower's answer and the hypergradient at state.x; where that is not finite the leader
/// retreats and it is asked again. Then k is chosen for the next path, `on_answer()` is told, and the leader moves: an
/// accepted move keeps the answer, a rejected one keeps the old y. State has x, y, answered_x, iteration, choices,
/// leader, inner.
template <class State, class Answer, class OnAnswer>
StepReport take_leader_turn(const BilevelProblem& problem, const LeaderStepOptions& leader, const InnerSteps& inner,
                            State& state, const Answer& answer, const OnAnswer& on_answer) {
  constexpr int kRetreats = 8;  // each to a tenth of the move
  HypergradientResult result = answer();
  for (int i = 0; i < kRetreats && result.status == Status::nonfinite; ++i) {
    if (!leader_retreat(leader, state.leader, state.x)) break;
    state.inner.measured_x.resize(0);  // what was measured beyond the finite region is not to be trusted
    result = answer();
  }

  StepReport report;
  report.upper = result.upper;
  report.lower_residual = result.lower_residual;
  report.lower_steps = result.lower_steps;
  report.status = result.status;
  report.message = std::move(result.message);
  if (report.status != Status::converged) return report;
  report.hypergradient_norm = norm(result.gradient);
  if (problem.lower->provides().has(Oracle::value)) report.lower = problem.lower->value(state.x, result.y);
  inner.choose_steps(result, state.inner, state.choices);
  on_answer();

  move_leader(leader, result.gradient, result.upper, std::move(result.y), state, report);
  return report;
}

}  // namespace bilevel
