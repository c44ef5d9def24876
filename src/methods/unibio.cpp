#include "bilevel/unibio.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace bilevel {

namespace {

/// Whether g rose from `start` to `end`, beyond rounding.
bool rose(const Objective& g, const Vec& x, const Vec& start, const Vec& end) {
  constexpr double kRounding = 1e-12;
  if (!g.provides().has(Oracle::value)) return true;
  const double before = g.value(x, start);
  return !(g.value(x, end) <= before + kRounding * (1 + std::abs(before)));
}

/// Empty where every batch holds all samples.
std::function<Batch()> source_of(BatchSource& batches) {
  if (batches.is_full()) return {};
  return [&batches] { return batches.next(); };
}

}  // namespace

Unibio::Unibio(UnibioOptions options) : StochasticMethod(options.sampling), options_(std::move(options)) {
  check_options(options_);
}

OuterMethod::Needs Unibio::needs() const {
  return {Oracle::value | Oracle::grad_x | Oracle::grad_y, Oracle::grad_y | Oracle::hess_yy | Oracle::hess_xy};
}

std::unique_ptr<OuterMethod::State> Unibio::do_init(const BilevelProblem& problem) const {
  return std::make_unique<State>(problem, sampling());
}

Index Unibio::follower_steps() const { return std::max<Index>(1, options_.budget / options_.follower_every); }

Index Unibio::batches_per_iteration() const { return follower_steps() + options_.terms + cross_batches(); }

void Unibio::follow(const BilevelProblem& problem, State& s) const {
  constexpr int kShortenings = 24;
  const Objective& g = *problem.lower;
  EpochSgdOptions options{.exponent = options_.exponent,
                          .budget = options_.budget,
                          .first_epoch = options_.first_epoch,
                          .first_radius = options_.first_radius.value_or(1 + norm(s.y)),
                          .noise = options_.gradient_noise};
  const EpochSgdSources sources{source_of(s.lower_batches), &s.random};
  // Whether the step was too long shows in g_y and g where they are exact.
  const bool exact = s.lower_batches.is_full() && !adds_noise() && !sampling().inner_step_size;
  for (int attempt = 0;; ++attempt) {
    options.first_step = s.a * s.follower_shortening;
    auto followed = epoch_sgd(g, s.x, s.y, options, sources);
    const bool too_long = exact && (!followed.finite || (norm(g.grad_y(s.x, followed.y)) > followed.first_residual &&
                                                         rose(g, s.x, s.y, followed.y)));
    if (too_long && attempt < kShortenings) {
      s.follower_shortening *= 0.5;
      continue;
    }
    s.y = std::move(followed.y);
    if (!followed.finite) {
      s.broken = {Status::nonfinite, fmt::format("the follower became non-finite at step {} of Epoch-SGD with "
                                                 "inner-step-size {:.3g}",
                                                 followed.steps, options.first_step)};
    }
    return;
  }
}

HypergradientResult Unibio::hypergradient(const BilevelProblem& problem, State& s) const {
  const bool batches = !s.lower_batches.is_full();
  const bool series =
      options_.solver == UnibioSolver::neumann || (options_.solver == UnibioSolver::automatic && batches);
  PowerTransformedOptions options{.transform = {.exponent = options_.exponent,
                                                .centre = Vec::Constant(s.y.size(), options_.centre),
                                                .floor = options_.floor},
                                  .solver = series ? PowerSolver::neumann : PowerSolver::krylov,
                                  .tolerance = options_.tolerance,
                                  .terms = options_.terms,
                                  .step_size = s.b};
  PowerTransformedBatches sources{source_of(s.upper_batches), source_of(s.lower_batches)};
  std::vector<std::uint32_t> cross;
  if (batches) {
    sources.cross = [&] {
      cross.clear();
      for (Index i = 0; i < cross_batches(); ++i) {
        const auto drawn = s.lower_batches.next().indices();
        cross.insert(cross.end(), drawn.begin(), drawn.end());
      }
      return Batch(cross);
    };
  }
  auto result = power_transformed(problem, s.x, s.y, options, s.memory, sources);
  // One batch may be far more curved than that on which nu was measured.
  constexpr int kShortenings = 4;
  const bool adapts = !sampling().adjoint_step_size;
  for (int i = 0; i < kShortenings && series && adapts && result.status == Status::breakdown; ++i) {
    options.step_size = 0.5 * s.memory.series_step_size;
    result = power_transformed(problem, s.x, s.y, options, s.memory, sources);
  }
  // Krylov's least-squares answer is the best there is where f_y leaves the range of H at a single degenerate point.
  if (result.status == Status::breakdown && !series && all_finite(result.gradient)) {
    ++s.inconsistent_steps;
    result.status = Status::converged;
  }
  return result;
}

void Unibio::iterate(const BilevelProblem& problem, StochasticMethod::State& base) const {
  auto& s = static_cast<State&>(base);
  if (s.i == 0) s.follower_shortening = std::min(1.0, 2 * s.follower_shortening);
  if (s.k % options_.follower_every == 0 && !s.answers) follow(problem, s);
  if (s.broken) return;
  auto result = hypergradient(problem, s);
  if (result.status != Status::converged) {
    s.broken = {result.status, std::move(result.message)};
    return;
  }
  if (s.lower_batches.is_full()) {
    s.v = std::move(result.adjoint);
  } else {
    s.average_adjoint(result.adjoint);
  }
  if (s.momentum.size() == 0) s.momentum = Vec::Zero(s.x.size());
  s.momentum = options_.momentum * s.momentum + (1 - options_.momentum) * result.gradient;
  const double length = norm(s.momentum);
  if (length > 0) s.x -= (s.gamma / length) * s.momentum;
  s.answers = s.round_length > 1 && s.i + 1 == s.round_length;
  if (s.answers) follow(problem, s);
}

std::vector<Finding> Unibio::findings(const OuterMethod::State& base) const {
  const auto& state = dynamic_cast<const State&>(base);
  if (state.inconsistent_steps == 0) return {};
  return {
      {"inconsistent_steps", static_cast<double>(state.inconsistent_steps),
       fmt::format("at {} iterations no v solved D^-1 H v = D^-1 f_y: the follower's Hessian is singular there beyond "
                   "what the exponent and the centre cure",
                   state.inconsistent_steps)}};
}

void describe(OptionTable& table, UnibioOptions& options) {
  describe(table, options.sampling);
  table.group("Follower")
      .add("follower-every", options.follower_every, "the follower answers anew in every I-th iteration",
           between(1, 1e9))
      .add("follower-budget", options.budget, "gradient steps of each of its answers, over all epochs", between(1, 1e9))
      .add("first-epoch", options.first_epoch,
           "steps T_1 of the first epoch; later ones are 2^(2 (p-1) / p) times as long", between(1, 1e9))
      .add("first-radius", options.first_radius,
           "radius R_1 of the first epoch's ball, to reach the answer; auto: 1 + |y|", greater_than(0))
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
      .add("cross-batches", options.cross_batches,
           "batches that the mixed derivative is averaged over; auto: as many as the series draws", between(1, 1e6));
  table.group("Leader").add("momentum", options.momentum, "beta: how slowly the direction forgets",
                            at_least(0) & less_than(1));
}

}  // namespace bilevel
