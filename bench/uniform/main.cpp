// UniBiO on a follower whose exponent is known, against the closed form: bilevel_uniform. One minute.
#include <fmt/format.h>

#include <cmath>
#include <exception>
#include <optional>

#include "bilevel/run.hpp"
#include "bilevel/unibio.hpp"
#include "method_cost.hpp"
#include "uniformly_convex_games.hpp"

namespace bilevel::bench {

namespace {

constexpr int kExponents[] = {2, 4, 6, 8};
constexpr double kLengths[] = {0.05, 0.03, 0.02, 0.01};  // eta

/// The settings of the paper's synthetic experiment.
UnibioOptions settings(int p, double eta, double noise, std::uint64_t seed) {
  return {.sampling = {.iterations_per_round = 1, .inner_step_size = 1, .outer_step_size = eta, .seed = seed},
          .exponent = static_cast<double>(p),
          .follower_every = 2,
          .budget = 100,
          .first_epoch = 5,
          .first_radius = 1,
          .gradient_noise = noise,
          .solver = UnibioSolver::neumann,
          .momentum = 0.9};
}

/// |G| at the computed y, its distance to phi'(x), and |phi'(x)| itself, at each step.
struct Errors final : Observer {
  struct Row {
    double estimate = 0, error = 0, slope = 0;
  };
  std::vector<Row> rows;
  const BilevelProblem& problem;
  int p;

  Errors(const BilevelProblem& of, int exponent) : problem(of), p(exponent) {}

  void on_step(const TraceRow&, const OuterMethod::State& state) override {
    PowerTransformedOptions options{.solver = PowerSolver::neumann};
    options.transform.exponent = p;
    const double estimate = power_transformed(problem, state.x, state.y, options).gradient[0];
    const double slope = testing::power_game_slope(state.x[0]);
    rows.push_back({std::abs(estimate), std::abs(estimate - slope), std::abs(slope)});
  }
};

void print_errors() {
  constexpr std::uint64_t kSeeds = 10;
  fmt::print(
      "\ng = y^p / p - y sin x, f = sin(y^(p-1)): hypergradient G at the computed y against phi' = cos x cos(sin x)\n"
      "500 steps, beta = 0.9, I = 2, budget 100, T_1 = 5, R_1 = step_1 = 1; means over the last 50 steps and {} "
      "seeds\n\n"
      "{:>3}{:>7}{:>7} |{:>10}{:>10}{:>10}{:>10} |{:>12}{:>12}{:>12}\n",
      kSeeds, "p", "noise", "eta", "|G| at 1", "50", "150", "500", "|G - phi'|", "|phi'|", "|x + pi/2|");
  for (int i = 0; i < 4; ++i) {
    for (const double noise : {0.0, 0.1, 1.0}) {
      const int p = kExponents[i];
      double at[4] = {}, error = 0, slope = 0, distance = 0;
      for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        const auto problem = testing::power_game(p);
        Errors errors(problem, p);
        StopRule stop;
        stop.tolerance = 0;
        stop.max_iterations = 500;
        const auto result = run(problem, Unibio(settings(p, kLengths[i], noise, seed)), stop, {&errors});
        const auto share = 1.0 / static_cast<double>(kSeeds);
        const std::size_t places[] = {0, 49, 149, 499};
        for (int k = 0; k < 4; ++k) at[k] += share * errors.rows.at(places[k]).estimate;
        for (std::size_t t = 450; t < 500; ++t) {
          error += share / 50 * errors.rows.at(t).error;
          slope += share / 50 * errors.rows.at(t).slope;
        }
        distance += share * std::abs(result.x[0] + 0.5 * std::numbers::pi);
      }
      fmt::print("{:>3}{:>7}{:>7} |{:>10.2g}{:>10.2g}{:>10.2g}{:>10.2g} |{:>12.2g}{:>12.2g}{:>12.2g}\n", p, noise,
                 kLengths[i], at[0], at[1], at[2], at[3], error, slope, distance);
    }
  }
}

/// Root mean square of u - sin x over the seeds after one Epoch-SGD from y = 1.
double follower_error(const BilevelProblem& problem, int p, double x, double noise, Index budget) {
  constexpr std::uint64_t kSeeds = 20;
  double squares = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Random random(seed);
    const auto summary =
        epoch_sgd(*problem.lower, testing::vec({x}), testing::vec({1}),
                  {.exponent = static_cast<double>(p), .budget = budget, .noise = noise}, {.random = &random});
    const double u = testing::signed_power(summary.y[0], p - 1);
    squares += (u - std::sin(x)) * (u - std::sin(x)) / static_cast<double>(kSeeds);
  }
  return std::sqrt(squares);
}

/// The least power of two of steps from which on the error stays below, or empty within the most tried.
std::optional<Index> steps_to(const BilevelProblem& problem, int p, double x, double noise, double accuracy) {
  constexpr Index kMost = Index{1} << 17;
  std::optional<Index> found;
  for (Index budget = kMost; budget >= 4; budget /= 2) {
    if (follower_error(problem, p, x, noise, budget) > accuracy) break;
    found = budget;
  }
  return found;
}

void print_costs() {
  fmt::print(
      "\nGradients that one Epoch-SGD from y = 1 takes until the root mean square of u - u* over 20 seeds is below "
      "the\n"
      "accuracy, noise 1, T_1 = 5, R_1 = step_1 = 1; - : more than 131072. The exponent is the slope of log cost "
      "against\n"
      "log 1/accuracy\n\n{:>3}{:>8}{:>10}{:>10}{:>10}{:>10}{:>10}{:>11}\n",
      "p", "x", "0.4", "0.2", "0.1", "0.05", "0.025", "exponent");
  for (const double x : {0.0, 0.5}) {
    for (const int p : kExponents) {
      const auto problem = testing::power_game(p);
      fmt::print("{:>3}{:>8}", p, x);
      std::vector<std::pair<double, double>> points;
      for (const double accuracy : {0.4, 0.2, 0.1, 0.05, 0.025}) {
        const auto steps = steps_to(problem, p, x, 1, accuracy);
        fmt::print("{:>10}", steps ? fmt::format("{}", *steps) : "-");
        if (steps && *steps > 4) points.emplace_back(-std::log(accuracy), std::log(static_cast<double>(*steps)));
      }
      if (points.size() < 2) {
        fmt::print("{:>11}\n", "-");
        continue;
      }
      fmt::print("{:>11.1f}\n",
                 (points.back().second - points.front().second) / (points.back().first - points.front().first));
    }
  }
}

}  // namespace

}  // namespace bilevel::bench

int main() {
  try {
    bilevel::bench::print_errors();
    bilevel::bench::print_costs();
    bilevel::bench::print_method_costs();
  } catch (const std::exception& error) {
    fmt::print(stderr, "bilevel_uniform: {}\n", error.what());
    return 1;
  }
}
