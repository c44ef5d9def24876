// The choice of method: what it says of followers of known condition, and that following it solves the problem.
#include "bilevel/recommendation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "bilevel/registry.hpp"
#include "bilevel/run.hpp"
#include "flat_game.hpp"
#include "morse_bott_examples.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

TEST(Recommend, NewtonWhereTheFollowersAnswerIsIsolated) {
  for (const double condition : {4.0, 1e10}) {
    const auto advice = recommend(quadratic_problem(1, condition));
    EXPECT_EQ(advice.method, "newton");
    EXPECT_EQ(advice.hypergradient, "implicit");
    EXPECT_TRUE(advice.settings.empty()) << "the defaults do";
    EXPECT_GT(advice.predicted_bytes, 0);
    EXPECT_GT(advice.predicted_seconds, 0);
    EXPECT_FALSE(advice.reasons.empty());
  }
  EXPECT_NEAR(recommend(quadratic_problem(1, 4)).condition, 4, 1e-6);  // eigenvalues 0.5 .. 2
}

TEST(Recommend, SelectionForDegenerateFollowers) {
  // The ring around (x, x/2), f = |y - (2, 2)|^2/2 + x^2/4; examples/games/mexican_hat.toml has its solution.
  auto lower = make_objective("ring", 1, 2, [](auto x, auto y) {
    return 0.25 * square(square(y[0] - x[0]) + square(y[1] - 0.5 * x[0]) - 1.0);
  });
  auto upper = make_objective(
      "f", 1, 2, [](auto x, auto y) { return 0.5 * (square(y[0] - 2.0) + square(y[1] - 2.0)) + 0.25 * square(x[0]); });
  const BilevelProblem problem{"ring", upper, lower, vec({0}), vec({0, 1}), {}};
  const auto advice = recommend(problem);
  EXPECT_EQ(advice.method, "hg_ms");
  ASSERT_FALSE(advice.reasons.empty());
  EXPECT_NE(advice.reasons.back().find("of a manifold of dimension 1"), std::string::npos) << advice.reasons.back();
  EXPECT_GT(advice.predicted_seconds, 0);
  const auto result = run(problem, *make_method(advice.method, advice.settings), {.max_iterations = 400});
  EXPECT_EQ(result.status, Status::converged) << result.message;
  EXPECT_NEAR(result.x[0], 1.180033150735159, 1e-6);  // the stop rule, 1e-8 of the first hypergradient
}

TEST(Recommend, TheCorrectionWhereNoAnswerIsTheLeadersBest) {
  const auto game = flat_game();  // f is linear along the follower's minimisers
  const auto advice = recommend(game.problem);
  EXPECT_EQ(advice.method, "bgs_opt");
  EXPECT_EQ(advice.condition, std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isfinite(advice.predicted_seconds));
  EXPECT_NE(advice.reasons.back().find("manifold of dimension 9"), std::string::npos) << advice.reasons.back();
  const auto result = run(game.problem, *make_method(advice.method, advice.settings), {.max_iterations = 400});
  EXPECT_EQ(result.status, Status::converged) << result.message;
  // 1e-8 of the first hypergradient times A_u's condition 10.
  EXPECT_LE(norm(result.x - game.problem.known->x), 1e-6 * norm(game.problem.known->x));
}

/// g = sum a_i (y_i - x_i)^2 / 2 with a_i between 1/condition and 1: y* = x whatever the condition, and the leader's
/// f = |y - t|^2/2 + |x|^2/20 is as well conditioned as can be; x = t / 1.1.
BilevelProblem followed_exactly(double condition) {
  const Vec a = Vec::LinSpaced(4, 1 / condition, 1), t = vec({1, -2, 0.5, 3});
  QuadraticCoefficients lower{.yy = a.asDiagonal(), .yx = -Eigen::MatrixXd(a.asDiagonal())};
  QuadraticCoefficients upper{.yy = Eigen::MatrixXd::Identity(4, 4),
                              .xx = 0.1 * Eigen::MatrixXd::Identity(4, 4),
                              .y = -t,
                              .constant = 0.5 * t.squaredNorm()};
  const Vec x = t / 1.1;
  return {"followed",
          std::make_shared<Quadratic>("f", 4, 4, upper),
          std::make_shared<Quadratic>("g", 4, 4, lower),
          Vec::Zero(4),
          Vec::Zero(4),
          KnownSolution{x, x, 0}};
}

TEST(Recommend, FollowingItSolvesTheProblem) {
  for (const double condition : {2.0, 15.0, 100.0, 1000.0}) {
    const auto problem = followed_exactly(condition);
    const auto advice = recommend(problem);
    const auto result = run(problem, *make_method(advice.method, advice.settings), {.max_iterations = 200});
    EXPECT_EQ(result.status, Status::converged) << condition << ": " << result.message;
    // The stop rule, 1e-8 of the first hypergradient, and what the follower lags behind, both times some units
    EXPECT_LT(norm(result.x - problem.known->x), 1e-5 * norm(problem.known->x)) << condition;
  }
}

TEST(Recommend, SaysWhereTheDegenerateAnswerIsNotMorseBott) {
  auto upper = make_objective("f", 1, 2, [](auto x, auto y) { return square(y[0] - 2.0) + square(x[0]); });
  // At x = 0 every point of the ring is an answer, beside it only two are.
  const BilevelProblem problem{"deforms", upper, ring_that_deforms(), Vec::Zero(1), vec({0.6, 0.8}), {}};
  const auto advice = recommend(problem);
  EXPECT_EQ(advice.method, "bgs_opt");
  EXPECT_NE(advice.reasons.back().find("g is not Morse-Bott there"), std::string::npos) << advice.reasons.back();
}

TEST(Recommend, CountsTheMinimisersItIsTold) {
  const auto problem = two_wells(1);
  const auto found = find_critical_points(*problem.lower, problem.x0, {vec({-2}), vec({2})});
  EXPECT_TRUE(recommend(problem, &found).several_minimisers);
  EXPECT_FALSE(recommend(problem).several_minimisers);
}

}  // namespace
}  // namespace bilevel::testing
