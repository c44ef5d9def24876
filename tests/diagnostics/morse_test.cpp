#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "bilevel/morse.hpp"
#include "bilevel/status.hpp"
#include "diagnostics/games.hpp"

namespace bilevel {
namespace {

using testing::cube;
using testing::interval;
using testing::v;

std::string texts(const MorseReport& report) {
  std::string all(to_string(report.verdict));
  for (const auto& sentence : report.evidence) all += "\n" + sentence;
  return all;
}

TEST(Morse, StronglyConvexFollowersHold) {
  const auto g = make_objective("strongly convex", 1, 2,
                                [](auto x, auto y) { return squared_norm(y) + log_sum_exp(y) - sin(x[0]) * y[0]; });
  const auto report = judge_morse(*g, interval(-2, 2), cube(2, 3), {.branches = {.samples = 5}});
  EXPECT_EQ(report.verdict, MorseVerdict::holds_on_the_samples) << texts(report);
  EXPECT_TRUE(report.failures.empty());
  EXPECT_TRUE(report.bounded);
  for (const auto& sample : report.samples) {
    EXPECT_EQ(sample.critical_points, 1);
    EXPECT_EQ(sample.minimisers, 1);
    EXPECT_GE(sample.smallest, 2 - 1e-12) << "2 I plus a convex function's Hessian, singular along (1, 1), by rounding";
  }
  EXPECT_GE(report.distance_to_singularity, 2.0 / 3 - 1e-12) << "between 2 and 2 + 1";
}

TEST(Morse, TheParabolaIsPiecewiseWithItsFailureAtZero) {
  const auto report = judge_morse(*testing::parabola(), interval(-1, 1), interval(-2, 2));
  EXPECT_EQ(report.verdict, MorseVerdict::piecewise) << texts(report);
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_NEAR(report.failures[0].x[0], 0, 1e-8) << "the accuracy that is asked of events";
  EXPECT_EQ(report.distance_to_singularity, 0);
  EXPECT_TRUE(report.bounded);
  for (const auto& sample : report.samples) {
    if (sample.x[0] != 0) {
      EXPECT_EQ(sample.critical_points, sample.x[0] < 0 ? 1 : 3);
    }
    EXPECT_EQ(sample.degenerate, sample.x[0] == 0 ? 1 : 0);
  }
}

TEST(Morse, TheEscapingFollowerIsNotLocallyBounded) {
  for (const double reach : {1.0, 1.5}) {
    const auto report = judge_morse(*testing::escaping(), interval(-reach, reach), interval(-5, 5));
    EXPECT_EQ(report.verdict, MorseVerdict::piecewise) << texts(report);
    EXPECT_FALSE(report.bounded);
    ASSERT_EQ(report.failures.size(), 2u);
    for (const auto& failure : report.failures) {
      EXPECT_EQ(failure.kind, BranchEventKind::escape);
      EXPECT_NEAR(std::abs(failure.x[0]), 1, 1e-6) << "extrapolated from |y| up to a thousand boxes, so |x| to 1e-8";
    }
    EXPECT_NE(texts(report).find("not locally bounded"), std::string::npos);
  }
  // Inside (-1, 1) nothing is wrong.
  const auto inside = judge_morse(*testing::escaping(), interval(-0.9, 0.9), interval(-5, 5));
  EXPECT_EQ(inside.verdict, MorseVerdict::holds_on_the_samples) << texts(inside);
}

TEST(Morse, ACircleOfCriticalPointsFails) {
  const auto report = judge_morse(*testing::circle(), interval(-1, 1), cube(2, 2), {.branches = {.samples = 3}});
  EXPECT_EQ(report.verdict, MorseVerdict::fails) << texts(report);
  EXPECT_EQ(report.distance_to_singularity, 0);
}

TEST(Morse, NoCriticalPointsAnywhereFails) {
  const auto g = make_objective("slope", 1, 1, [](auto x, auto y) { return exp(y[0] + x[0]); });
  const auto report = judge_morse(*g, interval(-1, 1), interval(-2, 2));
  EXPECT_EQ(report.verdict, MorseVerdict::fails) << texts(report);
  EXPECT_TRUE(std::isinf(report.distance_to_singularity));
}

TEST(Morse, ThreeBranchesOverTheLeadersHold) {
  // The picture of [BLPV25, Fig. 1]: two branches of minimisers, one of maximisers between them.
  const auto report = judge_morse(*testing::tilted_wells(0.1), interval(-1, 1), interval(-2, 2));
  EXPECT_EQ(report.verdict, MorseVerdict::holds_on_the_samples) << texts(report);
  ASSERT_EQ(report.maps.size(), 1u);
  const auto& branches = report.maps[0].branches;
  ASSERT_EQ(branches.size(), 3u);
  EXPECT_TRUE(branches[0].is_minimiser());
  EXPECT_TRUE(branches[1].is_minimiser());
  EXPECT_EQ(branches[2].index, 1);
}

TEST(Morse, FoldsArePiecewise) {
  const auto report = judge_morse(*testing::tilted_wells(), interval(-1, 1), interval(-2, 2));
  EXPECT_EQ(report.verdict, MorseVerdict::piecewise) << texts(report);
  ASSERT_EQ(report.failures.size(), 2u);
  for (const auto& fold : report.failures) {
    EXPECT_EQ(fold.kind, BranchEventKind::fold);
    EXPECT_NEAR(std::abs(fold.x[0]), 2 / (3 * std::sqrt(3.0)), 1e-8);
    EXPECT_NEAR(std::abs(fold.y[0]), 1 / std::sqrt(3.0), 1e-8);
  }
}

TEST(Morse, AMorseFunctionAfterADiffeomorphismHolds) {
  // [BLPV25, Ex. 3.2b] with F(z) = z1^4/4 - z1^2/2 + z2^2 and h(x, y) = (y1 + sin x, y2 + x y1^2), whose inverse is
  // y1 = z1 - sin x, y2 = z2 - x y1^2: critical points z = (-1, 0), (0, 0), (1, 0).
  const auto g = make_objective("composition", 1, 2, [](auto x, auto y) {
    const auto z1 = y[0] + sin(x[0]);
    const auto z2 = y[1] + x[0] * square(y[0]);
    return 0.25 * square(square(z1)) - 0.5 * square(z1) + square(z2);
  });
  const auto report = judge_morse(*g, interval(-1, 1), cube(2, 4), {.branches = {.samples = 5}});
  EXPECT_EQ(report.verdict, MorseVerdict::holds_on_the_samples) << texts(report);
  ASSERT_EQ(report.maps.at(0).branches.size(), 3u);
  for (const auto& branch : report.maps[0].branches) {
    for (const auto& point : branch.points) {
      const double z1 = point.y[0] + std::sin(point.x[0]);
      EXPECT_NEAR(point.y[1], -point.x[0] * point.y[0] * point.y[0], 1e-9) << "corrected to 1e-10 of the box";
      EXPECT_NEAR(std::abs(z1), branch.index == 0 ? 1 : 0, 1e-9);
    }
  }
}

TEST(Morse, ABoxThatTheBranchLeavesIsUndecided) {
  const auto g = make_objective("bowl", 1, 1, [](auto x, auto y) { return square(y[0] - 5.0 * x[0]); });
  const auto report = judge_morse(*g, interval(-1, 1), interval(-1, 1));
  EXPECT_EQ(report.verdict, MorseVerdict::undecided) << texts(report);
  EXPECT_NE(texts(report).find("larger box"), std::string::npos);
}

TEST(Morse, SeveralLeadersAreSampledAndJoinedByLines) {
  // Wells tilted by x1 + x2: folds where |x1 + x2| = 2/(3 sqrt 3), so that leaders differ in their counts.
  const auto wells = make_objective("tilted by two", 2, 1, [](auto x, auto y) {
    return 0.25 * square(square(y[0])) - 0.5 * square(y[0]) - (x[0] + x[1]) * y[0];
  });
  const MorseOptions options{.samples = 8, .lines = 2, .branches = {.samples = 5, .search = {.resolution = 400}}};
  const auto report = judge_morse(*wells, cube(2, 1), interval(-2, 2), options);
  EXPECT_EQ(report.verdict, MorseVerdict::piecewise) << texts(report);
  EXPECT_EQ(report.maps.size(), 2u);
  EXPECT_EQ(report.samples.size(), 8u + 2u * 5u);
  ASSERT_FALSE(report.failures.empty());
  for (const auto& fold : report.failures) {
    EXPECT_NEAR(std::abs(fold.x.sum()), 2 / (3 * std::sqrt(3.0)), 1e-7) << "1e-8 of a line no longer than 2 sqrt 2";
  }
  const auto small = judge_morse(*wells, cube(2, 0.15), interval(-2, 2), options);
  EXPECT_EQ(small.verdict, MorseVerdict::holds_on_the_samples) << texts(small);
  const auto again = judge_morse(*wells, cube(2, 1), interval(-2, 2), options);
  EXPECT_EQ(texts(report), texts(again));
}

TEST(Morse, MisuseIsNamed) {
  const auto g = testing::parabola();
  EXPECT_THROW(judge_morse(*g, cube(2, 1), interval(-1, 1)), DimensionMismatch);
  EXPECT_THROW(judge_morse(*g, interval(1, -1), interval(-1, 1)), InvalidInput);
  EXPECT_THROW(judge_morse(*g, interval(-1, 1), interval(-1, 1), {.samples = 1}), InvalidOption);
  EXPECT_THROW(judge_morse(*g, interval(-1, 1), interval(-1, 1), {.branches = {.samples = 0}}), InvalidOption);
}

}  // namespace
}  // namespace bilevel
