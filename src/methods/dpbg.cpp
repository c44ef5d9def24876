#include "bilevel/dpbg.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "methods/dpbg_phase.hpp"
#include "methods/leader_turn.hpp"
#include "methods/step_size_choice.hpp"

namespace bilevel {

namespace {

Vec stacked(const Vec& x, const Vec& z) {
  Vec both(x.size() + z.size());
  both.head(x.size()) = x;
  both.tail(z.size()) = z;
  return both;
}

void unstack(const Vec& both, Dpbg::State& state) {
  state.x = both.head(state.x.size());
  state.z = both.tail(state.z.size());
}

InnerStepOptions inner_step_options(const DpbgOptions& options) {
  InnerStepOptions inner{
      .steps = options.inner_steps, .max_steps = options.inner_steps, .step_size = options.inner_step_size};
  if (options.memory == MemoryPlan::reversible) inner.inverted_steps = std::numeric_limits<Index>::max();
  return inner;
}

/// |H| at (x, y), and a better start for the next measurement; 0 where H is not finite, which the path itself reports.
double curvature_at(const Objective& lower, const Vec& x, const Vec& y, Vec& eigenvector) {
  auto measured = measure_curvature(lower.linearize(x, y), lower.dim_y(), eigenvector);
  if (all_finite(measured.eigenvector)) eigenvector = std::move(measured.eigenvector);
  return std::isfinite(measured.largest) ? measured.largest : 0;
}

/// The largest |H| at up to kPoints iterates of the path from z, and on the line through its ends one length
/// beyond both: the descent in z will move the path along.
double largest_curvature_around(const Objective& lower, const GradientDescentMap& map, const Vec& x, const Vec& z,
                                Index steps, Vec& eigenvector) {
  constexpr Index kPoints = 19;
  double largest = 0;
  const auto look = [&](const Vec& y) { largest = std::max(largest, curvature_at(lower, x, y, eigenvector)); };
  const Index stride = (steps + kPoints - 1) / kPoints;
  Vec y = z;
  for (Index j = 0; j < steps; ++j) {
    if (j % stride == 0) look(y);
    y = map.apply(x, y);
  }
  for (const double along : {-1.0, -0.5, 1.0, 1.5, 2.0}) look(z + along * (y - z));
  return largest;
}

}  // namespace

Dpbg::Dpbg(DpbgOptions options) : options_(std::move(options)), inner_(inner_step_options(options_)) {
  check_options(options_);
}

OuterMethod::Needs Dpbg::needs() const {
  return {Oracle::value | Oracle::grad_x | Oracle::grad_y, Oracle::grad_y | Oracle::hess_yy | Oracle::hess_xy};
}

std::unique_ptr<OuterMethod::State> Dpbg::do_init(const BilevelProblem& problem) const {
  auto state = std::make_unique<State>();
  state->x = problem.x0;
  state->y = problem.y0;
  state->z = problem.y0;
  return state;
}

HypergradientResult Dpbg::first_answer(const BilevelProblem& problem, State& state) const {
  constexpr int kShortenings = 24;
  const Objective& g = *problem.lower;
  auto& inner = state.inner;
  const auto path = [&] {
    return unrolled(problem, GradientDescentMap(g, inner.step_size), state.x, state.z,
                    {.steps = inner.steps, .memory = options_.memory, .checkpoints = options_.checkpoints});
  };
  inner.leader_step = 1;
  inner_.prepare(g, state.x, state.z, {}, inner, state.choices);
  const double aimed = inner.curvature > 0 ? inner.step_size * inner.curvature : 0.9;
  auto result = path();
  if (options_.inner_step_size) return result;
  std::string why =
      inner.curvature > 0
          ? fmt::format("{:.3g} / L, L = {:.4g} by power iteration at the follower's start", aimed, inner.curvature)
          : "the follower's start has no curvature to measure by";
  for (int i = 0; i < kShortenings; ++i) {
    if (!inner_.shorten(g, state.x, state.z, result, inner, state.choices)) {
      if (result.y.size() == 0 || !all_finite(result.y)) break;
      const double steepest = largest_curvature_around(g, GradientDescentMap(g, inner.step_size), state.x, state.z,
                                                       inner.steps, inner.eigenvector);
      inner.curvature = steepest;  // of the path and the line that a was accepted on, or is shortened for
      if (inner.step_size * steepest < 1) break;
      inner.step_size = aimed / steepest;
      why = fmt::format("{:.3g} / L, L = {:.4g} along the first path or its line", aimed, steepest);
    } else {
      why = "shortened until the first path descended";
    }
    result = path();
  }
  note_choice(state.choices, {"inner-step-size", "auto", fmt::format("{:.4g}", inner.step_size),
                              why + "; kept from then on, since phi^k depends on it"});
  return result;
}

HypergradientResult Dpbg::answer(const BilevelProblem& problem, State& state) const {
  const Objective& g = *problem.lower;
  auto& inner = state.inner;
  auto result = state.iteration == 0
                    ? first_answer(problem, state)
                    : unrolled(problem, GradientDescentMap(g, inner.step_size), state.x, state.z,
                               {.steps = inner.steps, .memory = options_.memory, .checkpoints = options_.checkpoints});
  if (auto why = inner_.divergence(g, state.x, state.z, result, inner); !why.empty()) {
    result.status = Status::diverged;
    result.message = std::move(why);
  }
  return result;
}

StepReport Dpbg::step(const BilevelProblem& problem, OuterMethod::State& base) const {
  constexpr int kRetreats = 8;  // of (x, z), each to a tenth of its move
  auto& state = dynamic_cast<State&>(base);

  Vec point = stacked(state.x, state.z);
  auto result = answer(problem, state);  // phi^k(x, z), u = d_x phi^k, v = d_z phi^k
  for (int i = 0; i < kRetreats && result.status == Status::nonfinite; ++i) {
    if (!leader_retreat(options_.leader, state.leader, point)) break;
    unstack(point, state);
    result = answer(problem, state);
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
  if (problem.lower->provides().has(Oracle::value)) report.lower = problem.lower->value(state.x, result.y);
  if (std::has_single_bit(static_cast<std::uint64_t>(state.iteration + 1))) {
    for (const Vec& end : {state.z, result.y}) {
      const double curvature = curvature_at(*problem.lower, state.x, end, state.inner.eigenvector);
      state.inner.curvature = std::max(state.inner.curvature, curvature);
    }
  }

  // (x, z) <- (x, z) - a_f (u, v); where the gradient is exactly zero there is no move to choose a step size from.
  const bool moves = report.hypergradient_norm > 0;
  const auto move =
      moves ? leader_step(options_.leader, state.leader, gradient, result.upper, point) : LeaderMove::accepted;
  report_move(options_.leader, state.leader, move, report);
  if (move == LeaderMove::accepted) {
    note_pair(state, result, problem.y0);
    state.answered_x = state.x;
    state.y = std::move(result.y);
  }
  unstack(point, state);
  if (!options_.leader.step_size) note_outer_step_size(state.choices, state.leader.step_size);
  ++state.iteration;
  if (!all_finite(point)) {
    report.status = Status::nonfinite;
    report.message = fmt::format("the step with outer-step-size {:.4g} made (x, z) non-finite", state.leader.step_size);
  }
  return report;
}

void describe(OptionTable& table, DpbgOptions& options) {
  table.group("Follower")
      .add("inner-steps", options.inner_steps, "gradient steps k of the follower per leader step", between(1, 1e6))
      .add("inner-step-size", options.inner_step_size,
           "the follower's step a, stable for a L < 1; auto: 0.9 / L with the curvature L measured along the first "
           "path, then kept",
           greater_than(0));
  describe(table, options.memory, options.checkpoints);
  describe(table, options.leader);
}

}  // namespace bilevel
