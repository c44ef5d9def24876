// Newton's method for the leader: closed forms, units, saddles, kinks, tails, and what it refuses.
#include "bilevel/newton.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "bilevel/autodiff.hpp"
#include "bilevel/run.hpp"
#include "methods/method_checks.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

/// f and g of one leader and one follower variable.
template <class Upper, class Lower>
BilevelProblem game(const Upper& upper, const Lower& lower, double x0, double y0) {
  return {"game", make_objective("f", 1, 1, upper), make_objective("g", 1, 1, lower), vec({x0}), vec({y0}), {}};
}

TEST(Newton, SolvesTheQuadraticGameInTwoSteps) {
  for (const double condition : {1.0, 100.0, 1e4}) {
    const auto problem = quadratic_problem(1, condition);
    const auto result = run(problem, Newton());
    EXPECT_EQ(result.status, Status::converged) << result.message;
    EXPECT_LE(result.iterations, 5) << "the start, the solution, one refinement, and the word that it is one";
    // It ends where a step is 1e-8 of x; phi'' has the square of the follower's condition, 1e8, and is measured to
    // 1e-6.
    EXPECT_LE(norm(result.x - problem.known->x), 1e-6 * norm(problem.known->x)) << condition;
  }
}

TEST(Newton, IllConditionedFollowersAreSolvedAsWell) {
  // g = sum a_i (y_i - x_i)^2 / 2 in rotated coordinates: y* = x whatever the condition.
  for (const double condition : {1e6, 1e10, 1e12}) {
    auto upper = make_objective("f", 2, 2, [](auto x, auto y) {
      return square(y[0] - 1.0) + square(y[1] - 0.5) + 0.1 * (square(x[0]) + square(x[1]));
    });
    auto lower = make_objective("g", 2, 2, [condition](auto x, auto y) {
      return condition * square(y[0] + y[1] - x[0] - x[1]) + square(y[0] - y[1] - x[0] + x[1]);
    });
    const auto result = run({"stiff", upper, lower, Vec::Zero(2), Vec::Zero(2), {}}, Newton());
    EXPECT_EQ(result.status, Status::converged) << condition << ": " << result.message;
    // Rounding times the condition is what the adjoint is known to.
    EXPECT_LE(norm(result.x - vec({1 / 1.1, 0.5 / 1.1})), 1e-8 + 1e-15 * condition) << condition;
  }
}

TEST(Newton, AStartAtTheAnswerStays) {
  const auto problem = game([](auto x, auto y) { return square(x[0] - 0.3) + square(y[0] - 0.3); },
                            [](auto x, auto y) { return square(y[0] - x[0]); }, 0.1 + 0.2, 0.1 + 0.2);
  const auto result = run(problem, Newton());
  EXPECT_EQ(result.status, Status::converged) << result.message;
  EXPECT_NEAR(result.x[0], 0.3, 1e-15);
  EXPECT_LE(result.iterations, 3);
}

TEST(Newton, NoStepRaisesTheUpperObjective) {
  const auto problem =
      game([](auto x, auto y) { return square(y[0] - 1.0) + 0.3 * cos(5.0 * x[0]); },
           [](auto x, auto y) { return square(y[0] - x[0] * x[0]) + 0.1 * square(square(y[0])); }, 2, 0);
  const auto result = run(problem, Newton());
  EXPECT_EQ(result.status, Status::converged) << result.message;
  for (std::size_t i = 1; i < result.trace.size(); ++i) {
    EXPECT_LE(result.trace[i].report.upper, result.trace[i - 1].report.upper + 1e-14);
    EXPECT_TRUE(result.trace[i].report.accepted);
  }
  EXPECT_EQ(problem.upper->value(result.x, result.y), result.upper) << "the answer is one triple";
}

TEST(Newton, LeavesMaximaAndSaddles) {
  // Five variables at a maximum of sum cos(x_i): all directions at once.
  auto upper = make_objective("f", 5, 1, [](auto x, auto y) {
    auto sum = 0.0 * y[0];
    for (Index i = 0; i < x.size(); ++i) sum += cos(x[i]);
    return sum;
  });
  auto lower = make_objective("g", 5, 1, [](auto x, auto y) { return square(y[0] - x[0]); });
  const auto result = run({"hill", upper, lower, Vec::Zero(5), Vec::Zero(1), {}}, Newton());
  EXPECT_EQ(result.status, Status::converged) << result.message;
  EXPECT_NEAR(result.best_upper, -5, 1e-12);
  ASSERT_FALSE(result.findings.empty());
  EXPECT_EQ(result.findings.front().name, "left_saddle");
}

TEST(Newton, StepsOutOfTheFollowersDomainAreShortened) {
  // g has a minimiser only for x > -1, and f falls towards the end of that domain: phi = (y - 2)^2, y = 1/(1 + x).
  const auto problem = game([](auto, auto y) { return square(y[0] - 2.0); },
                            [](auto x, auto y) { return 0.5 * (1.0 + x[0]) * square(y[0]) - y[0]; }, 50, 0);
  const auto result = run(problem, Newton());
  EXPECT_EQ(result.status, Status::converged) << result.message;
  EXPECT_NEAR(result.x[0], -0.5, 1e-9);
}

TEST(Newton, FlatFollowersAreNoObstacle) {
  for (const int p : {4, 6, 8}) {
    const auto problem = game([](auto x, auto y) { return square(y[0] - 1.0) + 0.1 * square(x[0]); },
                              [p](auto x, auto y) { return pow(y[0] - x[0], p); }, 0, 0.5);
    const auto result = run(problem, Newton());
    EXPECT_EQ(result.status, Status::converged) << p << ": " << result.message;
    EXPECT_NEAR(result.x[0], 10.0 / 11, 1e-8) << p;
    EXPECT_NEAR(result.y[0], 10.0 / 11, 1e-8) << p;
  }
}

TEST(Newton, AKinkOfTheUpperObjectiveIsAnAnswer) {
  const auto problem = game([](auto, auto y) { return abs(y[0] - 1.0) + abs(y[0] - 2.0) + abs(y[0] - 5.0); },
                            [](auto x, auto y) { return square(y[0] - x[0]); }, 0, 0);
  const auto result = run(problem, Newton());
  EXPECT_EQ(result.status, Status::converged) << result.message;
  EXPECT_NEAR(result.x[0], 2, 1e-6);
  EXPECT_NE(result.message.find("kink"), std::string::npos) << result.message;
}

TEST(Newton, WhatFallsForEverIsNotConverged) {
  const auto follows = [](auto x, auto y) { return square(y[0] - x[0]); };
  const auto tail = run(game([](auto x, auto y) { return exp(-x[0]) + square(y[0] - x[0]); }, follows, 0, 0), Newton());
  EXPECT_EQ(tail.status, Status::diverged) << tail.message;
  EXPECT_NE(tail.message.find("no solution"), std::string::npos) << tail.message;
  const auto cubic = run(game([](auto x, auto y) { return x[0] * x[0] * x[0] + square(y[0] - x[0]); }, follows, 0.5, 0),
                         Newton(), {.max_iterations = 500});
  EXPECT_EQ(cubic.status, Status::diverged) << cubic.message;
  const auto line = run(game([](auto x, auto) { return 2.0 * x[0]; }, follows, 1, 0), Newton());
  EXPECT_EQ(line.status, Status::diverged) << line.message;
}

TEST(Newton, AFollowerWithoutAMinimiserIsNamed) {
  const auto problem =
      game([](auto x, auto y) { return square(x[0] - 1.0) + y[0]; }, [](auto, auto y) { return exp(-y[0]); }, 0, 0);
  const auto result = run(problem, Newton());
  EXPECT_NE(result.status, Status::converged);
  EXPECT_NE(result.message.find("the follower has no minimiser"), std::string::npos) << result.message;
}

TEST(Newton, ManifoldsAreRefusedWithTheReason) {
  auto upper = make_objective("f", 1, 2, [](auto, auto y) { return square(y[0] - 2.0) + y[1]; });
  auto ring =
      make_objective("ring", 1, 2, [](auto x, auto y) { return square(square(y[0] - x[0]) + square(y[1]) - 1.0); });
  const auto result = run({"ring", upper, ring, vec({0}), vec({0.3, 0.9}), {}}, Newton());
  EXPECT_EQ(result.status, Status::breakdown);
  EXPECT_NE(result.message.find("manifold"), std::string::npos) << result.message;
}

TEST(Newton, ManyLeadersByLimitedMemory) {
  const Index n = 300;
  auto upper = make_objective("f", n, 2, [](auto x, auto y) {
    auto sum = square(y[0] - 1.0) + square(y[1]);
    for (Index i = 0; i < x.size(); ++i) sum += 0.01 * static_cast<double>(1 + i % 5) * square(x[i] - 1.0);
    return sum;
  });
  auto lower = make_objective("g", n, 2, [](auto x, auto y) {
    auto sum = 0.0 * y[0];
    for (Index i = 0; i < x.size(); ++i) sum += x[i];
    return square(y[0] - 0.01 * sum) + square(y[1] - y[0]);
  });
  const BilevelProblem problem{"many", upper, lower, Vec::Zero(n), Vec::Zero(2), {}};
  const auto result = run(problem, Newton(), {.max_iterations = 500});
  EXPECT_EQ(result.status, Status::converged) << result.message;
  EXPECT_LE(result.trace.back().report.hypergradient_norm, 1e-6 * result.trace.front().report.hypergradient_norm);
}

TEST(Newton, ResumesBitForBit) {
  const auto problem =
      game([](auto x, auto y) { return square(y[0] - 1.0) + 0.3 * cos(5.0 * x[0]) + exp(-x[0]); },
           [](auto x, auto y) { return square(y[0] - x[0] * x[0]) + 0.1 * square(square(y[0])); }, 4, 0);
  const StopRule few{.max_iterations = 3}, many{.max_iterations = 100};
  const auto whole = run(problem, Newton(), many);
  const auto second = run(problem, Newton(), many, {}, run(problem, Newton(), few).state);
  EXPECT_EQ(whole.x, second.x);
  EXPECT_EQ(whole.y, second.y);
  EXPECT_EQ(whole.iterations, second.iterations);
}

TEST(Newton, OptionsOutOfRangeAreRefusedByName) {
  expect_refused_by_name<Newton, NewtonOptions>("distance", [](NewtonOptions& o) { o.distance = 0; });
  expect_refused_by_name<Newton, NewtonOptions>("formed-leader", [](NewtonOptions& o) { o.formed_leader = -1; });
}

}  // namespace
}  // namespace bilevel::testing
