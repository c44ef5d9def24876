#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "diagnostics/branch_escape.hpp"
#include "diagnostics/critical_points_root.hpp"
#include "diagnostics/critical_points_starts.hpp"
#include "diagnostics/games.hpp"

namespace bilevel {
namespace {

using testing::interval;
using testing::v;

TEST(BracketedRoot, GoesToNeighbouringNumbersInFewSteps) {
  int calls = 0;
  const auto root = [&](auto f, double a, double b) {
    calls = 0;
    return bracketed_root(
        [&](double y) {
          ++calls;
          return f(y);
        },
        a, b, f(a), f(b));
  };
  const double ulp = std::numeric_limits<double>::epsilon();
  EXPECT_NEAR(root([](double y) { return std::cos(y) - y; }, 0, 1).at, 0.7390851332151607, 2 * ulp);
  EXPECT_LE(calls, 12) << "superlinear on a smooth function";
  // Bisections alone take 3 times 54 steps for a bracket of 1, whatever the function.
  EXPECT_NEAR(root([](double y) { return std::cbrt(y - 0.3); }, 0, 1).at, 0.3, 2 * ulp);
  EXPECT_LE(calls, 170);
  EXPECT_NEAR(root([](double y) { return std::pow(y - 0.3, 9); }, 0, 1).at, 0.3, 1e-12)
      << "the power underflows sooner";
  EXPECT_LE(calls, 170);
  EXPECT_NEAR(root([](double y) { return y < 0.7 ? -1.0 : 1e9; }, 0, 1).at, 0.7, 2 * ulp);
  EXPECT_LE(calls, 170);
}

TEST(BracketedRoot, StopsAtTheWidthAndAtWhatIsNoNumber) {
  const auto wide = bracketed_root([](double y) { return y - 0.3; }, 0, 1, -0.3, 0.7, 0.1);
  EXPECT_LE(wide.width, 0.1);
  EXPECT_NEAR(wide.at, 0.3, 0.1);
  const auto nan = bracketed_root([](double) { return std::nan(""); }, 0, 1, -1, 1);
  EXPECT_TRUE(std::isnan(nan.value));
}

TEST(ScrambledHalton, FillsTheBoxEvenlyAndReproducibly) {
  const Box box{v({-1, 0, 10}), v({1, 3, 11})};
  ScrambledHalton one(box, 4), same(box, 4), other(box, 5);
  constexpr int kPoints = 600;
  std::vector<int> cells(8, 0);
  bool differs = false;
  for (int k = 0; k < kPoints; ++k) {
    const Vec point = one.next();
    EXPECT_TRUE(box.contains(point));
    EXPECT_EQ(point, same.next());
    differs = differs || point != other.next();
    const Vec middle = box.centre();
    ++cells[static_cast<std::size_t>((point[0] > middle[0]) + 2 * (point[1] > middle[1]) + 4 * (point[2] > middle[2]))];
  }
  EXPECT_TRUE(differs);
  // 75 in each octant; independent points would scatter by 8, these by log(600)^3 / 8 at worst and far less as seen.
  for (const int count : cells) EXPECT_NEAR(count, 75, 12);
}

/// Points of y = C (t* - t)^-p, or what else `y` is, with t going to t*.
std::vector<PathPoint> growing(double (*y)(double), double (*slope)(double)) {
  std::vector<PathPoint> points;
  for (double ahead = 0.5; ahead > 1e-7; ahead *= 0.7) {
    PathPoint point;
    point.t = 0.75 - ahead;
    point.y = v({y(ahead)});
    point.slope = v({slope(ahead)});
    points.push_back(point);
  }
  return points;
}

TEST(Escape, PowerLawsAreRecognisedAndOthersAreNot) {
  const auto g = testing::parabola();
  const LeaderLine line{v({0}), v({1})};
  const Box box = interval(-1, 1);
  const BranchOptions options;
  const BranchTask task{*g, line, box, options, line.to - line.from, box.diameter()};
  // Exact laws are linear in t, so that the estimate errs by rounding only.
  const auto root =
      growing([](double s) { return 1 / std::sqrt(s); }, [](double s) { return 0.5 * std::pow(s, -1.5); });
  const auto escape = escape_of(task, root, 1);
  ASSERT_TRUE(escape.has_value());
  EXPECT_NEAR(escape->t, 0.75, 1e-10);
  EXPECT_LE(std::abs(escape->t - 0.75), escape->accuracy);
  // A law with a second term is only nearly linear, and its accuracy says so.
  const auto mixed = growing([](double s) { return 1 / s + 30 / std::sqrt(s); },
                             [](double s) { return 1 / (s * s) + 15 * std::pow(s, -1.5); });
  const auto rough = escape_of(task, mixed, 1);
  ASSERT_TRUE(rough.has_value());
  EXPECT_LE(std::abs(rough->t - 0.75), rough->accuracy);
  // A fold: steep, but not far.
  EXPECT_FALSE(
      escape_of(task, growing([](double s) { return -std::sqrt(s); }, [](double s) { return 0.5 / std::sqrt(s); }), 1));
  // Straight out of the box.
  EXPECT_FALSE(escape_of(task, growing([](double s) { return 100 * (0.75 - s); }, [](double) { return 100.0; }), 1));
}

}  // namespace
}  // namespace bilevel
