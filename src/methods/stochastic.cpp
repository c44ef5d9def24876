#include "bilevel/stochastic.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "bilevel/lower.hpp"
#include "methods/gradient_differences.hpp"

namespace bilevel {

namespace {

constexpr Index kBatchSize = 64;
constexpr Index kLeastSteps = 50;         // of the follower in a round: what a condition of 10 takes to settle
constexpr Index kLeastIterations = 10;    // of a round: what an average needs to mean something
constexpr Index kMostIterations = 1000;   // of a round
constexpr double kCurvatureMargin = 0.5;  // a L aimed at
constexpr double kFirstMove = 0.1;        // root mean square of the first round that moves x
constexpr std::size_t kRemembered = 10;   // values of f and |h| that new ones are compared with
constexpr double kLongestMove = 0.1;      // of a coordinate in any round, relative to 1 + max |x_i|

double longest_entry(const Vec& v) { return v.lpNorm<Eigen::Infinity>(); }

bool moved_far(const Vec& now, const Vec& then) {
  constexpr double kFar = 0.03;
  return longest_entry(now - then) > kFar * (1 + longest_entry(now));
}

void remember(std::vector<double>& recent, double value) {
  recent.push_back(value);
  if (recent.size() > kRemembered) recent.erase(recent.begin());
}

/// Whether f fell by more than rounding.
bool fell(double now, double then) {
  constexpr double kRounding = 1e-12;
  return now < then - kRounding * std::abs(then);
}

/// Whether f rose beyond what the last rounds' descent and noise can explain.
bool far_above(double upper, const std::vector<double>& recent) {
  constexpr double kAllowed = 3, kRounding = 1e-8;
  const auto [least, most] = std::minmax_element(recent.begin(), recent.end());
  return upper > *most + kAllowed * (*most - *least) + kRounding * std::abs(*most);
}

Curvature curvature_of(const Objective& g, bool has_products, const StochasticMethod::State& s) {
  // From a random start: the last eigenvector would hide a direction that has become the steepest since.
  if (has_products) return measure_curvature(g.linearize(s.x, s.y), g.dim_y());
  const GradientDifferences differences(g);
  return measure_curvature(differences.linearize(s.x, s.y), g.dim_y());
}

}  // namespace

std::size_t StochasticOptions::batch(std::size_t samples) const {
  return std::min(samples, static_cast<std::size_t>(batch_size.value_or(kBatchSize)));
}

BatchSource::BatchSource(std::size_t samples, std::size_t batch_size, std::uint64_t seed)
    : batches_per_pass_(static_cast<Index>((samples + batch_size - 1) / batch_size)) {
  if (batch_size < samples) sampler_.emplace(samples, batch_size, seed);
}

StochasticMethod::State::State(const BilevelProblem& problem, const StochasticOptions& options)
    : lower_batches(problem.lower->samples(), options.batch(problem.lower->samples()), 3 * options.seed),
      upper_batches(problem.upper->samples(), options.batch(problem.upper->samples()), 3 * options.seed + 1),
      random(3 * options.seed + 2),
      v(Vec::Zero(problem.dim_y())) {
  x = problem.x0;
  y = problem.y0;
}

std::unique_ptr<OuterMethod::State> StochasticMethod::do_init(const BilevelProblem& problem) const {
  return std::make_unique<State>(problem, sampling_);
}

Index StochasticMethod::iterations_per_round(const State& state) const {
  const auto over = [](Index count, Index each) { return (count + each - 1) / each; };
  const Index pass = over(state.lower_batches.batches_per_pass(), batches_per_iteration());
  const Index least = std::max(kLeastIterations, over(kLeastSteps, follower_steps()));
  return sampling_.iterations_per_round.value_or(std::clamp(pass, least, kMostIterations));
}

void StochasticMethod::note_sampling(State& s) const {
  if (!sampling_.batch_size) {
    note_choice(s.choices,
                {"batch-size", "auto", fmt::format("{}", kBatchSize), "or all samples where there are fewer"});
  }
  if (!sampling_.iterations_per_round) {
    note_choice(s.choices, {"iterations-per-round", "auto", fmt::format("{}", s.round_length),
                            fmt::format("a pass takes {} batches of the follower's samples, an iteration {}",
                                        s.lower_batches.batches_per_pass(), batches_per_iteration())});
  }
}

void StochasticMethod::choose_inner_steps(const BilevelProblem& problem, State& s) const {
  const bool has_adjoint = needs().lower.has(Oracle::hess_yy);
  const bool chooses_b = has_adjoint && !sampling_.adjoint_step_size && adjoint() != Adjoint::own_series;
  const bool measures = !sampling_.inner_step_size || chooses_b;
  const bool stale =
      s.measured_x.size() == 0 || s.unsettled || moved_far(s.x, s.measured_x) || moved_far(s.y, s.measured_y);
  if (measures && stale) {
    s.curvature = curvature_of(*problem.lower, has_adjoint, s).largest;
    s.measured_x = s.x;
    s.measured_y = s.y;
  }
  const double noise = is_noisy(s) ? 1 / std::sqrt(1.0 + static_cast<double>(s.reversals)) : 1;
  const bool usable = s.curvature > 0 && std::isfinite(s.curvature);
  const double longest = kCurvatureMargin * s.shortening / (usable ? s.curvature : kCurvatureMargin);
  s.a = sampling_.inner_step_size.value_or(noise * longest);
  s.b = sampling_.adjoint_step_size.value_or(!chooses_b                       ? 0
                                             : adjoint() == Adjoint::iterated ? noise * longest
                                                                              : longest);
  const auto note = [&](const char* option, double used, double margin) {
    note_choice(s.choices,
                {option, "auto", fmt::format("{:.4g}", used),
                 fmt::format("{:.3g} / L, L = {:.4g} by power iteration, {} reversals of the hypergradient so far",
                             margin, s.curvature, s.reversals)});
  };
  if (!sampling_.inner_step_size) note("inner-step-size", s.a, s.a * s.curvature);
  if (chooses_b) note("adjoint-step-size", s.b, s.b * s.curvature);
}

bool StochasticMethod::is_noisy(const State& s) const {
  return !s.lower_batches.is_full() || !s.upper_batches.is_full() || adds_noise();
}

StochasticMethod::Look StochasticMethod::look(const BilevelProblem& problem, const State& s) const {
  auto f = problem.upper->evaluate(Oracle::value | Oracle::grad_x, s.x, s.y);
  OracleSet also = Oracle::grad_y;
  if (problem.lower->provides().has(Oracle::value)) also = also | Oracle::value;
  const auto g = problem.lower->linearize(s.x, s.y, full, also);
  return {*f.grad_x - g.hess_xy(s.v), *f.value, g.evaluation().value, norm(*g.evaluation().grad_y)};
}

void StochasticMethod::adapt(const Look& now, State& s) const {
  constexpr double kRise = 2, kSameWay = 0.5;
  const double length = norm(now.h), iterations = static_cast<double>(s.round_length);
  // How far gamma = 1 moves x in a round that keeps to h.
  const double unit = iterations * (leader() == Leader::normalised || !(length > 0) ? 1 : length);
  if (s.last_h.size() == 0) {  // the warm-up is over
    s.gamma = kFirstMove * std::sqrt(static_cast<double>(s.x.size())) / unit;
  } else if (length > kRise * *std::max_element(s.recent_h.begin(), s.recent_h.end())) {
    ++s.reversals;
    s.gamma *= 0.5;
  } else if (dot(now.h, s.last_h) < 0 &&
             (leader() == Leader::plain || !fell(now.upper, *std::min_element(s.recent.begin(), s.recent.end())))) {
    const auto K = static_cast<double>(++s.reversals);
    s.gamma *= is_noisy(s) ? K / (1 + K) : 0.5;
  } else if (dot(now.h, s.last_h) > kSameWay * length * norm(s.last_h) && now.upper <= s.recent.back()) {
    const double longest = kLongestMove * (1 + longest_entry(s.x));
    s.gamma = std::min(s.gamma * std::exp2(1 / (1.0 + static_cast<double>(s.reversals))),
                       longest * length / (longest_entry(now.h) * unit));
  }
  s.shortening = std::min(1.0, 2 * s.shortening);
  note_choice(s.choices,
              {"outer-step-size", "auto", fmt::format("{:.4g}", s.gamma),
               "of one iteration: shortened when the hypergradient turns around, lengthened while it keeps its "
               "direction"});
}

StepReport StochasticMethod::step(const BilevelProblem& problem, OuterMethod::State& base) const {
  constexpr int kRetreats = 8;
  constexpr double kRetreat = 0.25, kExplosion = 10, kUnsettled = 2;
  auto& s = dynamic_cast<State&>(base);
  const bool adapts = !sampling_.outer_step_size;
  if (!adapts) s.gamma = *sampling_.outer_step_size;
  s.round_length = iterations_per_round(s);
  if (s.iteration == 0) note_sampling(s);
  const auto before = s.clone();

  StepReport report;
  Look now;
  for (int attempt = 0;; ++attempt) {
    choose_inner_steps(problem, s);
    const auto goes_on = [&] { return !s.broken && all_finite(s.x) && all_finite(s.y) && all_finite(s.v); };
    for (s.i = 0; s.i < s.round_length && goes_on(); ++s.i, ++s.k) iterate(problem, s);
    const char* what = !all_finite(s.x) ? "x" : !all_finite(s.y) ? "y" : !all_finite(s.v) ? "the adjoint v" : nullptr;
    if (!s.broken && what == nullptr) {
      now = look(problem, s);
      if (!std::isfinite(now.upper)) what = "f";
      if (!all_finite(now.h) || !std::isfinite(now.lower_residual)) what = "the hypergradient";
    }
    if (!s.broken && what != nullptr) {
      s.broken = {Status::nonfinite, fmt::format("{} became non-finite at iteration {} of the round, with "
                                                 "inner-step-size {:.4g}, adjoint-step-size {:.4g} and "
                                                 "outer-step-size {:.4g}",
                                                 what, s.i, s.a, s.b, s.gamma)};
    }
    const bool exploded = !s.broken && adapts && s.recent.size() > 2 &&
                          (norm(now.h) > kExplosion * s.largest_h || far_above(now.upper, s.recent));
    if (!s.broken && !exploded) break;
    if (attempt == kRetreats || !adapts) {
      if (exploded) break;
      report.status = s.broken.status;
      report.message = s.broken.message;
      return report;
    }
    const double gamma = kRetreat * s.gamma, shortening = kRetreat * s.shortening;
    s.assign(*before);
    s.gamma = gamma;
    s.shortening = shortening;
    s.unsettled = true;
  }

  report.upper = now.upper;
  report.lower = now.lower;
  report.lower_residual = now.lower_residual;
  report.hypergradient_norm = norm(now.h);
  report.lower_steps = s.round_length * follower_steps();
  if (adapts) adapt(now, s);
  s.largest_h = std::max(s.largest_h, report.hypergradient_norm);
  remember(s.recent, now.upper);
  remember(s.recent_h, report.hypergradient_norm);
  s.unsettled = s.last_h.size() > 0 && now.lower_residual > kUnsettled * s.last_residual;
  s.last_residual = now.lower_residual;
  s.last_h = std::move(now.h);
  s.answered_x = s.x;
  ++s.iteration;
  return report;
}

void describe(OptionTable& table, StochasticOptions& options, bool has_adjoint) {
  table.group("Sampling")
      .add("batch-size", options.batch_size, "samples of a batch, more than there are: all of them; auto: 64",
           between(1, 1e9))
      .add("iterations-per-round", options.iterations_per_round,
           "stochastic iterations of one step; auto: a pass over the follower's samples, from 50 of the follower's "
           "steps to 1000 iterations",
           between(1, 4294967295.0))
      .add("sampling-seed", options.seed, "of the batches and of all else that is drawn");
  table.group("Follower")
      .add("inner-step-size", options.inner_step_size,
           "the follower's step a; auto: 0.5 / L with the curvature L measured, shorter with every reversal",
           greater_than(0));
  if (has_adjoint) {
    table.add("adjoint-step-size", options.adjoint_step_size, "the adjoint's step b; auto: as the follower's",
              greater_than(0));
  }
  table.group("Leader").add(
      "outer-step-size", options.outer_step_size,
      "the leader's step of one iteration; auto: halved when the hypergradient turns around, else lengthened",
      greater_than(0));
}

}  // namespace bilevel
