#include "core/taylor_slope.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace bilevel {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(TaylorSlope, MeasuresPowers) {
  for (const double power : {1.0, 1.5, 2.0, 3.0}) {
    const auto result = taylor_slope([&](double t) { return 0.7 * std::pow(t, power); }, 1, 1e-15);
    EXPECT_NEAR(result.slope, power, 1e-9);  // exact but for the rounding of the logarithms
  }
}

TEST(TaylorSlope, LooksAtShortSteps) {
  // Long steps see the saturated part of slope 0, short ones t^2.
  EXPECT_NEAR(taylor_slope([](double t) { return 1 - std::exp(-1e4 * t * t); }, 1, 1e-12).slope, 2, 1e-3);
  // A first order error of 1e-5 hides behind t^2 until the steps are shorter than that.
  EXPECT_LT(taylor_slope([](double t) { return t * t + 1e-5 * t; }, 1, 1e-15).slope, 1.3);
}

TEST(TaylorSlope, StopsAboveTheNoise) {
  EXPECT_NEAR(taylor_slope([](double t) { return t * t + 1e-13; }, 1, 1e-13).slope, 2, 0.1);  // 10 % at one end
  EXPECT_EQ(taylor_slope([](double) { return 1e-13; }, 1, 1e-13).slope, kInfinity);
  EXPECT_EQ(taylor_slope([](double) { return 0.0; }, 0, 1e-15).slope, kInfinity);
}

TEST(TaylorSlope, JudgesNothingFromLongStepsAlone) {
  EXPECT_EQ(taylor_slope([](double t) { return 1e-4 * t; }, 1, 1e-6).slope, kInfinity);
  EXPECT_NEAR(taylor_slope([](double t) { return 1e-3 * t; }, 1, 1e-6).slope, 1, 1e-9);
}

TEST(TaylorSlope, TellsNoiseByItsPlateau) {
  EXPECT_TRUE(taylor_slope([](double t) { return t * t + 1e-8; }, 1, 1e-15).flat);
  EXPECT_FALSE(taylor_slope([](double t) { return t * t + 1e-4 * t; }, 1, 1e-15).flat);
  EXPECT_FALSE(taylor_slope([](double t) { return t * t; }, 1, 1e-15).flat);
}

TEST(TaylorSlope, PassesOverOneAccidentalZero) {
  EXPECT_NEAR(taylor_slope([](double t) { return std::abs(t * t - 4 * t * t * t); }, 1, 1e-15).slope, 2, 0.01);
}

TEST(TaylorSlope, SkipsStepsThatAreNotFinite) {
  const auto domain = taylor_slope([](double t) { return t > 1e-3 ? kInfinity : t * t; }, 1, 1e-15);
  EXPECT_TRUE(domain.finite);
  EXPECT_NEAR(domain.slope, 2, 1e-9);
  const auto nowhere = taylor_slope([](double) { return std::nan(""); }, 1, 1e-15);
  EXPECT_FALSE(nowhere.finite);
  EXPECT_EQ(nowhere.slope, 0);
}

}  // namespace
}  // namespace bilevel
