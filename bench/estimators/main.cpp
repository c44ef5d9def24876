// How good the directions are that the minibatch methods give the leader, against the exact hypergradient:
// bilevel_estimators. A minute and a half.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/cleaning_input.hpp"
#include "bilevel/hypergradient.hpp"
#include "bilevel/race.hpp"
#include "held_leader.hpp"
#include "oracle_timings.hpp"

namespace bilevel::bench {

namespace {

constexpr std::size_t kTrainingRows = 1000, kTrustedRows = 500;
constexpr double kCorrupt = 0.5;
constexpr Index kWarmUpRounds = 20, kBlocks = 8;
constexpr double kPasses = 8000;  // that the directions of a method may take, reports of every iteration included

/// The problem of `bilevel race --dataset fashion-mnist` with fewer rows, and in float64 so that it can be solved; its
/// follower starts at its answer.
struct Held {
  BilevelProblem problem;
  HypergradientResult exact;
  double largest = 0, c = 0;  // curvature L of g(x0, .), penalty
};

Held held_cleaning() {
  CleaningInputOptions input;
  input.dataset = "fashion-mnist";
  input.train_rows = kTrainingRows;
  input.valid_rows = kTrustedRows;
  input.corrupt = kCorrupt;
  input.precision = Precision::float64;
  CleaningOptions options;
  options.penalize_intercept = true;
  options.threads = 1;  // processor time is that of one thread
  const auto data = read_cleaning_input(input).data;
  Held held;
  held.c = cleaning_regularization(data, options);
  held.problem = cleaning_problem(data, options, held.c);
  auto& [name, f, g, x0, y0, known] = held.problem;
  y0 = Lbfgs().solve(*g, x0, y0, {.tolerance = 1e-10, .max_iterations = 3000}).y;
  held.exact = implicit(held.problem, x0, y0, {.tolerance = 1e-10});
  held.largest = measure_curvature(g->linearize(x0, y0), g->dim_y()).largest;
  return held;
}

double samples(const BilevelProblem& problem) {
  double sum = 0;
  for (const auto* objective : {problem.upper.get(), problem.lower.get()}) {
    for (const auto count : objective->counts().samples) sum += static_cast<double>(count);
  }
  return sum;
}

bool has_option(std::string_view method, const char* option) {
  return find_method(method).options()->find(option) != nullptr;
}

/// Relative to |exact|, where it is a length.
struct Row {
  std::string name;
  double bias = 0, error = 0;  // of the mean direction; of that mean
  double cosine = 0;           // of the mean and exact
  double deviation = 0;        // of one direction from the mean
  double of_round = 0;         // of the mean over a round from exact
  double samples = 0;          // of one iteration, over all oracles
  Index iterations = 1;        // of a round
  double passes = 0;           // of a round
  double seconds = 0;          // of an iteration: a round's by its iterations
};

/// Mean squares of |mean over each `length` directions - exact|.
class RoundErrors {
 public:
  RoundErrors(const Vec& exact, Index length) : exact_(exact), length_(length), sum_(Vec::Zero(exact.size())) {}
  void add(const Vec& h) {
    sum_ += h;
    if (++drawn_ % length_ != 0) return;
    squares_ += (sum_ / static_cast<double>(length_) - exact_).squaredNorm();
    sum_.setZero();
  }
  double root_mean_square() const { return std::sqrt(squares_ / static_cast<double>(drawn_ / length_)); }

 private:
  const Vec& exact_;
  Index length_, drawn_ = 0;
  Vec sum_;
  double squares_ = 0;
};

/// At registry defaults, with schedules where they stand at `round`.
Row measure(const Held& at, const std::string& name, Index round) {
  const auto& problem = at.problem;
  Row row{.name = name};
  testing::Settings settings;
  // BOME's leader step moves the follower as well.
  if (name == "bome") settings["outer-step-size"] = fmt::format("{}", 0.5 / at.largest);

  auto warming = settings;
  warming.emplace("outer-step-size", "1e-6");
  const auto method = make_method(name, warming);
  const auto state = method->init(problem);
  auto* stochastic = dynamic_cast<StochasticMethod::State*>(state.get());
  const bool has_schedule = stochastic != nullptr && name != "srba" && name != "vrbo";
  if (stochastic != nullptr) stochastic->v = at.exact.adjoint;
  const double samples_before = samples(problem), start = thread_seconds();
  const auto upper = problem.upper->counts(), lower = problem.lower->counts();
  for (Index i = 0; i < kWarmUpRounds; ++i) {
    state->x = problem.x0;
    if (has_schedule) stochastic->k = (round - 1) * stochastic->round_length;
    const auto report = method->step(problem, *state);
    if (report.status != Status::converged) throw std::runtime_error(name + ": " + report.message);
  }
  constexpr auto kRounds = static_cast<double>(kWarmUpRounds);
  if (stochastic != nullptr) row.iterations = stochastic->round_length;
  const auto iterations = static_cast<double>(row.iterations);
  row.seconds = (thread_seconds() - start) / (kRounds * iterations);
  row.passes = oracle_passes(problem, problem.upper->counts() - upper, problem.lower->counts() - lower) / kRounds;
  const double round_samples = (samples(problem) - samples_before) / kRounds;

  // The steps that the rounds measured, and iterations one by one. A step is then an iteration and its report.
  if (stochastic != nullptr) {
    settings["inner-step-size"] = fmt::format("{}", stochastic->a);
    if (has_option(name, "adjoint-step-size")) settings["adjoint-step-size"] = fmt::format("{}", stochastic->b);
  }
  testing::HeldLeader held(problem, name, settings, problem.x0, problem.y0, round);
  held.state().assign(*state);
  RoundErrors rounds(at.exact.gradient, row.iterations);
  const auto draw = [&] {
    Vec h = held();
    rounds.add(h);
    return h;
  };
  const double before_one = samples(problem);
  const auto passes_of_one = [&] {
    const auto f = problem.upper->counts(), g = problem.lower->counts();
    for (Index i = 0; i < 10; ++i) held();
    return oracle_passes(problem, problem.upper->counts() - f, problem.lower->counts() - g) / 10;
  }();
  const double step_samples = (samples(problem) - before_one) / 10;
  row.samples = row.iterations > 1 ? (round_samples - step_samples) / (iterations - 1) : step_samples;
  const auto length = static_cast<Index>(kPasses / passes_of_one / static_cast<double>(kBlocks));
  const auto statistics = testing::direction_statistics(draw, kBlocks, length);

  const Vec& exact = at.exact.gradient;
  const double size = norm(exact);
  row.bias = norm(statistics.mean - exact) / size;
  row.error = statistics.error / size;
  row.deviation = statistics.deviation / size;
  row.of_round = rounds.root_mean_square() / size;
  row.cosine = dot(statistics.mean, exact) / (size * norm(statistics.mean));
  return row;
}

void print(std::string_view title, std::vector<Row> rows) {
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.bias < b.bias; });
  fmt::print("\n{}\n\n{:<8}{:>8}{:>8}{:>8}{:>11}{:>10} |{:>9}{:>7}{:>12}{:>8}\n", title, "method", "bias", "+-",
             "cosine", "deviation", "a round", "samples", "iter.", "passes", "ms");
  for (const auto& row : rows) {
    fmt::print("{:<8}{:>8.3f}{:>8.3f}{:>8.3f}{:>11.2f}{:>10.2f} |{:>9.0f}{:>7}{:>12.1f}{:>8.2f}\n", row.name, row.bias,
               row.error, row.cosine, row.deviation, row.of_round, row.samples, row.iterations, row.passes,
               1e3 * row.seconds);
  }
  std::fflush(stdout);
}

void print_all() {
  const auto at = held_cleaning();
  const auto& problem = at.problem;
  fmt::print(
      "Cleaning fashion-mnist, {:.0f} % of {} labels wrong, {} trusted rows, c = {:.3g}: n = {}, m = {}. x is held at "
      "its\nstart; L = {:.3g}, L / (2 c) = {:.0f}; the follower is solved to |g_y| = {:.1g}, |exact| = {:.3g}. "
      "Registry "
      "defaults.\n\n"
      "bias       |mean direction - exact hypergradient| / |exact|, +- the statistical error of that mean\n"
      "cosine     of the mean direction and the exact one\n"
      "deviation  root mean square of |direction - mean| / |exact|, of one iteration\n"
      "a round    root mean square of |mean over a round - exact| / |exact|\n"
      "samples    that an iteration touches, every oracle counted; iterations, and passes with its report, of a round\n"
      "ms         of an iteration, processor time of one thread; of a step for UniBiO, which has no rounds\n",
      100 * kCorrupt, kTrainingRows, kTrustedRows, at.c, problem.dim_x(), problem.dim_y(), at.largest,
      at.largest / (2 * at.c), norm(problem.lower->grad_y(problem.x0, problem.y0)), norm(at.exact.gradient));
  std::vector<Row> rows;
  for (const auto& entry : methods()) {
    if (has_option(entry.name, "batch-size")) rows.push_back(measure(at, entry.name, 1));
  }
  print("In the first round", std::move(rows));
  rows.clear();
  for (const char* name : {"ttsa", "sustain", "mrbo", "f2sa", "meha"}) rows.push_back(measure(at, name, 100));
  print("In round 100, those whose schedules depend on it", std::move(rows));
}

}  // namespace

}  // namespace bilevel::bench

int main() {
  try {
    bilevel::bench::print_all();
  } catch (const std::exception& error) {
    fmt::print(stderr, "bilevel_estimators: {}\n", error.what());
    return 1;
  }
}
