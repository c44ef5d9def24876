// Figures 2 and 3 of [BLPV25, Sec. 5.4] as counted facts.
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <string>

#include "bilevel/dpbg.hpp"
#include "bilevel/run.hpp"
#include "figure_games.hpp"

namespace bilevel::testing {
namespace {

RunResult descend(const BilevelProblem& game, double a_f, Index steps) {
  DpbgOptions options{.inner_steps = 9, .inner_step_size = kFigureStepSize};
  options.leader.step_size = a_f;
  StopRule stop;
  stop.tolerance = 0;
  stop.max_iterations = steps;
  return run(game, Dpbg(options), stop);
}

double finding(const RunResult& result, const std::string& name) {
  for (const auto& found : result.findings) {
    if (found.name == name) return found.value;
  }
  throw std::out_of_range(name);
}

TEST(Figure2, LongPlateausAtTheBilevelSolutionsBurstsAndNoRest) {
  constexpr Index kSteps = 10000;
  for (const double start : {1.2, 0.5}) {
    const auto result = descend(figure_game(0.1, start), 1.0, kSteps);
    ASSERT_EQ(result.iterations, kSteps) << result.message;

    // The values of the bilevel solutions y = 1 and y = -1 are 0.81 and 1.21; a plateau ends well before 0.9 of either.
    // Counted from the trace alone, then held against what the method itself noticed.
    Index at_solutions = 0, bursts = 0, last_burst = 0;
    bool in_burst = false;
    for (const auto& row : result.trace) {
      const double f = row.report.upper;
      at_solutions += std::abs(f - 0.81) < 0.12 || std::abs(f - 1.21) < 0.12;
      const bool burst = row.report.hypergradient_norm > 1;  // c > 1: |f_y| is below 2.2 all along
      bursts += burst && !in_burst;
      if (burst) last_burst = row.iteration;
      in_burst = burst;
    }
    EXPECT_GT(at_solutions, kSteps * 9 / 10) << "most steps are spent where the bilevel solutions are";
    EXPECT_GT(bursts, 50);
    EXPECT_GT(last_burst, kSteps - 500) << "it has not settled after ten thousand steps";
    EXPECT_GT(finding(result, "pseudo_stable_steps"), 0.9 * kSteps);
    EXPECT_GT(finding(result, "longest_plateau"), 150);
    // Every burst throws it off a plateau.
    EXPECT_NEAR(finding(result, "escapes"), static_cast<double>(bursts), 0.1 * static_cast<double>(bursts));

    const auto& state = dynamic_cast<const Dpbg::State&>(*result.state);
    // rho^9 = 0.64^9 = 0.02 of the start's distance, at most 2 from +-1, is left.
    EXPECT_NEAR(std::abs(state.plateau_y[0]), 1, 0.05);
  }
}

TEST(Figure2, TheSharpMinimumIsRepulsiveForThisStepButNotForAShortOne) {
  // phi^k has curvature 2 (dA^k/dz)^2 = 2 * 4.39^2 = 38.6 at its minimum: repulsive for a_f > 2 / 38.6 = 0.052.
  const auto settled = descend(figure_game(0.1, 1.2), 0.02, 4000);
  EXPECT_LE(settled.upper, 1e-20) << "f = 0 to rounding: y = 0.1, which no follower would choose";
  EXPECT_EQ(finding(settled, "phase"), static_cast<double>(DpbgPhase::sharpening));
  const auto restless = descend(figure_game(0.1, 1.2), 0.06, 4000);
  EXPECT_GE(restless.upper, 1e-3);
  bool said = false;
  for (const auto& found : settled.findings)
    said |= found.text.find("critical point of the upper objective alone") != std::string::npos;
  EXPECT_TRUE(said) << "|grad phi^k| = 0 is not called a success";
}

TEST(Figure3, ConvergesToTheMinimumOfTheUpperObjectiveAlone) {
  for (const double start : {1.2, 0.5}) {
    const auto result = descend(figure_game(2, start), 1.0, 2000);
    EXPECT_LE(result.upper, 1e-20) << "f = 0 to rounding";
    EXPECT_NEAR(result.y[0], 2, 1e-10) << "not the bilevel solution y = 1";
    const auto& state = dynamic_cast<const Dpbg::State&>(*result.state);
    // The path stays where g = y^2 - 3/2, so z = 2 / (1 - 2 a)^9 in closed form.
    EXPECT_NEAR(state.z[0], 2 / std::pow(1 - 2 * kFigureStepSize, 9), 1e-9);
    EXPECT_EQ(state.phase, DpbgPhase::diverging);
    EXPECT_EQ(finding(result, "escapes"), 1) << "it passed the plateau of the bilevel solution and left it";
    EXPECT_GT(finding(result, "longest_plateau"), 100);
  }
}

TEST(Figure3, TheMinimiserOfPhiKRunsOffExponentiallyInK) {
  // The inverse of a step where g = y^2 - 3/2 is y / (1 - 2 a): |z_k| = 2 / 0.82^k, exponential, not linear.
  const auto game = figure_game(2, 1);
  const GradientDescentMap map(*game.lower, kFigureStepSize);
  Vec z = vec({2});
  double previous = 2;
  for (int k = 1; k <= 30; ++k) {
    const auto inverse = map.invert(game.x0, z);
    ASSERT_TRUE(inverse.found) << k;
    z = inverse.y;
    EXPECT_GT(std::abs(z[0]), std::abs(previous));
    // Every inversion is good to 4e-16 relatively, magnified by 1/0.82 each further one: below 1e-12 after thirty.
    EXPECT_NEAR(z[0] / (2 / std::pow(0.82, k)), 1, 1e-12) << k;
    Vec y = z;
    for (int j = 0; j < k; ++j) y = map.apply(game.x0, y);
    EXPECT_NEAR(y[0], 2, 1e-12) << "A^k(z_k) = 2";
    previous = z[0];
  }
  EXPECT_GT(z[0], 700);
}

}  // namespace
}  // namespace bilevel::testing
