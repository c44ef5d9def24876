// solve(): the method is chosen, run, and exchanged where it cannot go on.
#include "bilevel/solve.hpp"

#include <gtest/gtest.h>

#include "bilevel/autodiff.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

/// The ring around (x, x/2), f = |y - (2, 2)|^2/2 + x^2/4; examples/games/mexican_hat.toml has its solution.
BilevelProblem ring() {
  auto lower = make_objective("ring", 1, 2, [](auto x, auto y) {
    return 0.25 * square(square(y[0] - x[0]) + square(y[1] - 0.5 * x[0]) - 1.0);
  });
  auto upper = make_objective(
      "f", 1, 2, [](auto x, auto y) { return 0.5 * (square(y[0] - 2.0) + square(y[1] - 2.0)) + 0.25 * square(x[0]); });
  return {"ring", upper, lower, vec({0}), vec({0, 1}), {}};
}

TEST(Solve, AutoGoesOnWithSelectionWhereNewtonMeetsAManifold) {
  const auto problem = ring();
  MethodChoice choice{.name = "newton", .settings = {}, .choices = {}, .several_minimisers = false, .automatic = true};
  const auto result = run_choice(problem, choice, {.max_iterations = 400});
  EXPECT_EQ(choice.name, "hg_ms");
  ASSERT_FALSE(choice.choices.empty());
  EXPECT_EQ(choice.choices.back().used, "hg_ms");
  EXPECT_EQ(result.status, Status::converged) << result.message;
  EXPECT_NEAR(result.x[0], 1.180033150735159, 1e-6);  // the stop rule, 1e-8 of the first hypergradient
  choice = {.name = "newton", .settings = {}, .choices = {}, .several_minimisers = false, .automatic = false};
  EXPECT_EQ(run_choice(problem, choice, {.max_iterations = 400}).status, Status::breakdown) << "as it was asked for";
  EXPECT_EQ(choice.name, "newton");
}

TEST(Solve, SaysWhatItChoseAndRefusesUnknownNames) {
  const auto problem = quadratic_problem();
  const auto solved = solve(problem);
  EXPECT_EQ(solved.method.name, "newton");
  ASSERT_FALSE(solved.run.choices.empty());
  EXPECT_EQ(solved.run.choices.front().option, "method");
  EXPECT_LE(norm(solved.run.x - problem.known->x), 1e-8 * norm(problem.known->x));
  SolveOptions options;
  options.method = "newtn";
  EXPECT_THROW(solve(problem, options), InvalidOption);
}

}  // namespace
}  // namespace bilevel::testing
