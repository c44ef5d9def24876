#include "method_cost.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "bilevel/run.hpp"
#include "bilevel/unibio.hpp"
#include "uniformly_convex_games.hpp"

namespace bilevel::bench {

namespace {

constexpr int kExponents[] = {2, 4, 6, 8};
constexpr double kAccuracies[] = {0.2, 0.1, 0.05, 0.025};  // at the start it is 0.36
constexpr std::uint64_t kSeeds = 10;

/// |phi'(x)| after each step.
struct Slopes final : Observer {
  std::vector<double> slopes;
  void on_step(const TraceRow&, const OuterMethod::State& state) override {
    slopes.push_back(std::abs(testing::power_game_slope(state.x[0])));
  }
};

/// Mean over the seeds of |phi'| after each of `steps` steps of length eta.
std::vector<double> mean_slopes(int p, double eta, Index budget, Index steps) {
  std::vector<double> mean(static_cast<std::size_t>(steps), 0.0);
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const UnibioOptions options{
        .sampling = {.iterations_per_round = 1, .inner_step_size = 1, .outer_step_size = eta, .seed = seed},
        .exponent = static_cast<double>(p),
        .budget = budget,
        .first_radius = 1,
        .gradient_noise = 1,
        .solver = UnibioSolver::neumann};
    Slopes slopes;
    StopRule stop;
    stop.tolerance = 0;
    stop.max_iterations = steps;
    run(testing::power_game(p), Unibio(options), stop, {&slopes});
    for (std::size_t t = 0; t < mean.size(); ++t) mean[t] += slopes.slopes.at(t) / static_cast<double>(kSeeds);
  }
  return mean;
}

/// The first step from which the mean over a window of steps is below the accuracy.
std::optional<Index> first_below(const std::vector<double>& slopes, double accuracy) {
  constexpr std::size_t kWindow = 20;
  double sum = 0;
  for (std::size_t t = 0; t < slopes.size(); ++t) {
    sum += slopes[t];
    if (t >= kWindow) sum -= slopes[t - kWindow];
    if (t + 1 >= kWindow && sum <= accuracy * kWindow) return static_cast<Index>(t + 1);
  }
  return {};
}

/// The least calls of g over lengths of steps and budgets of the follower.
std::optional<double> least_cost(int p, double accuracy) {
  constexpr Index kMostBudget = 1024, kSeriesTerms = 20;
  constexpr double kWay = 2.6;  // from x = 1 to -pi / 2
  std::optional<double> least;
  for (const double share : {1.0, 0.5, 0.25}) {
    const double eta = share * accuracy;
    const auto steps = static_cast<Index>(2 * kWay / eta) + 100;
    for (Index budget = 4; budget <= kMostBudget; budget *= 2) {
      const double of_step = 0.5 * static_cast<double>(budget) + kSeriesTerms + 2;
      if (least && of_step * kWay / eta > *least) break;  // on its way already dearer
      const auto step = first_below(mean_slopes(p, eta, budget, steps), accuracy);
      if (step) least = std::min(least.value_or(INFINITY), of_step * static_cast<double>(*step));
    }
  }
  return least;
}

}  // namespace

void print_method_costs() {
  fmt::print(
      "\nOracle calls of g (thousands) until the mean of |phi'| over 20 steps and {} seeds is below the accuracy, "
      "noise "
      "1;\nthe least over steps of 1, 1/2, 1/4 of the accuracy and budgets of 4 to 1024. The exponent is the slope of\n"
      "log cost against log 1/accuracy; the bound is the paper's, 5 p - 6\n\n{:>3}",
      kSeeds, "p");
  for (const double accuracy : kAccuracies) fmt::print("{:>10}", accuracy);
  fmt::print("{:>11}{:>8}\n", "exponent", "bound");
  for (const int p : kExponents) {
    fmt::print("{:>3}", p);
    std::vector<std::pair<double, double>> points;
    for (const double accuracy : kAccuracies) {
      const auto cost = least_cost(p, accuracy);
      fmt::print("{:>10}", cost ? fmt::format("{:.3g}", *cost / 1000) : "-");
      if (cost) points.emplace_back(-std::log(accuracy), std::log(*cost));
    }
    const auto slope = points.size() < 2 ? NAN
                                         : (points.back().second - points.front().second) /
                                               (points.back().first - points.front().first);
    fmt::print("{:>11.1f}{:>8}\n", slope, 5 * p - 6);
  }
}

}  // namespace bilevel::bench
