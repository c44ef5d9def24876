#include "bilevel/unibio.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "methods/step_size_choice.hpp"

namespace bilevel {

namespace {

constexpr std::size_t kAutomaticBatch = 64;

std::optional<Sampler> sampler_of(const Objective& objective, const UnibioOptions& options, std::uint64_t stream) {
  const std::size_t wanted = options.batch_size ? static_cast<std::size_t>(*options.batch_size) : kAutomaticBatch;
  if (wanted >= objective.samples()) return std::nullopt;
  return Sampler(objective.samples(), wanted, options.seed + stream);
}

InnerStepOptions inner_step_options(const UnibioOptions& options) {
  return {.steps = options.first_epoch, .step_size = options.inner_step_size};
}

std::function<Batch()> source_of(std::optional<Sampler>& sampler) {
  if (!sampler) return {};
  return [&sampler] { return sampler->next(); };
}

/// What the last moves were for f: shorter ones are due where it rose and the hypergradient at their end points back. A
/// rise along which it does not is no move's doing: the follower is still settling.
enum class Outcome { fell, overshot, settling };

Outcome outcome_of(double upper, const Vec& gradient, const Unibio::State& state) {
  const double change = upper - state.compared_upper, rounding = 1e-12 * std::abs(upper);
  const bool back = dot(gradient, state.momentum) < 0;
  if (std::abs(change) <= rounding) return back ? Outcome::overshot : Outcome::fell;
  if (change < 0) return Outcome::fell;
  return back ? Outcome::overshot : Outcome::settling;
}

}  // namespace

Unibio::State::State(const UnibioOptions& options, const BilevelProblem& problem)
    : upper_sampler(sampler_of(*problem.upper, options, 1)),
      lower_sampler(sampler_of(*problem.lower, options, 2)),
      noise(options.seed),
      momentum(Vec::Zero(problem.dim_x())) {
  constexpr double kFirstMove = 0.1;  // root mean square, as other leaders begin
  x = problem.x0;
  y = problem.y0;
  first_step_size = step_size =
      options.outer_step_size.value_or(kFirstMove * std::sqrt(static_cast<double>(problem.dim_x())));
}

Unibio::Unibio(UnibioOptions options) : options_(std::move(options)), inner_(inner_step_options(options_)) {
  check_options(options_);
}

OuterMethod::Needs Unibio::needs() const {
  return {Oracle::value | Oracle::grad_x | Oracle::grad_y, Oracle::grad_y | Oracle::hess_yy | Oracle::hess_xy};
}

std::unique_ptr<OuterMethod::State> Unibio::do_init(const BilevelProblem& problem) const {
  return std::make_unique<State>(options_, problem);
}

EpochSgdSummary Unibio::follow(const BilevelProblem& problem, State& state) const {
  constexpr int kShortenings = 24;
  const Objective& g = *problem.lower;
  state.inner.leader_step = state.iteration + 1;
  inner_.prepare(g, state.x, state.y, {}, state.inner, state.choices);
  const EpochSgdOptions options{.exponent = options_.exponent,
                                .budget = options_.budget,
                                .first_epoch = options_.first_epoch,
                                .first_radius = options_.first_radius.value_or(1 + norm(state.y)),
                                .noise = options_.gradient_noise};
  const EpochSgdSources sources{state.lower_sampler ? &*state.lower_sampler : nullptr, &state.noise};
  const auto epochs = [&] {
    auto with_step = options;
    with_step.first_step = state.inner.step_size;
    return epoch_sgd(g, state.x, state.y, with_step, sources);
  };
  auto summary = epochs();
  // Whether the step was too long shows in g_y and g where they are exact.
  const bool exact = !state.lower_sampler && options_.gradient_noise == 0 && !options_.inner_step_size;
  for (int i = 0; exact && i < kShortenings; ++i) {
    HypergradientResult path;
    if (summary.finite) path.y = summary.y;
    path.first_lower_residual = summary.first_residual;
    path.lower_residual = summary.finite ? norm(g.grad_y(state.x, summary.y)) : summary.first_residual;
    state.inner.largest_residual = std::max(state.inner.largest_residual, path.first_lower_residual);
    if (!inner_.shorten(g, state.x, state.y, path, state.inner, state.choices)) break;
    summary = epochs();
  }
  return summary;
}

HypergradientResult Unibio::answer(const BilevelProblem& problem, State& state) const {
  Vec y = state.y;
  Index steps = 0;
  if (state.iteration % options_.follower_every == 0) {
    auto followed = follow(problem, state);
    steps = followed.steps;
    if (!followed.finite) {
      HypergradientResult failed;
      failed.status = Status::nonfinite;
      failed.message = fmt::format("the follower became non-finite at step {} of Epoch-SGD with inner-step-size {:.3g}",
                                   steps, state.inner.step_size);
      return failed;
    }
    y = std::move(followed.y);
  }
  const bool series =
      options_.solver == UnibioSolver::neumann || (options_.solver == UnibioSolver::automatic && state.lower_sampler);
  PowerTransformedOptions options{.transform = {.exponent = options_.exponent,
                                                .centre = Vec::Constant(y.size(), options_.centre),
                                                .floor = options_.floor},
                                  .solver = series ? PowerSolver::neumann : PowerSolver::krylov,
                                  .tolerance = options_.tolerance,
                                  .terms = options_.terms,
                                  .step_size = options_.series_step_size.value_or(0)};
  const PowerTransformedBatches batches{source_of(state.upper_sampler), source_of(state.lower_sampler)};
  auto result = power_transformed(problem, state.x, y, options, state.memory, batches);
  // One batch may be far more curved than that on which nu was measured.
  constexpr int kShortenings = 4;
  for (int i = 0; i < kShortenings && series && !options_.series_step_size; ++i) {
    if (result.status != Status::breakdown) break;
    options.step_size = 0.5 * state.memory.series_step_size;
    result = power_transformed(problem, state.x, y, options, state.memory, batches);
  }
  result.lower_steps = steps;
  // Krylov's least-squares answer is the best there is where f_y leaves the range of H at a single degenerate point.
  if (result.status == Status::breakdown && !series && all_finite(result.gradient)) {
    ++state.inconsistent_steps;
    result.status = Status::converged;
  }
  return result;
}

void Unibio::adapt(double upper, const Vec& gradient, State& state) const {
  constexpr double kGrow = 1.1, kShrink = 0.5;
  const bool random = state.lower_sampler || state.upper_sampler || options_.gradient_noise > 0;
  if (std::isfinite(state.compared_upper)) {
    const auto outcome = outcome_of(upper, gradient, state);
    if (outcome == Outcome::fell) state.step_size *= kGrow;
    if (outcome == Outcome::overshot) {
      state.step_size *= kShrink;
      state.momentum.setZero();
    }
  }
  if (random) {
    const double least = state.first_step_size / static_cast<double>(state.iteration + 1);
    state.step_size = std::max(state.step_size, least);
  }
  note_outer_step_size(state.choices, state.step_size);
}

StepReport Unibio::step(const BilevelProblem& problem, OuterMethod::State& base) const {
  constexpr int kRetreats = 8;  // each to a tenth of the move
  auto& state = dynamic_cast<State&>(base);
  const double length = norm(state.momentum);
  if (length > 0) {
    state.last_x = state.x;
    state.x -= state.step_size / length * state.momentum;
  }
  auto result = answer(problem, state);
  for (int i = 0; i < kRetreats && result.status == Status::nonfinite; ++i) {
    if (options_.outer_step_size || state.last_x.size() == 0) break;
    state.step_size *= 0.1;
    state.x = state.last_x + 0.1 * (state.x - state.last_x);
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
  if (result.lower_steps == 0) {  // y is no answer to this x: f falls, or rises, as it would not with one
    report.upper = state.compared_upper;
    report.lower = state.compared_lower;
  } else {
    if (state.upper_sampler) report.upper = problem.upper->value(state.x, result.y);
    if (!state.lower_sampler && problem.lower->provides().has(Oracle::value)) {
      report.lower = problem.lower->value(state.x, result.y);
    }
  }
  if (!std::isfinite(report.upper)) {
    report.status = Status::nonfinite;
    report.message = fmt::format("the upper objective on all samples is {}", report.upper);
    return report;
  }
  if (result.lower_steps > 0) {
    state.y = std::move(result.y);
    state.answered_x = state.x;
    if (!options_.outer_step_size) adapt(report.upper, result.gradient, state);
    state.compared_upper = report.upper;
    state.compared_lower = report.lower;
  }
  state.momentum = options_.momentum * state.momentum + (1 - options_.momentum) * result.gradient;
  ++state.iteration;
  return report;
}

std::vector<Finding> Unibio::findings(const OuterMethod::State& base) const {
  const auto& state = dynamic_cast<const State&>(base);
  if (state.inconsistent_steps == 0) return {};
  return {
      {"inconsistent_steps", static_cast<double>(state.inconsistent_steps),
       fmt::format("at {} steps no v solved D^-1 H v = D^-1 f_y: the follower's Hessian is singular there beyond what "
                   "the exponent and the centre cure",
                   state.inconsistent_steps)}};
}

void describe(OptionTable& table, UnibioOptions& options) {
  table.group("Follower")
      .add("follower-every", options.follower_every, "the follower answers anew in every I-th leader step", at_least(1))
      .add("follower-budget", options.budget, "gradient steps of each of its answers, over all epochs", at_least(1))
      .add("first-epoch", options.first_epoch,
           "steps T_1 of the first epoch; later ones are 2^(2 (p-1) / p) times as long", at_least(1))
      .add("first-radius", options.first_radius,
           "radius R_1 of the first epoch's ball, to reach the answer; auto: 1 + |y|", greater_than(0))
      .add("inner-step-size", options.inner_step_size,
           "the follower's step a, stable for a L < 1; auto: 0.9 / L with the curvature L measured", greater_than(0))
      .add("gradient-noise", options.gradient_noise,
           "standard deviation of noise added to every entry of the follower's gradients, for experiments",
           at_least(0));
  table.group("Hypergradient")
      .add("exponent", options.exponent,
           "the follower's objective grows at least like |y - y*|^p; `bilevel inspect` measures p", between(2, 100))
      .add("centre", options.centre, "where its Hessian degenerates, in every coordinate")
      .add("power-floor", options.floor, "least entry of D = (p-1) |y - centre|^(p-2)", greater_than(0))
      .add("power-solver", options.solver,
           "how D^-1 H v = D^-1 f_y is solved; auto: krylov on all samples, the series neumann on batches",
           {{"auto", UnibioSolver::automatic}, {"krylov", UnibioSolver::krylov}, {"neumann", UnibioSolver::neumann}})
      .add("power-tolerance", options.tolerance, "krylov: stop at this residual, relative", between(1e-15, 0.5))
      .add("series-terms", options.terms, "neumann: the last Q of the terms q = 0, .., Q", between(0, 1e6))
      .add("series-step-size", options.series_step_size,
           "neumann: nu; auto: 0.9 / the largest eigenvalue of D^-1 H, measured, half of it on batches",
           greater_than(0));
  table.group("Leader")
      .add("outer-step-size", options.outer_step_size,
           "the leader's step; auto: shortened when the upper objective rises, lengthened while it falls",
           greater_than(0))
      .add("momentum", options.momentum, "beta: how slowly the direction forgets", at_least(0) & less_than(1));
  table.group("Samples")
      .add("batch-size", options.batch_size, "samples of each gradient, at most all of them; auto: 64", at_least(1))
      .add("sampling-seed", options.seed, "of the batches and of the noise");
}

}  // namespace bilevel
