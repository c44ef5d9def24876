// The mixed-integer form: every branch of minimisers is descended, and the best of all is returned.
#include "bilevel/global.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "message_of.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

Box box(std::initializer_list<double> low, std::initializer_list<double> high) { return {vec(low), vec(high)}; }

TEST(SolveGlobal, FindsTheSolutionOnTheOtherBranch) {
  // From y0 = -1.1 a local method stays in the left well; f = (y - 2)^2/20 + x^2/2 is lower in the right one.
  const auto problem = two_wells(-1.1);
  const auto result = solve_global(problem, box({-1}, {1}), box({-2}, {2}));
  ASSERT_EQ(result.status, Status::converged) << result.message;
  ASSERT_EQ(result.solutions.size(), 2u);
  EXPECT_GT(result.best()->y[0], 0.5);
  EXPECT_LT(result.solutions[1].y[0], -0.5);
  EXPECT_LT(result.best()->upper, result.solutions[1].upper);
  for (const auto& solution : result.solutions) {
    EXPECT_TRUE(solution.certificate.is_solution()) << solution.certificate.reason;
    // First-order condition by hand: y'(x) = 0.1 / (3 y^2 - 1), phi' = x + (y - 2)/10 y'.
    const double x = solution.x[0], y = solution.y[0];
    EXPECT_NEAR(x + 0.1 * (y - 2) * 0.1 / (3 * y * y - 1), 0, 1e-9);  // the descent's tolerance
    EXPECT_NEAR(y * y * y - y - 0.1 * x, 0, 1e-12);
  }
}

TEST(SolveGlobal, NamesTheLeaderAtWhichTheFollowerIsIndifferent) {
  const auto result = solve_global(two_wells(1), box({-1}, {1}), box({-2}, {2}));
  ASSERT_EQ(result.ties.size(), 1u);  // g is even in y at x = 0
  EXPECT_NEAR(result.ties[0].x[0], 0, 1e-12);
  EXPECT_NEAR(result.ties[0].optimistic(), 0.05, 1e-12);   // y = +1
  EXPECT_NEAR(result.ties[0].pessimistic(), 0.45, 1e-12);  // y = -1
}

TEST(SolveGlobal, ReportsOptimisticAndPessimisticValuesOfAnIndifferentFollower) {
  auto lower = make_objective("wells", 1, 1, [](auto, auto y) { return 0.25 * square(square(y[0]) - 1.0); });
  auto upper = make_objective("f", 1, 1, [](auto x, auto y) { return square(x[0] - 0.3) + y[0]; });
  const BilevelProblem problem{"indifferent", upper, lower, vec({0}), vec({1}), {}};
  const auto result = solve_global(problem, box({-1}, {1}), box({-2}, {2}));
  ASSERT_EQ(result.solutions.size(), 2u);
  for (const auto& solution : result.solutions) {
    EXPECT_TRUE(solution.follower_is_global);
    EXPECT_NEAR(solution.x[0], 0.3, 1e-8);
    EXPECT_NEAR(solution.optimistic, -1, 1e-8);
    EXPECT_NEAR(solution.pessimistic, 1, 1e-8);
  }
  EXPECT_NEAR(result.best()->y[0], -1, 1e-8);
}

TEST(SolveGlobal, KeepsTheGameProperApartFromTheRelaxation) {
  // The deep well is at y = -1, the leader prefers the shallow one at y = +1.
  auto lower = make_objective("tilted", 1, 1, [](auto x, auto y) {
    return 0.25 * square(square(y[0]) - 1.0) + 0.1 * y[0] - 0.02 * x[0] * y[0];
  });
  auto upper = make_objective("f", 1, 1, [](auto x, auto y) { return square(y[0] - 1.0) + square(x[0] - 0.5); });
  const BilevelProblem problem{"tilted", upper, lower, vec({0}), vec({1}), {}};
  const auto result = solve_global(problem, box({-1}, {1}), box({-2}, {2}));
  ASSERT_NE(result.best(), nullptr);
  ASSERT_NE(result.best_with_global_follower(), nullptr);
  EXPECT_GT(result.best()->y[0], 0);
  EXPECT_FALSE(result.best()->follower_is_global);
  EXPECT_GT(result.best()->follower_gap, 0.1);
  EXPECT_LT(result.best_with_global_follower()->y[0], 0);
}

TEST(SolveGlobal, SeveralLeadersAndFollowers) {
  // Two independent copies of two_wells with targets +2 and -2: the best takes the right and the left well.
  auto lower = make_objective("wells", 2, 2, [](auto x, auto y) {
    return 0.25 * square(square(y[0]) - 1.0) + 0.25 * square(square(y[1]) - 1.0) - 0.1 * (x[0] * y[0] + x[1] * y[1]);
  });
  auto upper = make_objective("targets", 2, 2, [](auto x, auto y) {
    return 0.05 * (square(y[0] - 2.0) + square(y[1] + 2.0)) + 0.5 * (square(x[0]) + square(x[1]));
  });
  const BilevelProblem problem{"wells", upper, lower, vec({0.5, 0.5}), vec({-1, 1}), {}};
  const auto result = solve_global(problem, box({-1, -1}, {1, 1}), box({-2, -2}, {2, 2}));
  ASSERT_EQ(result.solutions.size(), 4u) << result.message;
  EXPECT_GT(result.best()->y[0], 0.5);
  EXPECT_LT(result.best()->y[1], -0.5);
  const auto one = solve_global(two_wells(1), box({-1}, {1}), box({-2}, {2}));
  EXPECT_NEAR(result.best()->upper, 2 * one.best()->upper, 1e-10);  // separable
}

TEST(SolveGlobal, SaysWhereALeaderFallsIntoAFold) {
  auto lower = make_objective(
      "fold", 1, 1, [](auto x, auto y) { return 0.25 * square(square(y[0])) - 0.5 * square(y[0]) - x[0] * y[0]; });
  auto upper = make_objective("f", 1, 1, [](auto x, auto y) { return x[0] - 10.0 * y[0]; });
  const BilevelProblem problem{"fold", upper, lower, vec({0}), vec({-1}), {}};
  const auto result = solve_global(problem, box({-1}, {1}), box({-3}, {3}));
  EXPECT_FALSE(result.open_ends.empty());
}

TEST(SolveGlobal, SaysThatThereIsNoMinimiser) {
  auto lower = make_objective("cubic", 1, 1, [](auto x, auto y) { return y[0] * (1.0 + square(x[0])); });
  auto upper = make_objective("f", 1, 1, [](auto x, auto y) { return square(x[0]) + square(y[0]); });
  const BilevelProblem problem{"unbounded", upper, lower, vec({0}), vec({0}), {}};
  const auto result = solve_global(problem, box({-1}, {1}), box({-2}, {2}));
  EXPECT_EQ(result.status, Status::lower_failed);
  EXPECT_EQ(result.best(), nullptr);
  EXPECT_NE(result.message.find("no local minimiser"), std::string::npos) << result.message;
}

TEST(SolveGlobal, SameSeedSameResult) {
  const auto problem = nonlinear_problem();
  const auto first = solve_global(problem, box({-1, -1}, {1, 1}), box({-2, -2, -2}, {2, 2, 2}));
  const auto second = solve_global(problem, box({-1, -1}, {1, 1}), box({-2, -2, -2}, {2, 2, 2}));
  ASSERT_NE(first.best(), nullptr);
  EXPECT_EQ(first.best()->x, second.best()->x);
  EXPECT_EQ(first.best()->y, second.best()->y);
}

TEST(SolveGlobal, RefusesBoxesThatDoNotFit) {
  const auto problem = two_wells(1);
  EXPECT_NE(message_of<DimensionMismatch>([&] {
              solve_global(problem, box({-1, 0}, {1, 1}), box({-2}, {2}));
            }).find("the box of x"),
            std::string::npos);
  EXPECT_NE(message_of<InvalidInput>([&] { solve_global(problem, box({1}, {-1}), box({-2}, {2})); }).find("entry 1"),
            std::string::npos);
}

}  // namespace
}  // namespace bilevel::testing
