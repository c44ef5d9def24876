#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "bilevel/bgs_opt.hpp"
#include "bilevel/run.hpp"
#include "flat_game.hpp"
#include "selection/tables.hpp"

namespace bilevel::bench {

namespace {

constexpr double kInnerStepSize = 1;                   // 1 / L
constexpr double kOuterStepSize = 2.0 / (1.0 + 10.0);  // the best for A_u's eigenvalues 1 .. 10

struct Limit {
  double error = 0;  // |x - x*| / |x*|
  Index steps = 0;
  double seconds = 0;
};

Limit limit_of(const testing::FlatGame& game, Index warm, Index unrolled_steps, bool correction) {
  BgsOptOptions options{.warm_start_steps = warm,
                        .unrolled_steps = unrolled_steps,
                        .correction = correction,
                        .inner_step_size = kInnerStepSize,
                        .adjoint_tolerance = 1e-14};
  options.leader.step_size = kOuterStepSize;
  StopRule stop;
  stop.tolerance = 1e-13;
  stop.max_iterations = 400;
  const auto start = std::chrono::steady_clock::now();
  const auto result = run(game.problem, BgsOpt(options), stop);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const Vec& expected = game.problem.known->x;
  return {norm(result.x - expected) / norm(expected), result.iterations, seconds.count()};
}

}  // namespace

void print_bias_table(Index n, Index m) {
  const Index flat = 9 * m / 40;
  const auto game = testing::flat_game(1, flat, 0.1, n, m);
  fmt::print(
      "\nQuadratic game, {} leader variables, {} follower variables, {} of the follower's eigenvalues zero\n"
      "Relative error of x where BGS-Opt ends; predicted: the limit of T uncorrected steps in closed form\n\n"
      "    M    T   uncorrected   predicted   corrected   leader steps   seconds\n",
      n, m, flat);
  const Vec& expected = game.problem.known->x;
  for (const auto& [M, T] : {std::pair<Index, Index>{0, 1}, {0, 3}, {0, 10}, {0, 30}, {0, 100}, {1, 0}, {10, 0}}) {
    const auto corrected = limit_of(game, M, T, true);
    std::string left = fmt::format("{:>13}{:>12}", "refused", "");
    double seconds = corrected.seconds;
    if (T > 0) {
      const auto uncorrected = limit_of(game, M, T, false);
      const Vec predicted = game.uncorrected_limit(T, kInnerStepSize);
      left = fmt::format("{:>13.2g}{:>12.2g}", uncorrected.error, norm(predicted - expected) / norm(expected));
      seconds += uncorrected.seconds;
    }
    fmt::print("{:>5}{:>5} {}{:>12.1g}{:>15}{:>10.2f}\n", M, T, left, corrected.error, corrected.steps, seconds);
    std::fflush(stdout);
  }
}

}  // namespace bilevel::bench
