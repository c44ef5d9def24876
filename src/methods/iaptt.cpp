#include "bilevel/iaptt.hpp"

#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "methods/leader_turn.hpp"
#include "methods/step_size_choice.hpp"

namespace bilevel {

namespace {

Vec stacked(const Vec& x, const Vec& z) {
  Vec both(x.size() + z.size());
  both << x, z;
  return both;
}

void unstack(const Vec& point, Iaptt::State& state) {
  state.x = point.head(state.x.size());
  state.z = point.tail(state.z.size());
}

}  // namespace

Iaptt::Iaptt(IapttOptions options)
    : options_(std::move(options)), inner_({.steps = options_.inner_steps, .step_size = options_.inner_step_size}) {
  check_options(options_);
}

OuterMethod::Needs Iaptt::needs() const {
  return {Oracle::value | Oracle::grad_x | Oracle::grad_y, Oracle::grad_y | Oracle::hess_yy | Oracle::hess_xy};
}

std::unique_ptr<OuterMethod::State> Iaptt::do_init(const BilevelProblem& problem) const {
  auto state = std::make_unique<State>();
  state->x = problem.x0;
  state->y = problem.y0;
  state->z = problem.y0;
  return state;
}

HypergradientResult Iaptt::answer(const BilevelProblem& problem, State& s, double& worst) const {
  const Objective &g = *problem.lower, &f = *problem.upper;
  s.inner.leader_step = s.iteration + 1;
  inner_.prepare(g, s.x, s.z, {}, s.inner, s.choices);
  const GradientDescentMap A(g, s.inner.step_size);

  Vec y = s.z;
  double upper = 0;
  worst = -std::numeric_limits<double>::infinity();
  s.truncation = 0;
  for (Index t = 1; t <= options_.inner_steps; ++t) {
    y = A.apply(s.x, y);
    upper = f.value(s.x, y);
    if (upper > worst) {
      worst = upper;
      s.truncation = t;
    }
  }
  if (s.truncation == 0 || !std::isfinite(upper)) {
    HypergradientResult failed;
    failed.status = Status::nonfinite;
    failed.message = fmt::format("the path of {} follower steps of size {:.4g} left the numbers", options_.inner_steps,
                                 s.inner.step_size);
    return failed;
  }
  auto result = unrolled(problem, A, s.x, s.z, {.steps = s.truncation});
  result.y = std::move(y);
  result.upper = upper;
  result.lower_steps = options_.inner_steps;
  if (result.status == Status::converged) result.lower_residual = norm(g.grad_y(s.x, result.y));
  return result;
}

StepReport Iaptt::step(const BilevelProblem& problem, OuterMethod::State& base) const {
  constexpr int kRetreats = 8;  // of (x, z), each to a tenth of its move
  auto& s = dynamic_cast<State&>(base);
  Vec point = stacked(s.x, s.z);
  double worst = 0;
  auto result = answer(problem, s, worst);
  for (int i = 0; i < kRetreats && result.status == Status::nonfinite; ++i) {
    if (!leader_retreat(options_.leader, s.leader, point)) break;
    unstack(point, s);
    s.inner.measured_x.resize(0);
    result = answer(problem, s, worst);
  }

  StepReport report;
  report.upper = result.upper;
  report.lower_residual = result.lower_residual;
  report.lower_steps = result.lower_steps;
  report.status = result.status;
  report.message = std::move(result.message);
  if (report.status != Status::converged) return report;
  const Vec gradient = stacked(result.gradient, result.adjoint);
  report.hypergradient_norm = norm(gradient);
  if (problem.lower->provides().has(Oracle::value)) report.lower = problem.lower->value(s.x, result.y);

  const bool moves = report.hypergradient_norm > 0;
  const auto move = moves ? leader_step(options_.leader, s.leader, gradient, worst, point) : LeaderMove::accepted;
  report_move(options_.leader, s.leader, move, report);
  if (move == LeaderMove::accepted) {
    s.answered_x = s.x;
    s.y = std::move(result.y);
  }
  unstack(point, s);
  if (!options_.leader.step_size) note_outer_step_size(s.choices, s.leader.step_size);
  ++s.iteration;
  if (!all_finite(point)) {
    report.status = Status::nonfinite;
    report.message = fmt::format("the step with outer-step-size {:.4g} made (x, z) non-finite", s.leader.step_size);
  }
  return report;
}

std::vector<Finding> Iaptt::findings(const OuterMethod::State& base) const {
  const auto& s = dynamic_cast<const State&>(base);
  if (s.iteration == 0) return {};
  return {
      {"truncation", static_cast<double>(s.truncation),
       fmt::format("of the follower's {} steps the leader fared worst after {}", options_.inner_steps, s.truncation)}};
}

void describe(OptionTable& table, IapttOptions& options) {
  table.group("Follower")
      .add("inner-steps", options.inner_steps, "follower steps K per leader step", between(1, 1e6))
      .add("inner-step-size", options.inner_step_size,
           "the follower's step a, stable for a L < 1; auto: 0.9 / L with the curvature L measured", greater_than(0));
  describe(table, options.leader);
}

}  // namespace bilevel
