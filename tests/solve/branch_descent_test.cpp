// BFGS along a branch: closed-form solutions, scales, and the ways a descent can end without one.
#include "solve/branch_descent.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "probes.hpp"

namespace bilevel::testing {
namespace {

BilevelProblem leader_on(std::shared_ptr<const Objective> lower, std::shared_ptr<const Objective> upper) {
  return {"test", std::move(upper), std::move(lower), Vec::Zero(1), Vec::Zero(1), {}};
}

Descent descend(const BilevelProblem& problem, const Vec& x, const Vec& y, const DescentOptions& options = {}) {
  const BranchFunction phi(problem);
  auto start = phi.at(x, y);
  EXPECT_TRUE(start);
  return descend_branch(phi, *start, options);
}

TEST(BranchDescent, SolvesQuadraticGames) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto problem = quadratic_problem(seed, 100);
    const auto found = descend(problem, problem.x0, problem.y0);
    EXPECT_EQ(found.status, Status::converged) << found.message;
    // |grad phi| <= 1e-9 of its start, times the condition of phi's Hessian, some hundreds here
    EXPECT_LT(norm(found.end.x - problem.known->x), 1e-6 * (1 + norm(problem.known->x)));
    EXPECT_LE(found.iterations, 30);  // three variables
  }
}

TEST(BranchDescent, IsTheSameAtEveryScaleOfTheLeadersObjective) {
  auto lower = make_objective("g", 1, 1, [](auto x, auto y) { return exp(y[0]) - x[0] * y[0]; });  // y = log x
  for (const double scale : {1e-8, 1.0, 1e8}) {
    auto upper = make_objective("f", 1, 1, [scale](auto, auto y) { return scale * (cosh(y[0] - 1.0) - 1.0); });
    const auto found = descend(leader_on(lower, upper), vec({1}), vec({0}));
    EXPECT_EQ(found.status, Status::converged) << found.message;
    EXPECT_NEAR(found.end.x[0], std::exp(1.0), 1e-7);
  }
}

TEST(BranchDescent, EndsAtOnceAtASolution) {
  auto problem = quadratic_problem(1);
  const auto first = descend(problem, problem.x0, problem.y0);
  const auto again = descend(problem, first.end.x, first.end.y);
  EXPECT_EQ(again.status, Status::converged) << again.message;
  EXPECT_LE(again.iterations, 2);
}

TEST(BranchDescent, SaysThatTheBranchEndsWhereTheLeaderFallsIntoAFold) {
  auto lower = make_objective(
      "g", 1, 1, [](auto x, auto y) { return 0.25 * square(square(y[0])) - 0.5 * square(y[0]) - x[0] * y[0]; });
  auto upper = make_objective("f", 1, 1, [](auto x, auto) { return x[0]; });
  const auto found = descend(leader_on(lower, upper), vec({0.5}), vec({1.2}));
  EXPECT_EQ(found.status, Status::breakdown) << found.message;
  EXPECT_GT(found.end.y[0], 0.5);
  EXPECT_NEAR(found.end.x[0], -2 / (3 * std::sqrt(3.0)), 1e-3);  // near the fold, not beyond
}

TEST(BranchDescent, SaysThatTheLeaderRunsAway) {
  auto lower = make_objective("g", 1, 1, [](auto x, auto y) { return square(y[0] - x[0]); });
  auto upper = make_objective("f", 1, 1, [](auto, auto y) { return -y[0]; });
  const auto found = descend(leader_on(lower, upper), vec({0}), vec({0}), {.largest_x = 1e3});
  EXPECT_EQ(found.status, Status::diverged) << found.message;
}

TEST(BranchDescent, KeepsToItsBudget) {
  const auto problem = quadratic_problem(2, 1000);
  const auto found = descend(problem, problem.x0, problem.y0, {.max_iterations = 1});
  EXPECT_EQ(found.status, Status::budget_reached);
  EXPECT_EQ(found.iterations, 1);
}

}  // namespace
}  // namespace bilevel::testing
