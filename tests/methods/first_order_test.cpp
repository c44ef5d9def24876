// F2SA, BOME and MEHA need gradients alone, and what their penalties leave shrinks as these grow.
#include <gtest/gtest.h>

#include "bilevel/registry.hpp"
#include "bilevel/run.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

BilevelProblem without_products(BilevelProblem problem) {
  auto lower = oracles_of(problem.lower);
  lower.hess_yy = lower.hess_xy = lower.hess_yx = nullptr;
  problem.lower = objective_of("g without products", problem.dim_x(), problem.dim_y(), lower);
  return problem;
}

TEST(FirstOrder, RunsWithoutHessianProducts) {
  const auto full = quadratic_problem(), poor = without_products(full);
  for (const std::string name : {"f2sa", "bome", "meha"}) {
    const auto result = run(poor, *make_method(name), {.max_iterations = 20});
    EXPECT_EQ(result.iterations, 20) << name << ": " << result.message;
    EXPECT_EQ(result.x, run(full, *make_method(name), {.max_iterations = 20}).x) << name;
  }
  EXPECT_THROW(make_method("soba")->init(poor), MissingOracle);
}

TEST(FirstOrder, TheStepIsMeasuredByGradientDifferences) {
  const auto result = run(without_products(quadratic_problem()), *make_method("f2sa"), {.max_iterations = 1});
  double a = 0;
  for (const auto& choice : result.choices) {
    if (choice.option == "inner-step-size") a = std::stod(choice.used);
  }
  EXPECT_NEAR(a, 0.25, 0.01) << "0.5 / L with L = 2, to the two percent of the power iteration";
}

// MEHA's bias is O(1 / c) [docstring], and c_0 t^1/4 grows alike in both runs.
TEST(FirstOrder, TenTimesThePenaltyLeavesATenthOfMehasBias) {
  const auto problem = quadratic_problem();
  const auto distance = [&](const std::string& penalty) {
    const auto result = run(problem, *make_method("meha", {{"penalty", penalty}}), {.max_iterations = 300});
    return norm(result.x - problem.known->x);
  };
  EXPECT_NEAR(distance("10") / distance("100"), 10, 3) << "to first order";
}

}  // namespace
}  // namespace bilevel::testing
