// What DPBG says about itself: choices, phases, plateaus, and failures with their origin.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "bilevel/dpbg.hpp"
#include "bilevel/run.hpp"
#include "figure_games.hpp"

namespace bilevel::testing {
namespace {

const Finding* finding(const RunResult& result, const std::string& name) {
  for (const auto& found : result.findings) {
    if (found.name == name) return &found;
  }
  return nullptr;
}

StopRule steps(Index most) {
  StopRule stop;
  stop.tolerance = 0;
  stop.max_iterations = most;
  return stop;
}

TEST(DpbgInnerStep, IsMeasuredOnceAndKept) {
  for (const double start : {0.5, 1.2, -3.0, 0.01}) {
    const auto game = figure_game(0.1, start);
    const Dpbg method;
    const auto state = method.init(game);
    method.step(game, *state);
    const double a = dynamic_cast<Dpbg::State&>(*state).inner.step_size;
    const Choices first = state->choices;
    ASSERT_EQ(first[0].option, "inner-step-size");
    EXPECT_NE(first[0].reason.find("kept"), std::string::npos) << first[0].reason;
    // a L < 1 along the first path: g'' = 6 y^2 - 2 inside |y| < sqrt 2, else 2.
    const GradientDescentMap map(*game.lower, a);
    Vec y = game.y0;
    for (Index j = 0; j <= method.options().inner_steps; ++j) {
      const double curvature = y[0] * y[0] < 2 ? std::abs(6 * y[0] * y[0] - 2) : 2;
      EXPECT_LT(a * curvature, 1) << "start " << start << ", inner step " << j;
      y = map.apply(game.x0, y);
    }
    for (int i = 0; i < 50; ++i) ASSERT_EQ(method.step(game, *state).status, Status::converged);
    EXPECT_EQ(dynamic_cast<Dpbg::State&>(*state).inner.step_size, a);
    EXPECT_EQ(state->choices[0].reason, first[0].reason);
  }
}

TEST(DpbgInnerStep, ASteepFollowerShortensItBeforeTheFirstMove) {
  // g = y^4/4 + y^2/2 - x y: H = 1 at the start y = 0 and 3 y^2 + 1 at the answer.
  auto lower = make_objective(
      "quartic", 1, 1, [](auto x, auto y) { return 0.25 * square(square(y[0])) + 0.5 * square(y[0]) - x[0] * y[0]; });
  auto upper = make_objective("target", 1, 1, [](auto, auto y) { return 0.5 * square(y[0] - 1.0); });
  for (const double x0 : {3.0, 30.0, -1000.0}) {
    const BilevelProblem problem{"quartic", upper, lower, vec({x0}), vec({0}), {}};
    const Dpbg method({.inner_steps = 60});
    const auto state = method.init(problem);
    const auto report = method.step(problem, *state);
    ASSERT_EQ(report.status, Status::converged) << report.message;
    const double y = state->y[0], a = dynamic_cast<Dpbg::State&>(*state).inner.step_size;
    EXPECT_LT(a * (3 * y * y + 1), 1) << x0;
    EXPECT_LT(report.lower_residual, 0.5 * std::abs(x0)) << "it descends";
  }
}

TEST(DpbgInnerStep, CurvatureMetLaterIsReported) {
  // Flat where it begins, L = 10 where the descent leads: a = 0.4 is far too long there.
  DpbgOptions options{.inner_steps = 1, .inner_step_size = 0.4};
  options.leader.step_size = 0.05;
  const auto result = run(figure_game(3, 0.6), Dpbg(options), steps(64));
  const auto* found = finding(result, "inner_step_curvature");
  ASSERT_NE(found, nullptr);
  EXPECT_GE(found->value, 1);
  EXPECT_LE(found->value, 4.08) << "|g''| <= 10, the power iteration is good to two percent";
  EXPECT_NE(found->text.find("inner-step-size 0.4"), std::string::npos) << found->text;
  EXPECT_EQ(finding(run(figure_game(3, 1.2), Dpbg({.inner_step_size = 0.09}), steps(64)), "inner_step_curvature"),
            nullptr);
}

TEST(DpbgFindings, APlateauIsCountedWithItsPlace) {
  DpbgOptions options{.inner_steps = 30, .inner_step_size = kFigureStepSize};
  options.leader.step_size = 0.1;
  const auto result = run(figure_game(0.1, 1.2), Dpbg(options), steps(412));
  EXPECT_EQ(finding(result, "pseudo_stable_steps")->value, 412);
  EXPECT_EQ(finding(result, "longest_plateau")->value, 412);
  EXPECT_EQ(finding(result, "escapes")->value, 0);
  const auto& text = finding(result, "longest_plateau")->text;
  EXPECT_EQ(text,
            "stayed 412 steps near x = 0, y = 1, where the follower's steps contract, where it still was at the end "
            "(1 plateau in all)");
  const auto* phase = finding(result, "phase");
  EXPECT_EQ(phase->value, static_cast<double>(DpbgPhase::pseudo_stable));
  EXPECT_NE(phase->text.find("no rest"), std::string::npos) << phase->text;
  EXPECT_EQ(phase->text.find("critical point"), std::string::npos) << "f is far from critical at y = 1";
}

TEST(DpbgFindings, NothingIsSaidBeforeTheFirstStep) {
  const Dpbg method;
  EXPECT_TRUE(method.findings(*method.init(figure_game(2, 1))).empty());
}

TEST(DpbgFindings, AFollowerThatAgreesIsStillNamedACriticalPointOfTheUpperObjective) {
  // f = (y - 1)^2: its minimum is the bilevel solution. c has no f_y to be measured by, the path's own rate serves.
  DpbgOptions options{.inner_steps = 9, .inner_step_size = kFigureStepSize};
  const auto result = run(figure_game(1, 1), Dpbg(options), steps(5));
  EXPECT_EQ(result.upper, 0);
  EXPECT_EQ(result.iterations, 5) << result.message;
  EXPECT_NE(finding(result, "phase")->text.find("unless the follower happens to agree"), std::string::npos);
  for (const auto& found : result.findings) EXPECT_TRUE(std::isfinite(found.value)) << found.name;
}

TEST(DpbgFailures, AnInnerStepTooLongIsNamedAndRolledBack) {
  DpbgOptions options{.inner_steps = 30, .inner_step_size = 1.2};  // a L = 2.4
  const auto problem = quadratic_problem();
  const auto diverged = run(problem, Dpbg(options));
  EXPECT_EQ(diverged.status, Status::diverged);
  EXPECT_EQ(diverged.x, problem.x0);
  EXPECT_NE(diverged.message.find("inner-step-size 1.2"), std::string::npos) << diverged.message;
  options = {.inner_steps = 300, .inner_step_size = 1e6};
  const auto nonfinite = run(problem, Dpbg(options));
  EXPECT_EQ(nonfinite.status, Status::nonfinite);
  EXPECT_EQ(nonfinite.y, problem.y0);
  EXPECT_NE(nonfinite.message.find("inner step"), std::string::npos) << nonfinite.message;
}

TEST(DpbgFailures, AnOuterStepTooLongEndsNonFiniteAndKeepsTheBestPair) {
  DpbgOptions options;
  options.leader.step_size = 1e6;
  const auto problem = quadratic_problem();
  const auto result = run(problem, Dpbg(options), steps(1000));
  EXPECT_EQ(result.status, Status::nonfinite) << result.message;
  EXPECT_TRUE(all_finite(result.x));
  EXPECT_TRUE(all_finite(dynamic_cast<Dpbg::State&>(*result.state).z));
  EXPECT_EQ(result.best_iteration, 1);
  EXPECT_EQ(result.best_upper, problem.upper->value(result.best_x, result.best_y)) << "the pair belongs together";
}

TEST(DpbgFailures, AnAutomaticOuterStepRetreatsFromWhereNothingIsFinite) {
  // The logarithm is not defined for x <= 0. On y = x the leader's slope is 10 - 1/x + 2 (x - 1/2): zero where
  // 2 x^2 + 9 x = 1. One inner step with a L = 0.9 contracts by 0.1, five by 1e-5: pseudo-stable there.
  auto lower = make_objective("copy", 1, 1, [](auto x, auto y) { return 0.5 * square(y[0] - x[0]); });
  auto upper =
      make_objective("barrier", 1, 1, [](auto x, auto y) { return 10.0 * x[0] - log(x[0]) + square(y[0] - 0.5); });
  const BilevelProblem problem{"barrier", upper, lower, vec({1}), vec({1}), {}};
  const double solution = (std::sqrt(89.0) - 9) / 4;
  for (const auto rule : {LeaderRule::gradient_descent, LeaderRule::adam}) {
    DpbgOptions options{.inner_steps = 5};
    options.leader.rule = rule;
    const auto result = run(problem, Dpbg(options), steps(300));
    EXPECT_EQ(result.status, Status::budget_reached) << result.message;
    // 300 steps of at most 0.5 in z move the answer by at most 150 * 1e-5 = 1.5e-3.
    EXPECT_NEAR(result.best_x[0], solution, 1.5e-3) << to_string(rule);
    EXPECT_NEAR(result.best_y[0], solution, 3e-3) << to_string(rule);
    EXPECT_EQ(finding(result, "phase")->value, static_cast<double>(DpbgPhase::pseudo_stable));
  }
}

TEST(DpbgFailures, ANanOfTheUpperObjectiveIsNamed) {
  auto problem = two_wells(0.5);
  problem.upper = make_objective("broken", 1, 1, [](auto x, auto y) { return log(y[0] - 10.0) + x[0]; });
  const auto result = run(problem, Dpbg());
  EXPECT_EQ(result.status, Status::nonfinite);
  EXPECT_EQ(result.iterations, 0);
  EXPECT_NE(result.message.find("upper objective"), std::string::npos) << result.message;
}

}  // namespace
}  // namespace bilevel::testing
