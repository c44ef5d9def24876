#include <gtest/gtest.h>

#include <functional>

#include "bilevel/hypergradient.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

const double kNaN = std::nan("");

/// The nonlinear problem with oracles altered.
BilevelProblem altered(const std::function<void(Oracles& upper, Oracles& lower)>& alter) {
  auto problem = nonlinear_problem();
  auto upper = oracles_of(problem.upper), lower = oracles_of(problem.lower);
  alter(upper, lower);
  problem.upper = objective_of("altered f", 2, 3, upper);
  problem.lower = objective_of("altered g", 2, 3, lower);
  return problem;
}

void expect_origin(const HypergradientResult& result, const std::string& origin) {
  EXPECT_EQ(result.status, Status::nonfinite);
  EXPECT_NE(result.message.find(origin), std::string::npos) << result.message << " does not name: " << origin;
}

class NonFinite : public ::testing::TestWithParam<MemoryPlan> {
 protected:
  static HypergradientResult run(const BilevelProblem& problem, Index differentiated = 0) {
    return unrolled(problem, GradientDescentMap(*problem.lower, 0.3), problem.x0, problem.y0,
                    {.steps = 8, .differentiated_steps = differentiated, .memory = GetParam(), .checkpoints = 2});
  }
};

TEST_P(NonFinite, UpperObjective) {
  expect_origin(
      run(altered([](Oracles& upper, Oracles&) { upper.value = [](const Vec&, const Vec&) { return kNaN; }; })),
      "upper objective");
  expect_origin(run(altered([](Oracles& upper, Oracles&) {
                  upper.grad_x = [](const Vec&, const Vec&) { return vec({0, kNaN}); };
                })),
                "upper objective");
}

TEST_P(NonFinite, LowerGradientAtALaterStep) {
  for (const Index differentiated : {0, 3}) {
    auto calls = std::make_shared<int>(0);
    const auto problem = altered([&](Oracles&, Oracles& lower) {
      lower.grad_y = [inner = lower.grad_y, calls](const Vec& x, const Vec& y) {
        return ++*calls == 4 ? Vec(Vec::Constant(3, kNaN)) : inner(x, y);
      };
    });
    expect_origin(run(problem, differentiated), "inner step 4");
  }
}

TEST_P(NonFinite, AdjointProduct) {
  const auto problem = altered([](Oracles&, Oracles& lower) {
    lower.hess_yy = [](const Vec&, const Vec&, const Vec&) { return vec({1, kNaN, 1}); };
  });
  expect_origin(run(problem), "adjoint became non-finite going back through inner step 8");
  const auto mixed = altered([](Oracles&, Oracles& lower) {
    lower.hess_xy = [](const Vec&, const Vec&, const Vec&) { return vec({kNaN, 1}); };
  });
  expect_origin(run(mixed), "adjoint became non-finite going back through inner step 8");
}

INSTANTIATE_TEST_SUITE_P(Plans, NonFinite,
                         ::testing::Values(MemoryPlan::store, MemoryPlan::checkpoint, MemoryPlan::reversible),
                         [](const auto& plan) { return std::string(to_string(plan.param)); });

TEST(NonFiniteForward, NamesPathAndDerivative) {
  const auto run = [](const BilevelProblem& problem) {
    return unrolled_forward(problem, GradientDescentMap(*problem.lower, 0.3), problem.x0, problem.y0, 8);
  };
  expect_origin(run(altered([](Oracles&, Oracles& lower) {
                  lower.grad_y = [](const Vec&, const Vec&) { return vec({0, 0, kNaN}); };
                })),
                "inner step 1");
  expect_origin(run(altered([](Oracles&, Oracles& lower) {
                  lower.hess_yx = [](const Vec&, const Vec&, const Vec&) { return vec({0, 0, kNaN}); };
                })),
                "derivative of the follower's path");
}

TEST(NonFiniteImplicit, NamesUpperObjectiveAdjointSystemAndProduct) {
  const auto run = [](const BilevelProblem& problem) { return implicit(problem, problem.x0, problem.y0, {}); };
  expect_origin(run(altered([](Oracles& upper, Oracles&) {
                  upper.grad_y = [](const Vec&, const Vec&) { return vec({0, 0, kNaN}); };
                })),
                "upper objective");
  expect_origin(run(altered([](Oracles&, Oracles& lower) {
                  lower.hess_yy = [](const Vec&, const Vec&, const Vec&) { return vec({0, 0, kNaN}); };
                })),
                "adjoint system");
  expect_origin(run(altered([](Oracles&, Oracles& lower) {
                  lower.hess_xy = [](const Vec&, const Vec&, const Vec&) { return vec({0, kNaN}); };
                })),
                "product B w");
}

}  // namespace
}  // namespace bilevel::testing
