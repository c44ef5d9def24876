// Runs and single steps of HG-MS: solutions in closed form, the penalty form, oracle calls, resuming.
#include <gtest/gtest.h>

#include <algorithm>

#include "bilevel/run.hpp"
#include "hg_ms_games.hpp"
#include "method_checks.hpp"

namespace bilevel::testing {
namespace {

class HgMsRun : public ::testing::TestWithParam<HgMsOptions> {};

TEST_P(HgMsRun, EndsWhereTheGradientOfFVanishes) {
  for (const auto& [k, m] : {std::pair<Index, Index>{1, 10}, {2, 3}, {5, 40}}) {
    const auto game = sphere_game(k, m);
    StopRule stop;
    stop.tolerance = 1e-7;
    const auto result = run(sphere_problem(game), HgMs(GetParam()), stop);
    ASSERT_EQ(result.status, Status::converged) << k << ' ' << m << ": " << result.message;
    const double sign = GetParam().selection.selection == ManifoldSelection::optimistic ? 1 : -1;
    const Vec& x = result.state->answered_x;
    // |G| <= 1e-7 of the first, which is below 5; the polish and the extrapolated penalty add less.
    EXPECT_LE(norm(game->gradient(x, sign)), 1e-6);
    EXPECT_NEAR(result.upper, game->value(x, sign), 1e-9);
    EXPECT_LE(result.iterations, 60);
  }
}

INSTANTIATE_TEST_SUITE_P(Options, HgMsRun,
                         ::testing::Values(HgMsOptions{},
                                           HgMsOptions{.selection = {.exploration = Exploration::langevin}},
                                           HgMsOptions{.selection = {.exploration = Exploration::restarts}},
                                           HgMsOptions{.hypergradient = ManifoldHypergradient::penalty},
                                           HgMsOptions{.selection = {.selection = ManifoldSelection::pessimistic}}),
                         [](const auto& setting) { return "setting" + std::to_string(setting.index); });

TEST(HgMsRuns, AQuadraticFollowerWithAUniqueAnswerIsSolved) {
  const auto problem = quadratic_problem();
  const auto result = run(problem, HgMs());
  ASSERT_EQ(result.status, Status::converged) << result.message;
  EXPECT_LE(norm(result.x - problem.known->x), 1e-6) << "|G| <= 1e-8 of about 10, curvature at least 0.1";
}

TEST(HgMsRuns, TheNetworkGameIsSolved) {
  const auto problem = penalised_network_game();
  StopRule stop;
  stop.tolerance = 1e-5;
  const auto result = run(problem, HgMs(), stop);
  ASSERT_EQ(result.status, Status::converged) << result.message;
  EXPECT_LT(result.upper, result.trace.front().report.upper);
  const auto findings = HgMs().findings(*result.state);
  const auto found = std::find_if(findings.begin(), findings.end(),
                                  [](const Finding& finding) { return finding.name == "kernel_dimension"; });
  ASSERT_NE(found, findings.end());
  EXPECT_EQ(found->value, 8);
}

TEST(HgMsPenalty, BiasIsLinearInTheWeightAndExtrapolationRemovesIt) {
  const auto game = sphere_game(2, 10);
  const auto problem = sphere_problem(game);
  const Vec& x = problem.x0;
  const Vec y = game->answer(x);
  const auto error = [&](double weight, bool extrapolate) {
    const auto result = penalty_hypergradient(problem, x, y, {.weight = weight, .extrapolate = extrapolate});
    EXPECT_EQ(result.status, Status::converged) << result.message;
    return norm(result.gradient - game->gradient(x));
  };
  const double coarse = error(1e-2, false), fine = error(1e-3, false);
  // Linear: a tenth, but for a quadratic part of some s relatively.
  EXPECT_NEAR(fine / coarse, 0.1, 0.02);
  EXPECT_GT(fine, 1e-5) << "there is a bias to remove";
  const double better = error(1e-2, true), best = error(1e-3, true);
  // What remains is of order s^2: a hundredth.
  EXPECT_LE(better, 0.1 * coarse);
  EXPECT_LE(best, 0.03 * better);
  EXPECT_LE(best, 1e-5);
}

TEST(HgMsPenalty, TakesNoSecondDerivatives) {
  const auto game = sphere_game(1, 5);
  const auto problem = sphere_problem(game);
  const auto result = penalty_hypergradient(problem, problem.x0, game->answer(problem.x0));
  ASSERT_EQ(result.status, Status::converged) << result.message;
  const auto g = problem.lower->counts(), f = problem.upper->counts();
  for (const auto oracle : {Oracle::hess_yy, Oracle::hess_xy, Oracle::hess_yx}) {
    EXPECT_EQ(g[oracle], 0u);
    EXPECT_EQ(f[oracle], 0u);
  }
  EXPECT_THROW(penalty_hypergradient(problem, problem.x0, problem.y0, {.weight = 0}), InvalidOption);
  EXPECT_THROW(penalty_hypergradient(problem, problem.x0, problem.y0, {.max_iterations = 0}), InvalidOption);
}

TEST(HgMsStep, OracleCallsAreAsTheHeaderSays) {
  const auto problem = sphere_problem(sphere_game(2, 30));
  const HgMs method;
  const auto state = method.init(problem);
  method.step(problem, *state);
  EXPECT_EQ(hg(*state).explorations, 1);
  const auto lower = problem.lower->counts(), upper = problem.upper->counts();
  const auto report = method.step(problem, *state);
  ASSERT_EQ(report.status, Status::converged);
  ASSERT_EQ(hg(*state).explorations, 1) << "x has hardly moved";
  const auto g = problem.lower->counts() - lower, f = problem.upper->counts() - upper;
  const auto steps = static_cast<std::uint64_t>(report.lower_steps);
  EXPECT_EQ(f[Oracle::grad_x], 1u);
  EXPECT_EQ(g[Oracle::hess_xy], 1u);
  EXPECT_EQ(g[Oracle::grad_x] + g[Oracle::hess_yx] + f[Oracle::hess_yx] + f[Oracle::hess_xy] + f[Oracle::hess_yy], 0u);
  EXPECT_EQ(f[Oracle::value], f[Oracle::grad_y]) << "always together";
  EXPECT_EQ(g[Oracle::value], g[Oracle::grad_y] + 1) << "one value of g alone at the start";
  // Each settle takes a linearisation more than corrections, at most; the starts are f[value] points.
  EXPECT_LE(g[Oracle::grad_y], steps + f[Oracle::value] + 2);
  EXPECT_LE(f[Oracle::value], 12u) << "a polish from near takes a few quasi-Newton steps";
}

TEST(HgMsStep, ASettledSelectionIsCheaperThanAnExploration) {
  const auto problem = sphere_problem(sphere_game(2, 30));
  const HgMs method;
  const auto state = method.init(problem);
  method.step(problem, *state);
  const auto first = problem.lower->counts();
  method.step(problem, *state);
  const auto second = problem.lower->counts() - first;
  EXPECT_LT(3 * second.total(), first.total());
}

// The bench bilevel_manifold has the table up to m = 10000.
TEST(HgMsStep, TheWorkGrowsWithTheManifoldAndNotWithTheSpaceAroundIt) {
  const auto calls = [](Index k, Index m) {
    const auto problem = sphere_problem(sphere_game(k, m));
    StopRule stop;
    stop.tolerance = 1e-4;
    EXPECT_EQ(run(problem, HgMs(), stop).status, Status::converged);
    return static_cast<double>(problem.lower->counts().total());
  };
  const double small = calls(1, 100), large = calls(1, 1000), more = calls(8, 100);
  EXPECT_LT(large, 2 * small);
  EXPECT_GT(more, 1.5 * small);
}

TEST(HgMsStep, SameSeedSameTraceOtherSeedOtherPoints) {
  const auto trace = [](std::uint64_t seed) {
    StopRule stop;
    stop.max_iterations = 6;
    stop.tolerance = 0;
    return run(sphere_problem(sphere_game(2, 10)), HgMs({.seed = seed}), stop);
  };
  const auto one = trace(1), again = trace(1), other = trace(2);
  ASSERT_EQ(one.trace.size(), again.trace.size());
  for (std::size_t i = 0; i < one.trace.size(); ++i) {
    EXPECT_EQ(one.trace[i].report.upper, again.trace[i].report.upper);
    EXPECT_EQ(one.trace[i].report.lower_steps, again.trace[i].report.lower_steps);
  }
  EXPECT_EQ(one.x, again.x);
  EXPECT_NE(hg(*one.state).random.engine(), hg(*other.state).random.engine());
  EXPECT_LE(norm(one.x - other.x), 1e-5) << "but the same selection, up to the polish";
}

TEST(HgMsStep, SevenPlusTwentyThreeIsThirtyBitForBit) {
  HgMsOptions options;
  options.explore_every = 4;
  options.leader.step_size = 0.02;
  const auto [whole, second] =
      expect_seven_plus_twenty_three_is_thirty(sphere_problem(sphere_game(2, 10)), HgMs(options));
  EXPECT_EQ(hg(*second.state).random.engine(), hg(*whole.state).random.engine());
  EXPECT_EQ(hg(*second.state).explorations, hg(*whole.state).explorations);
  EXPECT_GE(hg(*whole.state).explorations, 6) << "every fourth step";
}

}  // namespace
}  // namespace bilevel::testing
