// Scales of pictures: colours for values that span decades, axes, and thinning.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "pictures/colour_scale.hpp"
#include "pictures/series.hpp"

namespace bilevel::cli {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<double> decades(int from, int to) {
  std::vector<double> values;
  for (int i = 10 * from; i <= 10 * to; ++i) values.push_back(std::pow(10, i / 10.0));
  return values;
}

TEST(ColourScale, IsMonotoneAndInvertible) {
  const ColourScale scale(decades(-3, 6));
  double last = -1;
  for (const double value : decades(-3, 6)) {
    const double position = scale.position(value);
    EXPECT_GT(position, last);
    last = position;
    // log1p and expm1 over nine decades cost some rounding of 1e-16 each.
    EXPECT_NEAR(scale.value(position) / value, 1, 1e-10);
  }
  EXPECT_EQ(scale.position(scale.lowest()), 0);
  EXPECT_EQ(scale.position(scale.highest()), 1);
}

TEST(ColourScale, GivesSmallValuesTheirShare) {
  // Nine decades evenly: a linear scale would give eight of them a tenth of the colours.
  const ColourScale scale(decades(-3, 6));
  EXPECT_GT(scale.position(1000), 0.5);
  EXPECT_LT(scale.position(1), 0.5);
}

TEST(ColourScale, LeavesOutWhatIsNotFinite) {
  const ColourScale scale({kNaN, 1, kInfinity, 3, -kInfinity, 1e300});
  EXPECT_EQ(scale.lowest(), 1);
  EXPECT_EQ(scale.highest(), 3);
  EXPECT_TRUE(std::isnan(scale.position(kNaN)));
  EXPECT_TRUE(std::isnan(scale.position(kInfinity)));
}

TEST(ColourScale, TicksAreTrueValuesAtTheirPlaces) {
  for (const auto& values : {decades(-3, 6), {-1.2, -1, 0, 0.5, 2.8}, {1e-9, 3e-9}, {1e6, 1e6 + 1}, {-1e149, 1e149}}) {
    const ColourScale scale(values);
    const auto ticks = scale.ticks();
    EXPECT_GE(ticks.size(), 4u);
    EXPECT_LE(ticks.size(), 8u);
    EXPECT_TRUE(std::is_sorted(ticks.begin(), ticks.end()));
    for (const double tick : ticks) {
      EXPECT_GE(tick, scale.lowest());
      EXPECT_LE(tick, scale.highest());
    }
  }
  EXPECT_EQ(ColourScale({5, 5, 5}).ticks(), std::vector<double>{5});
  EXPECT_EQ(ColourScale({}).ticks().size(), 1u);
}

TEST(ColourScale, ColourBarNamesItsTicks) {
  const std::string commands = colour_bar(ColourScale({5, 5}), "it's g");
  EXPECT_NE(commands.find("set cbtics ('5' 0)"), std::string::npos) << commands;
  EXPECT_NE(commands.find("set cblabel 'it’s g'"), std::string::npos) << commands;
}

TEST(Series, ThinningKeepsEndsBurstsAndGaps) {
  std::vector<double> values(100'000, 1.0);
  values[54'321] = 9;
  values[54'325] = -9;
  values[77'777] = kNaN;
  const auto kept = thinned(values, 100);
  EXPECT_LE(kept.size(), 500u);
  EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end()));
  for (const std::size_t i : {0, 54'321, 54'325, 77'777, 99'999}) {
    EXPECT_TRUE(std::binary_search(kept.begin(), kept.end(), i)) << i;
  }
  EXPECT_EQ(thinned({1, 2, 3}), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_TRUE(thinned({}).empty());
}

TEST(Series, AxisIsLogarithmicWhereThatHelps) {
  EXPECT_TRUE(value_axis({1, 1e-5}, 2).logarithmic);
  EXPECT_FALSE(value_axis({1, 0.5}, 2).logarithmic);
  EXPECT_FALSE(value_axis({1e5, 1, -1}, 2).logarithmic);
  const auto with_zero = value_axis({1, 1e-5, 0, kNaN}, 2);
  EXPECT_TRUE(with_zero.logarithmic);
  EXPECT_TRUE(with_zero.hides_zeros);
  EXPECT_EQ(with_zero.missing, 1u);
  EXPECT_GT(with_zero.range.low, 0);
  EXPECT_TRUE(value_axis({kNaN, kInfinity}, 2).empty);
  EXPECT_TRUE(value_axis({}, 2).empty);
  EXPECT_GT(value_axis({1, 5e-324}, 2).range.low, 0) << "a range below the smallest number would be empty";
}

}  // namespace
}  // namespace bilevel::cli
