#include "bilevel/smbg.hpp"

#include <limits>
#include <utility>

#include <fmt/format.h>

#include "methods/step_size_choice.hpp"

namespace bilevel {

namespace {

InnerStepOptions inner_step_options(const SmbgOptions& options) {
  InnerStepOptions inner{.steps = options.inner_steps,
                         .max_steps = options.max_inner_steps,
                         .step_size = options.inner_step_size,
                         .warm_start = options.warm_start};
  if (options.memory == MemoryPlan::reversible) {
    if (options.hypergradient == HypergradientKind::unrolled) inner.inverted_steps = std::numeric_limits<Index>::max();
    if (options.hypergradient == HypergradientKind::truncated) inner.inverted_steps = options.truncated_steps;
  }
  return inner;
}

HypergradientOptions hypergradient_options(const SmbgOptions& options) {
  return {.kind = options.hypergradient,
          .truncated_steps = options.truncated_steps,
          .memory = options.memory,
          .checkpoints = options.checkpoints,
          .implicit = {options.cg_tolerance, options.cg_iterations}};
}

}  // namespace

Smbg::Smbg(SmbgOptions options) : options_(std::move(options)), inner_(inner_step_options(options_)) {
  check_options(options_);
}

OuterMethod::Needs Smbg::needs() const {
  OracleSet lower = Oracle::grad_y | Oracle::hess_yy | Oracle::hess_xy;
  if (options_.hypergradient == HypergradientKind::forward) lower = lower | Oracle::hess_yx;
  return {Oracle::value | Oracle::grad_x | Oracle::grad_y, lower};
}

std::unique_ptr<OuterMethod::State> Smbg::do_init(const BilevelProblem& problem) const {
  constexpr Index kForwardLimit = 1000;
  if (options_.hypergradient == HypergradientKind::forward && problem.dim_x() > kForwardLimit) {
    throw InvalidOption(fmt::format(
        "hypergradient forward takes a sweep for each leader variable, which pays up to {}, but problem '{}' has {}: "
        "use unrolled",
        kForwardLimit, problem.name, problem.dim_x()));
  }
  auto state = std::make_unique<State>();
  state->x = problem.x0;
  state->y = problem.y0;
  return state;
}

HypergradientResult Smbg::answer(const BilevelProblem& problem, State& state) const {
  constexpr int kShortenings = 24;
  const Objective& g = *problem.lower;
  const Vec& z = options_.warm_start ? state.y : problem.y0;
  const auto path = [&] {
    return differentiate(problem, GradientDescentMap(g, state.inner.step_size), state.x, z, state.inner.steps,
                         hypergradient_options(options_), state.adjoint);
  };
  state.inner.leader_step = state.iteration + 1;
  inner_.prepare(g, state.x, z, state.iteration > 0 ? state.y : Vec(), state.inner, state.choices);
  auto result = path();
  for (int i = 0; i < kShortenings && inner_.shorten(g, state.x, z, result, state.inner, state.choices); ++i) {
    result = path();
  }
  auto why = inner_.divergence(g, state.x, z, result, state.inner);
  if (!why.empty()) {
    result.status = Status::diverged;
    result.message = std::move(why);
  }
  return result;
}

StepReport Smbg::step(const BilevelProblem& problem, OuterMethod::State& base) const {
  constexpr int kRetreats = 8;  // of the leader, each to a tenth of its move
  auto& state = dynamic_cast<State&>(base);

  auto result = answer(problem, state);  // y_l and d_x phi^k(x_{l-1}, y_{l-1})
  for (int i = 0; i < kRetreats && result.status == Status::nonfinite; ++i) {
    if (!leader_retreat(options_.leader, state.leader, state.x)) break;
    state.inner.measured_x.resize(0);  // what was measured beyond the finite region is not to be trusted
    result = answer(problem, state);
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
  inner_.choose_steps(result, state.inner, state.choices);

  Vec x = state.x;
  if (leader_step(options_.leader, state.leader, result.gradient, result.upper, state.x) == LeaderMove::accepted) {
    state.answered_x = std::move(x);
    state.y = std::move(result.y);
  }  // else y stays: a rejected leader's answer may lie on another branch
  if (!options_.leader.step_size) note_outer_step_size(state.choices, state.leader.step_size);
  ++state.iteration;
  if (!all_finite(state.x)) {
    report.status = Status::nonfinite;
    report.message =
        fmt::format("the leader's step with outer-step-size {:.4g} made x non-finite", state.leader.step_size);
  }
  return report;
}

void describe(OptionTable& table, SmbgOptions& options) {
  table.group("Follower")
      .add("inner-steps", options.inner_steps,
           "gradient steps k of the follower per leader step; auto: from the measured contraction", at_least(1))
      .add("max-inner-steps", options.max_inner_steps, "most steps that the automatic choice may take", at_least(1))
      .add("inner-step-size", options.inner_step_size,
           "the follower's step a, stable for a L < 1; auto: 0.9 / L with the curvature L measured", greater_than(0))
      .add("warm-start", options.warm_start, "start the follower from its last answer instead of from its first guess");
  table.group("Hypergradient")
      .add("hypergradient", options.hypergradient,
           "unrolled differentiates the follower's steps, truncated only the last of them, forward does so column by "
           "column (few leader variables), implicit solves H w = f_y",
           {{"unrolled", HypergradientKind::unrolled},
            {"truncated", HypergradientKind::truncated},
            {"forward", HypergradientKind::forward},
            {"implicit", HypergradientKind::implicit}})
      .add("truncated-steps", options.truncated_steps, "how many last steps the truncated hypergradient differentiates",
           at_least(1))
      .add(
          "memory", options.memory,
          "how the reverse sweep gets the follower's path back: store (fastest), checkpoint (memory flat in the number "
          "of inner steps, recomputes), reversible (inverts the steps; only for short or gentle paths)",
          {{"store", MemoryPlan::store},
           {"checkpoint", MemoryPlan::checkpoint},
           {"reversible", MemoryPlan::reversible}})
      .add("checkpoints", options.checkpoints, "iterates that the checkpoint plan keeps", at_least(1))
      .add("cg-tolerance", options.cg_tolerance, "implicit: stop at |H w - f_y| <= tolerance |f_y|",
           between(1e-15, 0.5))
      .add("cg-iterations", options.cg_iterations, "implicit: most conjugate gradient steps; 0: at most 1000",
           at_least(0));
  table.group("Leader")
      .add("outer", options.leader.rule, "the leader's step",
           {{"adam", LeaderRule::adam}, {"gradient-descent", LeaderRule::gradient_descent}})
      .add("outer-step-size", options.leader.step_size,
           "the leader's step a_f; auto: shortened when the upper objective rises, lengthened while it falls",
           greater_than(0))
      .add("first-decay", options.leader.first_decay, "Adam's beta_1: how slowly the direction forgets",
           at_least(0) & less_than(1))
      .add("second-decay", options.leader.second_decay, "Adam's beta_2: how slowly the scale of a coordinate forgets",
           at_least(0) & less_than(1));
}

}  // namespace bilevel
