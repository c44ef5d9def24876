#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "bilevel/critical_points.hpp"
#include "bilevel/status.hpp"
#include "diagnostics/games.hpp"

namespace bilevel {
namespace {

using testing::interval;
using testing::v;

// Roots of a simple zero are followed to neighbouring numbers; a few of them are allowed for the rounding of g_y.
constexpr double kRounding = 1e-14;

template <typename Function>
CriticalPoints search(Function function, double low, double high, double x = 0, CriticalPointOptions options = {}) {
  return find_critical_points(*make_objective("g", 1, 1, function), v({x}), interval(low, high), options);
}

TEST(CriticalPointsOnALine, WellsAreFoundToRounding) {
  const auto found = find_critical_points(*testing::tilted_wells(0.0), v({0}), interval(-2.1, 2.2));
  ASSERT_EQ(found.points.size(), 3u) << found.completeness;
  EXPECT_TRUE(found.exhaustive);
  EXPECT_TRUE(found.settled);
  EXPECT_EQ(found.count(CriticalKind::minimiser), 2);
  EXPECT_NEAR(std::abs(found.points[0].y[0]), 1, kRounding);
  EXPECT_NEAR(found.points[0].y[0] + found.points[1].y[0], 0, kRounding);
  const auto& top = found.points[2];
  EXPECT_EQ(top.kind, CriticalKind::maximiser);
  EXPECT_NEAR(top.y[0], 0, kRounding);
  EXPECT_EQ(top.index, 1);
  EXPECT_NEAR(top.smallest, -1, kRounding);
  EXPECT_NEAR(found.points[0].lower, -0.25, kRounding);
  EXPECT_TRUE(std::isnan(top.upper));
}

TEST(CriticalPointsOnALine, ZerosOnCellBordersAndAtTheEndsAreFoundOnce) {
  // 4000 cells of [-1, 1] have borders at -1, 0 and 1, where all three zeros lie.
  const auto found = find_critical_points(*testing::tilted_wells(0.0), v({0}), interval(-1, 1));
  EXPECT_EQ(found.points.size(), 3u) << found.completeness;
}

TEST(CriticalPointsOnALine, ATouchingZeroBetweenCellsIsFoundAndDegenerate) {
  const double place = 1 / std::numbers::pi;
  const auto found = search([=](auto, auto y) { return pow(y[0] - place, 3) / 3.0; }, -1, 1);
  ASSERT_EQ(found.points.size(), 1u) << found.completeness;
  EXPECT_EQ(found.points[0].kind, CriticalKind::degenerate);
  EXPECT_EQ(found.points[0].kernel, 1);
  EXPECT_TRUE(found.points[0].isolated);
  EXPECT_NEAR(found.points[0].y[0], place, kRounding);
}

TEST(CriticalPointsOnALine, TwoRootsWithinACellAreFoundAndANearMissIsNot) {
  // g_y = (y - p)^2 -+ d^2: roots p +- d, much nearer than a cell (5e-4), or none.
  const double place = 1 / std::numbers::pi, d = 1e-5;
  const auto two = search([=](auto, auto y) { return pow(y[0] - place, 3) / 3.0 - d * d * y[0]; }, -1, 1);
  ASSERT_EQ(two.points.size(), 2u) << two.completeness;
  // A residual of rounding, 1e-16, at the slope 2e-5 is an error of 5e-12.
  EXPECT_NEAR(two.points[0].y[0], place + d, 1e-11);
  EXPECT_EQ(two.points[0].kind, CriticalKind::minimiser);
  EXPECT_NEAR(two.points[1].y[0], place - d, 1e-11);
  const auto none = search([=](auto, auto y) { return pow(y[0] - place, 3) / 3.0 + d * d * y[0]; }, -1, 1);
  EXPECT_TRUE(none.points.empty());
}

TEST(CriticalPointsOnALine, HuberHasItsMinimiserAndAFlatStretchIsOneEntry) {
  const auto huber = search([](auto, auto y) { return bilevel::autodiff::huber(y[0] - 0.3); }, -5, 5);
  ASSERT_EQ(huber.points.size(), 1u) << huber.completeness;
  EXPECT_NEAR(huber.points[0].y[0], 0.3, kRounding);
  EXPECT_EQ(huber.points[0].kind, CriticalKind::minimiser);
  // huber(y) - y has slope min(y, 1) - 1 for y > -1: zero on all of [1, 5].
  const auto flat = search([](auto, auto y) { return bilevel::autodiff::huber(y[0]) - y[0]; }, -5, 5);
  ASSERT_EQ(flat.points.size(), 1u) << flat.completeness;
  EXPECT_FALSE(flat.points[0].isolated);
  EXPECT_EQ(flat.points[0].kind, CriticalKind::degenerate);
  EXPECT_NEAR(flat.points[0].y[0], 3, 0.01) << "the middle, up to cells";
  EXPECT_NE(flat.completeness.find("not isolated"), std::string::npos) << flat.completeness;
}

TEST(CriticalPointsOnALine, SlowZerosAreOnePointAndConstantsAreFlat) {
  const auto slow = search([](auto, auto y) { return pow(y[0], 8); }, -1.3, 1);
  ASSERT_EQ(slow.points.size(), 1u) << slow.completeness;
  EXPECT_EQ(slow.points[0].kind, CriticalKind::degenerate);
  EXPECT_NEAR(slow.points[0].y[0], 0, kRounding);
  const auto constant = search([](auto, auto) { return 1.0; }, -1, 1);
  ASSERT_EQ(constant.points.size(), 1u);
  EXPECT_FALSE(constant.points[0].isolated);
}

TEST(CriticalPointsOnALine, AnUnderflowIsOneFlatStretch) {
  // exp(y) is 0 below -745.2 and positive above.
  const auto found = search([](auto, auto y) { return exp(y[0]); }, -800, 10);
  ASSERT_EQ(found.points.size(), 1u) << found.completeness;
  EXPECT_FALSE(found.points[0].isolated);
  EXPECT_NEAR(found.points[0].y[0], 0.5 * (-800 - 745.2), 0.5) << "the middle, up to cells of 0.2";
}

TEST(CriticalPointsOnALine, JumpsAndPolesAreNoCriticalPoints) {
  const auto kink = search([](auto, auto y) { return abs(y[0] - 0.1234567); }, -1, 1);
  EXPECT_TRUE(kink.points.empty());
  EXPECT_NE(kink.completeness.find("jump"), std::string::npos) << kink.completeness;
  const auto kink_on_a_border = search([](auto, auto y) { return abs(y[0]); }, -1, 1);
  EXPECT_TRUE(kink_on_a_border.points.empty());
  const auto pole = search([](auto, auto y) { return log(abs(y[0] - 0.1234567)); }, -1, 1);
  EXPECT_TRUE(pole.points.empty()) << pole.completeness;
}

TEST(CriticalPointsOnALine, PartsWithoutNumbersAreNamed) {
  // y log y is a number for y > 0 only, with its minimum at 1/e.
  const auto found = search([](auto, auto y) { return y[0] * log(y[0]); }, -1, 1);
  ASSERT_EQ(found.points.size(), 1u) << found.completeness;
  EXPECT_NEAR(found.points[0].y[0], 1 / std::numbers::e, kRounding);
  EXPECT_NE(found.completeness.find("not a number"), std::string::npos);
  const auto nothing = search([](auto, auto y) { return log(y[0]); }, -2, -1);
  EXPECT_TRUE(nothing.points.empty());
  EXPECT_FALSE(nothing.exhaustive);
  EXPECT_FALSE(nothing.settled);
}

TEST(CriticalPointsOnALine, NoCriticalPointIsAnAnswer) {
  const auto found = search([](auto, auto y) { return exp(y[0]); }, -3, 3);
  EXPECT_TRUE(found.points.empty());
  EXPECT_TRUE(found.exhaustive);
}

TEST(CriticalPointsOnALine, MisuseIsNamed) {
  const auto g = testing::parabola();
  EXPECT_THROW(find_critical_points(*g, v({0, 1}), interval(-1, 1)), DimensionMismatch);
  EXPECT_THROW(find_critical_points(*g, v({0}), testing::cube(2, 1)), DimensionMismatch);
  EXPECT_THROW(find_critical_points(*g, v({0}), interval(1, 1)), InvalidInput);
  EXPECT_THROW(find_critical_points(*g, v({0}), interval(-1, 1), {.resolution = 2}), InvalidOption);
  EXPECT_THROW(find_critical_points(*g, v({0}), interval(-1, 1), {.tolerance = std::nan("")}), InvalidOption);
  EXPECT_THROW(find_critical_points(*g, v({0}), interval(-1, 1), {}, testing::circle().get()), DimensionMismatch);
  const auto large =
      make_objective("large", 1, kLargestSearchDimension + 1, [](auto, auto y) { return squared_norm(y); });
  EXPECT_THROW(find_critical_points(*large, v({0}), testing::cube(kLargestSearchDimension + 1, 1)), InvalidInput);
}

TEST(Classify, ReportsTheInertiaWithoutMovingThePoint) {
  const auto g = make_objective(
      "quadratic", 1, 3, [](auto, auto y) { return 2.0 * square(y[0]) - square(y[1]) + 1e-9 * square(y[2]) + y[0]; });
  const auto f = make_objective("f", 1, 3, [](auto x, auto y) { return x[0] + sum(y); });
  const auto point = classify(*g, v({2}), v({1, 2, 3}), 1e-6, f.get());
  EXPECT_EQ(point.y, v({1, 2, 3}));
  EXPECT_EQ(point.index, 1);
  EXPECT_EQ(point.kernel, 1);
  EXPECT_EQ(point.kind, CriticalKind::degenerate);
  EXPECT_NEAR(point.smallest, 2e-9, 1e-15);
  EXPECT_NEAR((point.eigenvalues - v({-2, 2e-9, 4})).norm(), 0, kRounding);
  EXPECT_DOUBLE_EQ(point.upper, 8);
  EXPECT_NEAR(point.residual, std::sqrt(25.0 + 16.0), 1e-7) << "6e-9 of the third entry is left out";
}

TEST(Classify, AHessianThatIsNoNumberIsDegenerate) {
  const auto g = make_objective("root", 1, 1, [](auto, auto y) { return sqrt(y[0]); });
  const auto point = classify(*g, v({0}), v({-1}));
  EXPECT_EQ(point.kind, CriticalKind::degenerate);
  EXPECT_TRUE(std::isnan(point.smallest));
}

}  // namespace
}  // namespace bilevel
