#include "bilevel/smbg.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

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

constexpr Index kFirstInnerSteps = 20;     // before any contraction has been measured
constexpr double kWantedReduction = 1e-6;  // of the follower's residual, and so of the unrolled bias, per leader step
constexpr double kCurvatureMargin = 0.9;   // a L aimed at: < 1, with room for the error of the power iteration
constexpr int kStepHalvings = 24;
constexpr int kRetreats = 8;  // of the leader, each to a tenth of its move

void note_choice(OuterMethod::State& state, Choice choice) {
  const auto known = std::find_if(state.choices.begin(), state.choices.end(),
                                  [&](const Choice& c) { return c.option == choice.option; });
  if (known == state.choices.end()) {
    state.choices.push_back(std::move(choice));
  } else {
    *known = std::move(choice);
  }
}

/// a L of the automatic step. The inverse of K steps along the steepest direction magnifies rounding by (1 - a L)^-K:
/// the reversible plan is kept at six digits lost.
double wanted_margin(const SmbgOptions& options, Index inner_steps) {
  if (options.memory != MemoryPlan::reversible) return kCurvatureMargin;
  const bool truncated = options.hypergradient == HypergradientKind::truncated;
  if (!truncated && options.hypergradient != HypergradientKind::unrolled) return kCurvatureMargin;
  const Index inverted = truncated ? std::min(options.truncated_steps, inner_steps) : inner_steps;
  return std::min(kCurvatureMargin, 1 - std::pow(10.0, -6.0 / static_cast<double>(inverted)));
}

/// Why the follower's path from z with a step that the user chose is no descent; empty if it may be one.
std::string divergence(const BilevelProblem& problem, const Vec& x, const Vec& z, const HypergradientResult& result,
                       Index steps, double step_size) {
  const Objective& g = *problem.lower;
  // A descent ends flatter than it began; only where this one did not do values, which cost a pass each, have to tell.
  if (result.lower_residual < 0.5 * result.first_lower_residual || !g.provides().has(Oracle::value)) return {};
  const double before = g.value(x, z), after = g.value(x, result.y);
  if (!std::isfinite(before) || after <= before + 1e-6 * (1 + std::abs(before))) return {};
  const auto curvature_at = [&](const Vec& y) { return measure_curvature(g.linearize(x, y), problem.dim_y()).largest; };
  const double curvature = std::max(curvature_at(z), curvature_at(result.y));
  return fmt::format(
      "the follower's objective rose from {:.4g} {} over {} steps with inner-step-size {:.4g}: the step must be "
      "below 2 / L = {:.3g} (L = {:.4g} measured), better below 1 / L",
      before, std::isfinite(after) ? fmt::format("to {:.4g}", after) : "beyond all numbers", steps, step_size,
      2 / curvature, curvature);
}

/// The residual at which the follower is as good as still: a fall from here says nothing about its contraction.
double rounding_level(double largest_residual) { return 1e-10 * largest_residual; }

}  // namespace

Smbg::Smbg(SmbgOptions options) : options_(std::move(options)) {
  // Checks ranges however the struct was filled: the table knows them.
  auto checked = options_;
  OptionTable table;
  describe(table, checked);
  for (const auto& entry : table.entries()) entry.assign(entry.text());
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

void Smbg::measure_inner_step(const BilevelProblem& problem, State& state, const Vec& z) const {
  if (options_.inner_step_size) {
    state.inner_step_size = *options_.inner_step_size;
    return;
  }
  constexpr double kFar = 0.1;  // relative to |x|, floored by one unit per coordinate
  const double scale = norm(state.x) + std::sqrt(static_cast<double>(state.x.size()));
  const double margin = wanted_margin(options_, state.inner_steps);
  const bool grown_k = margin < kCurvatureMargin && state.inner_step_size * state.curvature > margin;
  if (grown_k) state.inner_step_size = margin / state.curvature;
  const bool moved_far = state.curvature_x.size() == 0 || norm(state.x - state.curvature_x) > kFar * scale;
  if (!moved_far) return;
  measure_curvature_at(problem, state, z);
  if (!options_.warm_start && state.iteration > 0) {  // a cold path ends far from where it begins
    const double at_start = state.curvature;
    measure_curvature_at(problem, state, state.y);
    state.curvature = std::max(state.curvature, at_start);
  }
  state.curvature_x = state.x;
  state.inner_step_size = state.curvature > 0 && std::isfinite(state.curvature) ? margin / state.curvature : 1.0;
  note_choice(state, {"inner-step-size", "auto", fmt::format("{:.4g}", state.inner_step_size),
                      fmt::format("{:.3g} / L, L = {:.4g} by power iteration at step {}", margin, state.curvature,
                                  state.iteration + 1)});
}

void Smbg::measure_curvature_at(const BilevelProblem& problem, State& state, const Vec& y) const {
  auto measured = measure_curvature(problem.lower->linearize(state.x, y), problem.dim_y(), state.curvature_eigenvector);
  state.curvature = measured.largest;
  if (all_finite(measured.eigenvector)) state.curvature_eigenvector = std::move(measured.eigenvector);
}

bool Smbg::shorten_inner_step(const BilevelProblem& problem, State& state, const Vec& z,
                              const HypergradientResult& result) const {
  double shorter = 0.5 * state.inner_step_size;
  std::string why = "the follower ran away";
  if (result.y.size() > 0 && all_finite(result.y)) {
    const Objective& g = *problem.lower;
    const double a = state.inner_step_size, first = result.first_lower_residual, last = result.lower_residual;
    if (last < 0.1 * first || first <= rounding_level(state.largest_residual)) return false;
    // With a L <= 1 every step lowers g by a/2 |g_y|^2 at least. Where the residual shrinks that is a/2 k |last|^2 in
    // all; less is right on the way out of a saddle, and else the sign of a step measured where g is flatter than here.
    double fall = std::numeric_limits<double>::infinity(), least_fall = 0;
    if (g.provides().has(Oracle::value)) {
      const double after = g.value(state.x, result.y);
      fall = g.value(state.x, z) - after + 1e-12 * std::abs(after);
      least_fall = 0.5 * a * (first * first + (state.inner_steps > 1 ? last * last : 0));
      if (last < first && fall >= 0.5 * a * static_cast<double>(state.inner_steps) * last * last) return false;
    }
    measure_curvature_at(problem, state, result.y);
    double curvature = state.curvature;
    if (a * curvature <= 1) {  // too long a step may also end in a cycle, with its steep point next
      measure_curvature_at(problem, state, result.y - a * g.grad_y(state.x, result.y));
      curvature = std::max(curvature, state.curvature);
    }
    if (!(a * curvature <= 1)) {
      // No more than fourfold at once: a follower that ran away is where nothing is typical.
      if (std::isfinite(curvature))
        shorter = std::clamp(wanted_margin(options_, state.inner_steps) / curvature, 0.25 * a, shorter);
      why = fmt::format("L = {:.4g} near the follower's answer", curvature);
    } else if (fall < least_fall) {
      why = fmt::format("the lower objective fell by {:.3g} only", fall);
    } else {
      return false;
    }
  }
  state.inner_step_size = shorter;
  note_choice(state, {"inner-step-size", "auto", fmt::format("{:.4g}", shorter),
                      fmt::format("shortened at step {}: {}", state.iteration + 1, why)});
  return true;
}

void Smbg::choose_inner_steps(State& state, const HypergradientResult& result) const {
  if (options_.inner_steps || state.inner_steps < 2) return;
  if (result.first_lower_residual <= rounding_level(state.largest_residual) || !(result.lower_residual > 0)) return;
  const double contraction =
      std::pow(result.lower_residual / result.first_lower_residual, 1.0 / static_cast<double>(state.inner_steps - 1));
  Index wanted = options_.max_inner_steps;
  if (contraction < 1) {
    const double exact = std::log(kWantedReduction) / std::log(contraction);
    if (exact < static_cast<double>(wanted)) wanted = std::max<Index>(static_cast<Index>(std::ceil(exact)), 2);
  }
  // Every k has its own small bias: were k to flicker, so would the hypergradient, and the leader could not settle.
  constexpr double kMuchFewer = 0.7;
  const bool keep =
      wanted <= state.inner_steps && static_cast<double>(wanted) >= kMuchFewer * static_cast<double>(state.inner_steps);
  if (keep) wanted = state.inner_steps;
  state.inner_steps = wanted;
  note_choice(state, {"inner-steps", "auto", fmt::format("{}", wanted),
                      fmt::format("measured contraction {:.3g} a step{}", contraction,
                                  wanted == options_.max_inner_steps ? ", the most that is allowed" : "")});
}

HypergradientResult Smbg::differentiate(const BilevelProblem& problem, State& state, const Vec& z) const {
  const GradientDescentMap map(*problem.lower, state.inner_step_size);
  switch (options_.hypergradient) {
    case HypergradientKind::forward: return unrolled_forward(problem, map, state.x, z, state.inner_steps);
    case HypergradientKind::unrolled:
    case HypergradientKind::truncated: {
      UnrolledOptions unrolling;
      unrolling.steps = state.inner_steps;
      if (options_.hypergradient == HypergradientKind::truncated) {
        unrolling.differentiated_steps = std::min(options_.truncated_steps, state.inner_steps);
      }
      unrolling.memory = options_.memory;
      unrolling.checkpoints = options_.checkpoints;
      return unrolled(problem, map, state.x, z, unrolling);
    }
    case HypergradientKind::implicit: break;
  }
  Vec y = z;
  double first_residual = 0;
  for (Index j = 0; j < state.inner_steps; ++j) {
    Vec next = map.apply(state.x, y);
    if (j == 0) first_residual = norm(next - y) / state.inner_step_size;
    y = std::move(next);
    if (!all_finite(y)) {
      HypergradientResult failed;
      failed.status = Status::nonfinite;
      failed.message =
          fmt::format("the follower's iterate became non-finite at inner step {} of {}", j + 1, map.describe());
      return failed;
    }
  }
  auto result = implicit(problem, state.x, y, {options_.cg_tolerance, options_.cg_iterations}, state.adjoint);
  result.first_lower_residual = first_residual;
  result.lower_steps = state.inner_steps;
  state.adjoint = result.adjoint;
  return result;
}

HypergradientResult Smbg::answer(const BilevelProblem& problem, State& state) const {
  const Vec& z = options_.warm_start ? state.y : problem.y0;
  measure_inner_step(problem, state, z);
  auto result = differentiate(problem, state, z);
  for (int i = 0; i < kStepHalvings && !options_.inner_step_size && shorten_inner_step(problem, state, z, result);
       ++i) {
    result = differentiate(problem, state, z);
  }
  return result;
}

StepReport Smbg::step(const BilevelProblem& problem, OuterMethod::State& base) const {
  auto& state = dynamic_cast<State&>(base);
  if (state.inner_steps == 0) {
    state.inner_steps = options_.inner_steps.value_or(std::min(kFirstInnerSteps, options_.max_inner_steps));
  }

  auto result = answer(problem, state);
  for (int i = 0; i < kRetreats && result.status == Status::nonfinite; ++i) {
    if (!leader_retreat(options_.leader, state.leader, state.x)) break;
    state.curvature_x.resize(0);  // what was measured beyond the finite region is not to be trusted
    result = answer(problem, state);
  }

  StepReport report;
  report.upper = result.upper;
  report.lower_residual = result.lower_residual;
  report.lower_steps = result.lower_steps;
  report.status = result.status;
  report.message = std::move(result.message);
  const bool has_answer = result.y.size() > 0 && all_finite(result.y);
  if (options_.inner_step_size && has_answer) {
    const Vec& z = options_.warm_start ? state.y : problem.y0;
    auto why = divergence(problem, state.x, z, result, state.inner_steps, state.inner_step_size);
    if (!why.empty()) {
      report.status = Status::diverged;
      report.message = std::move(why);
    }
  }
  if (report.status != Status::converged) return report;
  report.hypergradient_norm = norm(result.gradient);
  if (problem.lower->provides().has(Oracle::value)) report.lower = problem.lower->value(state.x, result.y);

  state.largest_residual = std::max(state.largest_residual, result.first_lower_residual);
  choose_inner_steps(state, result);
  Vec x = state.x;
  if (leader_step(options_.leader, state.leader, result.gradient, result.upper, state.x) == LeaderMove::accepted) {
    state.answered_x = std::move(x);
    state.y = std::move(result.y);
  }  // else y stays: a rejected leader's answer may lie on another branch
  if (!options_.leader.step_size) {
    note_choice(state, {"outer-step-size", "auto", fmt::format("{:.4g}", state.leader.step_size),
                        "shortened when the upper objective rises, lengthened while it falls"});
  }
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
