#include "bilevel/bgs_opt.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "methods/adjoint_system.hpp"
#include "methods/leader_turn.hpp"

namespace bilevel {

namespace {

InnerStepOptions inner_step_options(const BgsOptOptions& options) {
  InnerStepOptions inner{.max_steps = options.max_inner_steps, .step_size = options.inner_step_size};
  if (options.warm_start_steps) inner.steps = *options.warm_start_steps + options.unrolled_steps;
  if (options.memory == MemoryPlan::reversible && options.unrolled_steps > 0) {
    inner.inverted_steps = options.unrolled_steps;
  }
  return inner;
}

/// T = 0: `steps` follower steps from z, and f with both gradients at their end.
HypergradientResult follow(const BilevelProblem& problem, const Vec& x, const Vec& z, double step_size, Index steps) {
  HypergradientResult result;
  result.y = z;
  for (Index j = 0; j < steps; ++j) {
    const Vec slope = problem.lower->grad_y(x, result.y);
    result.lower_residual = norm(slope);
    if (j == 0) result.first_lower_residual = result.lower_residual;
    result.y -= step_size * slope;
    if (!all_finite(result.y)) {
      result.status = Status::nonfinite;
      result.message = fmt::format("the follower's iterate became non-finite at inner step {} with inner-step-size {}",
                                   j + 1, step_size);
      return result;
    }
  }
  result.lower_steps = steps;
  auto upper = problem.upper->evaluate(Oracle::value | Oracle::grad_x | Oracle::grad_y, x, result.y);
  result.upper = *upper.value;
  result.gradient = std::move(*upper.grad_x);
  result.adjoint = std::move(*upper.grad_y);
  if (!std::isfinite(result.upper) || !all_finite(result.gradient) || !all_finite(result.adjoint)) {
    result.status = Status::nonfinite;
    result.message = fmt::format("the upper objective is not finite at the follower's answer (f = {})", result.upper);
  }
  return result;
}

/// What H is known to, squared: |H| |(H - H_last) u| / |u| with u the last xi.
double damping_of(const LinearOperator& hessian, double follower_residual, const BgsOpt::State& state) {
  const double size = state.inner.curvature > 0 ? state.inner.curvature : 1 / state.inner.step_size;  // about |H|
  const double length = norm(state.adjoint);
  // Before there is a last one the distance of y from the manifold, in the unit of y, stands for the change.
  if (state.image.size() == 0 || length == 0) return size * follower_residual / (1 + norm(state.y));
  return size * norm(hessian.apply(state.adjoint) - state.image) / length;
}

/// xi ~ -H^+ v from state.adjoint; remembers in `state` when plain conjugate gradients failed, and why.
LinearSolver::Summary solve_adjoint(const BgsOptOptions& options, const Objective& lower, const LinearOperator& hessian,
                                    const Vec& v, double follower_residual, BgsOpt::State& state) {
  constexpr Index kIterationCap = 1000;
  const double tolerance = lower.attainable(options.adjoint_tolerance);
  const Index budget = options.adjoint_iterations.value_or(std::min<Index>(10 * v.size(), kIterationCap));
  // As H turns, the last xi has a part in its kernel that these solvers would keep, and add to with every step. Few
  // iterations have to go on from it all the same, or they would never arrive.
  const bool goes_on = options.adjoint_iterations || options.adjoint_solver == AdjointSolver::normal_gradient;
  const Vec start = goes_on ? state.adjoint : Vec::Zero(v.size());
  switch (options.adjoint_solver) {
    case AdjointSolver::normal_gradient: return descend_normal_equations(hessian, v, start, tolerance, budget);
    case AdjointSolver::reparametrised:
      return solve_reparametrised(hessian, v, state.reparametrised, {tolerance, budget});
    case AdjointSolver::cg:
    case AdjointSolver::minres:
    case AdjointSolver::lsqr:
    case AdjointSolver::minres_qlp:
      return make_linear_solver(to_string(options.adjoint_solver), tolerance, budget)->solve(hessian, -v, &start);
    case AdjointSolver::automatic: break;
  }
  const ConjugateGradient::Options cg{.tolerance = tolerance, .max_iterations = budget};
  if (!state.damped) {
    auto solved = ConjugateGradient(cg).solve(hessian, -v, &state.adjoint);
    if (solved.status != Status::breakdown || solved.relative_residual <= consistent_residual(lower)) return solved;
    state.damped = true;
    note_choice(state.choices, {"adjoint-solver", "auto", "damped normal equations",
                                fmt::format("from step {} on: {}", state.iteration + 1, solved.message)});
    state.adjoint.setZero();  // the failed solve and those before it may have gone far along ker H
  }
  auto solved = solve_normal_equations(hessian, v, state.adjoint, damping_of(hessian, follower_residual, state), cg);
  state.image = hessian.apply(solved.x);
  return solved;
}

/// asked -> used of adjoint-tolerance where the last solve missed it.
void note_adjoint_residual(const LinearSolver::Summary& solved, double tolerance, BgsOpt::State& state) {
  if (solved.relative_residual <= tolerance) {
    std::erase_if(state.choices, [](const Choice& choice) { return choice.option == "adjoint-tolerance"; });
    return;
  }
  note_choice(state.choices,
              {"adjoint-tolerance", fmt::format("{:g}", tolerance), fmt::format("{:.3g}", solved.relative_residual),
               fmt::format("at step {}: {}", state.iteration + 1, solved.message)});
}

/// What InnerSteps chose for k = M + T, as a choice of M.
void note_warm_start_steps(Index M, Choices& choices) {
  const auto known =
      std::find_if(choices.begin(), choices.end(), [](const Choice& choice) { return choice.option == "inner-steps"; });
  if (known == choices.end()) return;
  auto reason = std::move(known->reason);
  choices.erase(known);
  note_choice(choices, {"warm-start-steps", "auto", fmt::format("{}", M), std::move(reason)});
}

}  // namespace

std::string_view to_string(AdjointSolver solver) {
  switch (solver) {
    case AdjointSolver::automatic: return "auto";
    case AdjointSolver::cg: return "cg";
    case AdjointSolver::minres: return "minres";
    case AdjointSolver::lsqr: return "lsqr";
    case AdjointSolver::minres_qlp: return "minres_qlp";
    case AdjointSolver::normal_gradient: return "normal_gradient";
    case AdjointSolver::reparametrised: return "reparametrised";
  }
  return "unknown";
}

struct BgsOpt::Path {
  HypergradientResult result;          // `adjoint` is v
  std::optional<Linearization> lower;  // g at (x, y+), for the correction
};

BgsOpt::BgsOpt(BgsOptOptions options) : options_(std::move(options)), inner_({}) {
  check_options(options_);
  if (options_.unrolled_steps == 0 && options_.warm_start_steps == 0) {
    throw InvalidOption(
        "unrolled-steps 0 with warm-start-steps 0 is not allowed: the follower would never answer the leader; one of "
        "them must be >= 1");
  }
  if (options_.unrolled_steps == 0 && !options_.correction) {
    throw InvalidOption(
        "unrolled-steps 0 without correction is not allowed: how the follower responds to x would be ignored; unroll "
        ">= 1 steps or leave the correction on");
  }
  inner_ = InnerSteps(inner_step_options(options_));
}

OuterMethod::Needs BgsOpt::needs() const {
  return {Oracle::value | Oracle::grad_x | Oracle::grad_y, Oracle::grad_y | Oracle::hess_yy | Oracle::hess_xy};
}

std::unique_ptr<OuterMethod::State> BgsOpt::do_init(const BilevelProblem& problem) const {
  auto state = std::make_unique<State>();
  state->x = problem.x0;
  state->y = problem.y0;
  state->adjoint = Vec::Zero(problem.dim_y());
  return state;
}

BgsOpt::Path BgsOpt::take_path(const BilevelProblem& problem, const State& state) const {
  const Index T = options_.unrolled_steps, M = state.inner.steps - T;
  const double a = state.inner.step_size;
  Path path;
  auto& result = path.result;
  if (T == 0) {
    result = follow(problem, state.x, state.y, a, M);
  } else {
    result = unrolled(
        problem, GradientDescentMap(*problem.lower, a), state.x, state.y,
        {.steps = M + T, .differentiated_steps = T, .memory = options_.memory, .checkpoints = options_.checkpoints});
  }
  if (options_.correction && result.status == Status::converged) {
    path.lower = problem.lower->linearize(state.x, result.y, full, Oracle::grad_y);
    result.lower_residual = norm(*path.lower->evaluation().grad_y);
  }
  return path;
}

void BgsOpt::correct(const Objective& g, const Linearization& lower, HypergradientResult& result, State& state) const {
  const Vec& v = result.adjoint;
  const auto hessian = LinearOperator::symmetric(v.size(), [&](const Vec& u) { return lower.hess_yy(u); });
  auto solved = solve_adjoint(options_, g, hessian, v, result.lower_residual, state);
  result.gradient += lower.hess_xy(solved.x);
  if (solved.status == Status::nonfinite) {
    result.status = Status::nonfinite;
    result.message = fmt::format("the adjoint system H xi = -v: {}", solved.message);
  } else if (!all_finite(solved.x) || !all_finite(result.gradient)) {
    result.status = Status::nonfinite;
    result.message = "the correction B xi of the hypergradient is not finite";
  } else if (options_.adjoint_solver == AdjointSolver::cg && solved.status == Status::breakdown &&
             solved.relative_residual > consistent_residual(g)) {
    result.status = Status::breakdown;
    result.message =
        fmt::format("the adjoint system H xi = -v: {}; adjoint-solver auto, minres_qlp or lsqr can do with such an H",
                    solved.message);
  }
  if (result.status != Status::converged) return;
  note_adjoint_residual(solved, options_.adjoint_tolerance, state);
  state.adjoint = std::move(solved.x);
}

HypergradientResult BgsOpt::answer(const BilevelProblem& problem, State& state) const {
  constexpr int kShortenings = 24;
  const Objective& g = *problem.lower;
  state.inner.leader_step = state.iteration + 1;
  inner_.prepare(g, state.x, state.y, state.iteration > 0 ? state.y : Vec(), state.inner, state.choices);
  state.inner.steps = std::max({state.inner.steps, options_.unrolled_steps, Index{1}});  // a measured k may be below T
  auto path = take_path(problem, state);
  for (int i = 0; i < kShortenings && inner_.shorten(g, state.x, state.y, path.result, state.inner, state.choices);
       ++i) {
    path = take_path(problem, state);
  }
  auto& result = path.result;
  auto why = inner_.divergence(g, state.x, state.y, result, state.inner);
  if (!why.empty()) {
    result.status = Status::diverged;
    result.message = std::move(why);
  }
  if (result.status == Status::converged && path.lower) correct(*problem.lower, *path.lower, result, state);
  return std::move(result);
}

StepReport BgsOpt::step(const BilevelProblem& problem, OuterMethod::State& base) const {
  auto& state = dynamic_cast<State&>(base);
  // y+ and d at x, then x <- x - gamma d
  return take_leader_turn(
      problem, options_.leader, inner_, state, [&] { return answer(problem, state); },
      [&] { note_warm_start_steps(std::max<Index>(state.inner.steps - options_.unrolled_steps, 0), state.choices); });
}

void describe(OptionTable& table, BgsOptOptions& options) {
  constexpr double kMostSteps = 1e6;
  table.group("Follower")
      .add("warm-start-steps", options.warm_start_steps,
           "gradient steps M of the follower from its last answer that are taken but not differentiated; "
           "auto: from the measured contraction",
           between(0, kMostSteps))
      .add("max-inner-steps", options.max_inner_steps, "most steps that the automatic choice may take", between(1, 1e6))
      .add("inner-step-size", options.inner_step_size,
           "the follower's step a, stable for a L < 1; auto: 0.9 / L with the curvature L measured", greater_than(0));
  table.group("Hypergradient")
      .add("unrolled-steps", options.unrolled_steps,
           "gradient steps T of the follower after those, differentiated; 0 needs the correction",
           between(0, kMostSteps))
      .add("correction", options.correction,
           "add what the T steps do not account for by solving the adjoint system H xi = -v; without it the answer is "
           "biased, the less the larger T")
      .add(
          "adjoint-solver", options.adjoint_solver,
          "auto: conjugate gradients, and where H proves singular or indefinite damped normal equations; cg: conjugate "
          "gradients alone, for definite H; minres, lsqr, minres_qlp, reparametrised: least squares for any H; "
          "normal_gradient: gradient steps on |H xi + v|^2, for any H and few iterations a step",
          {{"auto", AdjointSolver::automatic},
           {"cg", AdjointSolver::cg},
           {"minres", AdjointSolver::minres},
           {"lsqr", AdjointSolver::lsqr},
           {"minres_qlp", AdjointSolver::minres_qlp},
           {"normal_gradient", AdjointSolver::normal_gradient},
           {"reparametrised", AdjointSolver::reparametrised}})
      .add("adjoint-tolerance", options.adjoint_tolerance,
           "stop at |H xi + v| <= tolerance |v|, for the normal equations at |H (H xi + v)| <= tolerance |H v|",
           between(1e-15, 0.5))
      .add("adjoint-iterations", options.adjoint_iterations,
           "most iterations of the adjoint solver per leader step, each solve going on from the last; auto: ten times "
           "the follower's dimension, at most 1000",
           between(1, 1e6));
  describe(table, options.memory, options.checkpoints);
  describe(table, options.leader);
}

}  // namespace bilevel
