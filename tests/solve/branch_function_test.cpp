// phi_i(x) = f(x, y_i(x)) on one branch: its gradient, and that tracking neither jumps nor passes a fold.
#include "solve/branch_function.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "probes.hpp"
#include "taylor.hpp"

namespace bilevel::testing {
namespace {

/// g = y^4/4 - y^2/2 - x y: the branch of minimisers y > 1/sqrt 3 ends in a fold at x = -2/(3 sqrt 3).
BilevelProblem folding_problem() {
  auto lower = make_objective(
      "fold", 1, 1, [](auto x, auto y) { return 0.25 * square(square(y[0])) - 0.5 * square(y[0]) - x[0] * y[0]; });
  auto upper = make_objective("leader", 1, 1, [](auto x, auto) { return x[0]; });
  return {"fold", upper, lower, vec({0.2}), vec({1}), {}};
}
const double kFold = -2 / (3 * std::sqrt(3.0));

TEST(BranchFunction, GradientByTaylorSlope) {
  const auto problem = nonlinear_problem();
  const BranchFunction phi(problem);
  const auto here = phi.at(problem.x0, problem.y0);
  ASSERT_TRUE(here);
  Random random(3);
  for (int i = 0; i < 3; ++i) {
    const Vec d = random_vec(2, random);
    expect_second_order("phi", std::abs(here->upper), [&](double t) {
      const auto there = phi.move(*here, problem.x0 + t * d);
      return std::abs(there->upper - here->upper - t * dot(here->gradient, d));
    });
  }
}

TEST(BranchFunction, AnswersToRounding) {
  const auto problem = folding_problem();
  const auto pair = BranchFunction(problem).at(vec({0.375}), vec({1}));  // y^3 - y = 0.375 at y = 1.153..
  ASSERT_TRUE(pair);
  const double y = pair->y[0];
  EXPECT_LT(std::abs(y * y * y - y - 0.375), 4e-16);  // two ulps of terms of size 1
}

TEST(BranchFunction, FollowsABranchUpToItsFoldAndNotBeyond) {
  const auto problem = folding_problem();
  const BranchFunction phi(problem);
  const auto start = phi.at(vec({0.5}), vec({1.2}));
  ASSERT_TRUE(start);
  const auto near_fold = phi.move(*start, vec({kFold + 1e-4}));
  ASSERT_TRUE(near_fold);
  EXPECT_GT(near_fold->y[0], 1 / std::sqrt(3.0));  // still the upper branch
  EXPECT_FALSE(phi.move(*start, vec({kFold - 1e-4})));
  EXPECT_FALSE(phi.move(*start, vec({-3})));  // where the lower branch exists: no jump onto it
}

TEST(BranchFunction, RefusesAMaximiserAndWhatIsNotFinite) {
  const auto problem = folding_problem();
  const BranchFunction phi(problem);
  EXPECT_FALSE(phi.at(vec({0}), vec({0.1})));  // H = 3 y^2 - 1 < 0
  EXPECT_FALSE(phi.at(vec({0}), vec({std::nan("")})));
  EXPECT_FALSE(phi.at(vec({std::nan("")}), vec({1})));
}

}  // namespace
}  // namespace bilevel::testing
