// The choice of method: what it says of followers of known condition, and that following it solves the problem.
#include "bilevel/recommendation.hpp"

#include <gtest/gtest.h>

#include "bilevel/registry.hpp"
#include "bilevel/run.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

TEST(Recommend, UnrollsWellConditionedFollowers) {
  const auto advice = recommend(quadratic_problem(1, 4));
  EXPECT_EQ(advice.method, "smbg");
  EXPECT_EQ(advice.hypergradient, "unrolled");
  EXPECT_NEAR(advice.condition, 4, 1e-6);  // eigenvalues 0.5 .. 2
  // (1 - 0.9/4)^k <= 1e-6: k = log(1e-6) / log(0.775) = 54.2
  EXPECT_EQ(advice.inner_steps, 55);
  EXPECT_GT(advice.predicted_bytes, 0);
  EXPECT_GT(advice.predicted_seconds, 0);
  EXPECT_FALSE(advice.reasons.empty());
}

TEST(Recommend, SolvesTheAdjointSystemOfIllConditionedFollowers) {
  const auto advice = recommend(quadratic_problem(1, 400));
  EXPECT_EQ(advice.hypergradient, "implicit");
  EXPECT_EQ(advice.settings.at("hypergradient"), "implicit");
  EXPECT_NEAR(advice.condition, 400, 1);
}

TEST(Recommend, FollowingItSolvesTheProblem) {
  for (const double condition : {2.0, 15.0, 100.0, 1000.0}) {
    const auto problem = quadratic_problem(3, condition);
    const auto advice = recommend(problem);
    const auto result = run(problem, *make_method(advice.method, advice.settings), {.max_iterations = 500});
    EXPECT_EQ(result.status, Status::converged) << condition << ": " << result.message;
    // 1e-8 of the first hypergradient, times the condition of phi's Hessian
    EXPECT_LT(norm(result.x - problem.known->x), 1e-5 * (1 + norm(problem.known->x))) << condition;
  }
}

TEST(Recommend, CountsTheMinimisersItIsTold) {
  const auto problem = two_wells(1);
  const auto found = find_critical_points(*problem.lower, problem.x0, {vec({-2}), vec({2})});
  EXPECT_TRUE(recommend(problem, &found).several_minimisers);
  EXPECT_FALSE(recommend(problem).several_minimisers);
}

}  // namespace
}  // namespace bilevel::testing
