// IAPTT: where it cuts the path off, what a step costs, and what it reaches.
#include "bilevel/iaptt.hpp"

#include <gtest/gtest.h>

#include "bilevel/run.hpp"
#include "method_checks.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

IapttOptions fixed_steps(Index K, double a, double gamma) {
  IapttOptions options{.inner_steps = K, .inner_step_size = a};
  options.leader.step_size = gamma;
  return options;
}

// g = (y - x)^2/2 with a = 1/2 halves y - x at each step; f = (y - t)^2/2 is worst where y_t is farthest from t.
BilevelProblem halving(double target, double x_0, double z_0) {
  return {"halving",
          make_objective("f", 1, 1, [=](auto, auto y) { return 0.5 * square(y[0] - target); }),
          make_objective("g", 1, 1, [](auto x, auto y) { return 0.5 * square(y[0] - x[0]); }),
          vec({x_0}),
          vec({z_0}),
          {}};
}

TEST(Iaptt, DifferentiatesWhereTheLeaderFaresWorst) {
  // From z = 4 to x = 0 the path is 2, 1, 1/2. Against the target 0 the first step is worst: d/dx = y_1 (1 - 1/2) = 1,
  // d/dz = y_1 / 2 = 1. Against the target 2 it is the last: (1/2 - 2) (1 - 1/8) and (1/2 - 2) / 8. All dyadic: exact.
  {
    const auto problem = halving(0, 0, 4);
    const Iaptt method(fixed_steps(3, 0.5, 0.25));
    const auto state = method.init(problem);
    const auto report = method.step(problem, *state);
    const auto& s = dynamic_cast<const Iaptt::State&>(*state);
    EXPECT_EQ(s.truncation, 1);
    EXPECT_EQ(s.x[0], -0.25);
    EXPECT_EQ(s.z[0], 4 - 0.25);
    EXPECT_EQ(s.y[0], 0.5) << "y_K";
    EXPECT_EQ(report.upper, 0.125) << "f(x, y_K)";
    EXPECT_EQ(report.lower_residual, 0.5);
  }
  const auto problem = halving(2, 0, 4);
  const Iaptt method(fixed_steps(3, 0.5, 0.25));
  const auto state = method.init(problem);
  method.step(problem, *state);
  const auto& s = dynamic_cast<const Iaptt::State&>(*state);
  EXPECT_EQ(s.truncation, 3);
  EXPECT_EQ(s.x[0], 0.25 * 1.5 * 0.875);
  EXPECT_EQ(s.z[0], 4 + 0.25 * 1.5 * 0.125);
}

TEST(Iaptt, OracleCallsAreAsTheHeaderSays) {
  const auto problem = halving(2, 0, 4);
  const Iaptt method(fixed_steps(3, 0.5, 0.25));
  const auto state = method.init(problem);
  method.step(problem, *state);
  const auto g = problem.lower->counts(), f = problem.upper->counts();
  const Index t = dynamic_cast<const Iaptt::State&>(*state).truncation;
  EXPECT_EQ(g[Oracle::grad_y], static_cast<std::uint64_t>(3 + t + 1));
  EXPECT_EQ(g[Oracle::hess_yy], static_cast<std::uint64_t>(t));
  EXPECT_EQ(g[Oracle::hess_xy], static_cast<std::uint64_t>(t));
  EXPECT_EQ(g[Oracle::value], 1u);
  EXPECT_EQ(f[Oracle::value], 4u);
  EXPECT_EQ(f[Oracle::grad_x], 1u);
  EXPECT_EQ(f[Oracle::grad_y], 1u);
}

TEST(Iaptt, SolvesAQuadraticWhereTheAnswerIsTheWorstOfThePath) {
  // There f(x, y_t) grows towards the follower's answer, so that t* = K: the bilevel solution up to (1 - a mu)^50, with
  // a mu = 0.9 / 4 a matter of 3e-6.
  const auto problem = quadratic_problem();
  const auto result = run(problem, Iaptt(), {.max_iterations = 300});
  EXPECT_LE(norm(result.x - problem.known->x), 1e-5) << result.message;
}

TEST(Iaptt, SameTraceTwiceAndResumedBitForBit) {
  const auto runs = expect_seven_plus_twenty_three_is_thirty(nonlinear_problem(), Iaptt());
  EXPECT_EQ(dynamic_cast<const Iaptt::State&>(*runs.second.state).z,
            dynamic_cast<const Iaptt::State&>(*runs.whole.state).z);
  expect_same_trace_twice(nonlinear_problem(), Iaptt(), {.max_iterations = 20});
}

TEST(Iaptt, WhatIsMissingIsNamedBeforeTheFirstStep) {
  auto problem = quadratic_problem();
  auto lower = oracles_of(problem.lower);
  lower.hess_xy = nullptr;
  problem.lower = objective_of("poor g", 3, 4, lower);
  EXPECT_THROW(Iaptt().init(problem), MissingOracle);
  EXPECT_THROW(Iaptt({.inner_steps = 0}), InvalidOption);
}

}  // namespace
}  // namespace bilevel::testing
