// Lemma 5.1, Proposition 5.2 and Theorem 5.6 of [BLPV25]: A^k is a diffeomorphism, phi^k has the critical points of f
// with their inertia, and those that the follower repels are far away or sharp.
#include <gtest/gtest.h>

#include <cmath>

#include "theory/experiments.hpp"

namespace bilevel::theory {
namespace {

class Dimension : public ::testing::TestWithParam<Index> {};

TEST_P(Dimension, Lemma51TheInverseReproducesTheStartAndTheDeterminantIsPositive) {
  const auto found = diffeomorphism(GetParam(), 20, 11 + static_cast<std::uint64_t>(GetParam()));
  // Each of 12 inverses magnifies rounding by 1/(1 - a L) = 2 at most: 4096 * 4e-16 = 2e-12.
  EXPECT_LE(found.inverse_error, 2e-12);
  // Every eigenvalue of every factor lies in [1/2, 3/2].
  EXPECT_GE(found.least_determinant, std::pow(0.5, 12.0 * static_cast<double>(GetParam())));
  EXPECT_LE(found.least_determinant, std::pow(1.5, 12.0 * static_cast<double>(GetParam())));
}

TEST_P(Dimension, Proposition52CorrespondingCriticalPointsHaveEqualInertia) {
  Index negative = 0, all = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const auto found = inertia(GetParam(), 5, seed);
    EXPECT_LE(found.gradient, 1e-12) << "critical up to the rounding of five inverses, and f'' <= 2";
    // Central differences with step 1e-5: h^2 of third derivatives (some hundred times smaller waves) and 1e-16/h.
    EXPECT_LE(found.congruence_error, 1e-7);
    EXPECT_GE(found.least_eigenvalue, 1e-4) << "a sign that the differences can tell";
    EXPECT_EQ(found.negative_phi, found.negative_upper) << "seed " << seed;
    negative += found.negative_upper;
    all += GetParam() + 2;
  }
  EXPECT_GT(negative, 0) << "saddles are among them";
  EXPECT_LT(negative, all);
}

INSTANTIATE_TEST_SUITE_P(FollowerVariables, Dimension, ::testing::Range<Index>(1, 7));

TEST(Theorem56, ARepulsiveCriticalPointGrowsSharpLikeRhoToTheTwoK) {
  const auto law = sharpness(20, 60);
  // By k = 20, y^-k is within 0.004 of y = 0 and g'' = 6 y^2 - 2 within 1e-4 of -2.
  EXPECT_NEAR(law.fitted / law.predicted, 1, 1e-3);
  EXPECT_GT(law.values.back(), 1e8);
}

TEST(Theorem56, AnOuterCriticalPointRunsOffToInfinity) {
  const auto law = run_off(3, 60);
  // g is a parabola there: exact.
  EXPECT_NEAR(law.fitted / law.predicted, 1, 1e-10);
  for (std::size_t i = 1; i < law.values.size(); ++i) EXPECT_GT(law.values[i], law.values[i - 1]);
}

}  // namespace
}  // namespace bilevel::theory
