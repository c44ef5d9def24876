// The estimate of p and mu on powers, where both are known, and on followers that have none.
#include "bilevel/uniform_convexity.hpp"

#include <gtest/gtest.h>

#include "bilevel/status.hpp"
#include "uniformly_convex_games.hpp"

namespace bilevel::testing {
namespace {

TEST(UniformConvexity, FindsTheExponentAndTheModulusOfAPower) {
  for (const int p : {2, 3, 4, 6, 8}) {
    const auto problem = power_game(p);
    const auto result = estimate_uniform_convexity(*problem.lower, vec({0}), vec({0}));
    EXPECT_EQ(result.verdict, UniformConvexityVerdict::fits) << result.text;
    EXPECT_NEAR(result.exponent, p, 1e-6) << "the excess is |y|^p / p and nothing else; 1e-14 of it is rounding";
    EXPECT_NEAR(result.modulus, 1, 1e-5);
    EXPECT_LE(result.misfit, 1e-9);
  }
}

TEST(UniformConvexity, IsThatOfTheWorstDirection) {
  // Rotated, so that no axis is the flat direction: 3 s^2 / 2 + t^4 / 4.
  const auto lower = make_objective("mixed", 1, 2, [](auto, auto y) {
    const auto s = 0.6 * y[0] + 0.8 * y[1], t = -0.8 * y[0] + 0.6 * y[1];
    return 1.5 * square(s) + 0.25 * square(square(t));
  });
  const auto result = estimate_uniform_convexity(*lower, vec({0}), vec({0, 0}));
  EXPECT_EQ(result.verdict, UniformConvexityVerdict::fits) << result.text;
  EXPECT_NEAR(result.exponent, 4, 0.05);
  EXPECT_NEAR(result.modulus, 1, 0.2) << "a slope wrong by 0.05 turns the constant over two decades of radii";
  const auto blind = estimate_uniform_convexity(*lower, vec({0}), vec({0, 0}), {.directions = 3, .descents = 0});
  EXPECT_LT(blind.exponent, 3.8) << "few random directions alone see the quadratic part";
}

TEST(UniformConvexity, SumsOfPowersInManyDimensionsHaveTheirModulus) {
  // sum_i y_i^4 / 4 on the sphere of radius r is least where all entries are equal: r^4 / (4 m).
  const Index m = 6;
  const auto lower = make_objective("sum of powers", 1, m, [](auto, auto y) {
    decltype(y[0] * 1.0) total = 0;
    for (Index i = 0; i < 6; ++i) total = total + 0.25 * pow(y[i], 4);
    return total;
  });
  const auto result = estimate_uniform_convexity(*lower, vec({0}), Vec::Zero(m));
  EXPECT_NEAR(result.exponent, 4, 0.01) << result.text;
  EXPECT_NEAR(result.modulus, 1.0 / 6, 0.005);
}

TEST(UniformConvexity, EverySampleSatisfiesTheInequality) {
  const auto game = coupled_game(4);
  const Vec& x = game.problem.x0;
  const Vec y = game.answer(x);
  const auto result = estimate_uniform_convexity(*game.problem.lower, x, y);
  ASSERT_GT(result.modulus, 0) << result.text;
  Random random(5);
  const double at_y = game.problem.lower->value(x, y);
  for (int i = 0; i < 200; ++i) {
    Vec d(3);
    for (auto& entry : d) entry = random.normal();
    const double radius =
        result.smallest_radius * std::pow(result.largest_radius / result.smallest_radius, random.uniform());
    d *= radius / norm(d);
    const double excess = game.problem.lower->value(x, y + d) - at_y - dot(game.problem.lower->grad_y(x, y), d);
    // Between two spheres the exponent of the pieces differs from the fit: a few hundredths.
    EXPECT_GE(excess, 0.9 * result.modulus / result.exponent * std::pow(radius, result.exponent));
  }
}

TEST(UniformConvexity, SaysWhereNoSinglePowerFits) {
  const auto problem = power_game(4);
  const auto result = estimate_uniform_convexity(*problem.lower, vec({0.001}), vec({power_game_answer(0.001, 4)}));
  EXPECT_EQ(result.verdict, UniformConvexityVerdict::no_single_exponent) << result.text;
  EXPECT_LT(result.least_exponent, 2.5) << "H = 0.03 close to the answer y = 0.1";
  EXPECT_GT(result.largest_exponent, 2.7);
  EXPECT_NE(result.text.find("no single exponent"), std::string::npos);
}

TEST(UniformConvexity, ASaddleAndAFlatValleyAreNotConvexOrUndecided) {
  const auto saddle = make_objective("saddle", 1, 2, [](auto, auto y) { return square(y[0]) - 0.01 * square(y[1]); });
  EXPECT_EQ(estimate_uniform_convexity(*saddle, vec({0}), vec({0, 0})).verdict, UniformConvexityVerdict::not_convex);
  const auto valley = make_objective("valley", 1, 2, [](auto x, auto y) { return square(y[0] + y[1] - x[0]); });
  const auto flat = estimate_uniform_convexity(*valley, vec({1}), vec({0.5, 0.5}));
  EXPECT_EQ(flat.verdict, UniformConvexityVerdict::undecided) << flat.text;
  EXPECT_EQ(flat.exponent, 0);
  const auto ring =
      make_objective("ring", 1, 2, [](auto, auto y) { return 0.25 * square(square(y[0]) + square(y[1]) - 1.0); });
  EXPECT_NE(estimate_uniform_convexity(*ring, vec({0}), vec({1, 0})).verdict, UniformConvexityVerdict::fits)
      << "every sphere meets the ring, where the excess is 0";
}

TEST(UniformConvexity, SameSeedSameAnswerAndValuesOutOfRangeAreRefused) {
  const auto game = coupled_game(3);
  const Vec y = game.answer(game.problem.x0);
  const auto first = estimate_uniform_convexity(*game.problem.lower, game.problem.x0, y);
  const auto second = estimate_uniform_convexity(*game.problem.lower, game.problem.x0, y);
  EXPECT_EQ(first.exponent, second.exponent);
  EXPECT_EQ(first.modulus, second.modulus);
  EXPECT_EQ(game.problem.lower->counts()[Oracle::value], static_cast<std::uint64_t>(2 * first.samples + 2));
  const auto refuse = [&](const UniformConvexityOptions& options) {
    EXPECT_THROW(estimate_uniform_convexity(*game.problem.lower, game.problem.x0, y, options), InvalidOption);
  };
  refuse({.radius = 0});
  refuse({.spheres = 3});
  refuse({.directions = 0});
  refuse({.descents = -1});
}

}  // namespace
}  // namespace bilevel::testing
