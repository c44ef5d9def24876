#include "bilevel/smbg.hpp"

#include <limits>
#include <utility>

#include <fmt/format.h>

#include "methods/leader_turn.hpp"

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
  auto& state = dynamic_cast<State&>(base);
  // y_l and d_x phi^k(x_{l-1}, y_{l-1}), then x_l
  return take_leader_turn(
      problem, options_.leader, inner_, state, [&] { return answer(problem, state); }, [] {});
}

void describe(OptionTable& table, SmbgOptions& options) {
  table.group("Follower")
      .add("inner-steps", options.inner_steps,
           "gradient steps k of the follower per leader step; auto: from the measured contraction", between(1, 1e6))
      .add("max-inner-steps", options.max_inner_steps, "most steps that the automatic choice may take", between(1, 1e6))
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
           between(1, 1e6));
  describe(table, options.memory, options.checkpoints);
  table.group("Hypergradient")
      .add("cg-tolerance", options.cg_tolerance, "implicit: stop at |H w - f_y| <= tolerance |f_y|",
           between(1e-15, 0.5))
      .add("cg-iterations", options.cg_iterations, "implicit: most conjugate gradient steps; 0: at most 1000",
           between(0, 1e6));
  describe(table, options.leader);
}

}  // namespace bilevel
