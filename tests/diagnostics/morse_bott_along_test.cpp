// The Morse-Bott test along a line of leaders.
#include <gtest/gtest.h>

#include "bilevel/morse_bott.hpp"
#include "bilevel/status.hpp"
#include "morse_bott_examples.hpp"

namespace bilevel::testing {
namespace {

TEST(MorseBottAlong, FollowsTheRingThatMoves) {
  const auto ring = ring_that_moves();
  const auto branch = morse_bott_along(*ring.lower, ring.x, ring.x + vec({0.5, 0.3}), ring.y, 26);
  EXPECT_EQ(branch.verdict, MorseBottVerdict::holds_on_the_samples) << branch.reason;
  EXPECT_TRUE(branch.complete);
  EXPECT_TRUE(branch.changes.empty());
  ASSERT_EQ(branch.samples.size(), 26u);
  for (const auto& sample : branch.samples) {
    const Vec& x = sample.x;
    const double radius = norm(sample.at.y - vec({x[0], 0.5 * x[0]}));
    EXPECT_NEAR(radius * radius, 1 + x[1], 1e-10) << "on the ring, to the corrections' accuracy";
    EXPECT_EQ(sample.at.kernel_dimension, 1);
  }
}

TEST(MorseBottAlong, LocatesWhereTheRingDeforms) {
  // (0, 1) is critical for every x, with H = diag(x, 2): the first eigenvalue changes its sign at x = 0.
  for (const Index leaders : {10, 11}) {  // 0 is between two leaders, or one of them
    const auto branch = morse_bott_along(*ring_that_deforms(), vec({-0.5}), vec({0.5}), vec({0, 1}), leaders);
    EXPECT_EQ(branch.verdict, MorseBottVerdict::fails) << branch.reason;
    ASSERT_FALSE(branch.changes.empty());
    for (const auto& change : branch.changes) {
      EXPECT_NEAR(change.x[0], 0, 5e-8) << "eigenvalues up to 1e-8 |H|, |H| = 2, count as zero; bisection to 1e-8";
      EXPECT_EQ(change.at_least, 1);
    }
  }
}

TEST(MorseBottAlong, SaysWhereTheCriticalPointIsLost) {
  // y^2 = -x has no solution beyond x = 0.
  const auto fold = make_objective("fold", 1, 1, [](auto x, auto y) { return y[0] * y[0] * y[0] / 3.0 + x[0] * y[0]; });
  const auto branch = morse_bott_along(*fold, vec({-0.04}), vec({0.04}), vec({0.2}), 81);
  EXPECT_FALSE(branch.complete);
  EXPECT_NE(branch.verdict, MorseBottVerdict::holds_on_the_samples) << branch.reason;
  EXPECT_NEAR(branch.samples.back().x[0], 0, 0.01);
}

TEST(MorseBottAlong, RefusesASingleLeader) {
  EXPECT_THROW(morse_bott_along(*quartic(), vec({0}), vec({1}), vec({0}), 1), InvalidOption);
  EXPECT_THROW(morse_bott_along(*quartic(), vec({0}), vec({1, 2}), vec({0})), DimensionMismatch);
}

}  // namespace
}  // namespace bilevel::testing
