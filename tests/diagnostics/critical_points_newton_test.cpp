#include <gtest/gtest.h>

#include <cmath>

#include "bilevel/critical_points.hpp"
#include "bilevel/status.hpp"
#include "diagnostics/games.hpp"

namespace bilevel {
namespace {

using testing::cube;
using testing::v;

// Newton's method goes on until |g_y| no longer falls; with |H^-1| <= 1 the error is then a few roundings of g_y.
constexpr double kRounding = 1e-12;

/// Whether every {-1, 0, 1}^m is hit by exactly one z = Q y of the list, with as many negative eigenvalues as zeros.
void expect_all_wells(const CriticalPoints& found, const Eigen::MatrixXd& Q) {
  Index expected = 1;
  for (Index i = 0; i < Q.rows(); ++i) expected *= 3;
  ASSERT_EQ(static_cast<Index>(found.points.size()), expected) << found.completeness;
  EXPECT_EQ(found.count(CriticalKind::minimiser), Index{1} << Q.rows());
  EXPECT_EQ(found.count(CriticalKind::maximiser), 1);
  for (const auto& point : found.points) {
    const Vec z = Q * point.y;
    const Vec rounded = z.array().round();
    EXPECT_LE((z - rounded).norm(), kRounding);
    EXPECT_LE(rounded.cwiseAbs().maxCoeff(), 1);
    EXPECT_EQ(point.index, (rounded.array() == 0).count());
  }
}

TEST(CriticalPointsByNewton, ProductsOfWellsAreAllFound) {
  for (const Index m : {2, 3, 4}) {
    const auto Q = testing::rotation(m, 7);
    // The box contains the rotated cube [-1, 1]^m of critical points.
    const auto found = find_critical_points(*testing::rotated_wells(Q), v({0}), cube(m, 1.1 * std::sqrt(double(m))));
    expect_all_wells(found, Q);
    EXPECT_TRUE(found.settled) << found.completeness;
    EXPECT_FALSE(found.exhaustive);
  }
}

TEST(CriticalPointsByNewton, SameSeedSameAnswer) {
  const auto g = testing::rotated_wells(testing::rotation(2, 3));
  const auto a = find_critical_points(*g, v({0}), cube(2, 2), {.seed = 5});
  const auto b = find_critical_points(*g, v({0}), cube(2, 2), {.seed = 5});
  ASSERT_EQ(a.points.size(), b.points.size());
  for (std::size_t i = 0; i < a.points.size(); ++i) EXPECT_EQ(a.points[i].y, b.points[i].y);
  EXPECT_EQ(a.completeness, b.completeness);
  EXPECT_EQ(a.gradients, b.gradients);
}

TEST(CriticalPointsByNewton, TenVariables) {
  // One well in the first coordinate of z, bowls in the others: three critical points.
  const Index m = 10;
  const auto Q = testing::rotation(m, 2);
  const auto g = make_objective("one well", 1, m, [Q](auto, auto y) {
    decltype(y[0] + 0.0) total = 0;
    for (Index i = 0; i < Q.rows(); ++i) {
      decltype(y[0] + 0.0) z = 0;
      for (Index j = 0; j < Q.cols(); ++j) z = z + Q(i, j) * y[j];
      total = total + (i == 0 ? 0.25 * square(square(z)) - 0.5 * square(z) : (0.5 + 0.2 * double(i)) * square(z));
    }
    return total;
  });
  const auto found = find_critical_points(*g, v({0}), cube(m, 3));
  ASSERT_EQ(found.points.size(), 3u) << found.completeness;
  EXPECT_TRUE(found.settled);
  EXPECT_EQ(found.points[2].index, 1);
  EXPECT_EQ(found.points[2].kind, CriticalKind::saddle);
  EXPECT_NEAR(std::abs((Q * found.points[0].y)[0]), 1, kRounding);
}

TEST(CriticalPointsByNewton, ASearchThatCannotBeCompleteEndsEarlyAndSaysSo) {
  // 3^6 = 729 points, of which 3 times 20 runs find no two alike.
  const auto g = testing::rotated_wells(testing::rotation(6, 4));
  const auto found = find_critical_points(*g, v({0}), cube(6, 2.5), {.starts = 20});
  EXPECT_FALSE(found.settled);
  EXPECT_EQ(found.starts, 60);
  EXPECT_NE(found.completeness.find("still coming"), std::string::npos) << found.completeness;
}

TEST(CriticalPointsByNewton, ACircleIsNotListed) {
  const auto found = find_critical_points(*testing::circle(), v({0}), cube(2, 2));
  EXPECT_EQ(found.count(CriticalKind::maximiser), 1);
  EXPECT_GE(found.count(CriticalKind::degenerate), 1);
  EXPECT_LE(found.count(CriticalKind::degenerate), 4);
  for (const auto& point : found.points) {
    if (point.kind != CriticalKind::degenerate) continue;
    EXPECT_FALSE(point.isolated);
    EXPECT_NEAR(norm(point.y), 1, kRounding);
  }
  EXPECT_TRUE(found.settled);
  EXPECT_NE(found.completeness.find("not discrete"), std::string::npos) << found.completeness;
}

TEST(CriticalPointsByNewton, AnIsolatedDegeneratePointIsOnePoint) {
  const auto g = make_objective("quartic", 1, 2, [](auto, auto y) {
    return square(square(y[0] - 0.3)) + square(y[1] + 0.2) + 0.5 * square(y[0] - 0.3) * (y[1] + 0.2);
  });
  const auto found = find_critical_points(*g, v({0}), cube(2, 1.5));
  ASSERT_EQ(found.points.size(), 1u) << found.completeness;
  EXPECT_EQ(found.points[0].kind, CriticalKind::degenerate);
  EXPECT_TRUE(found.points[0].isolated);
  // |g_y| ~ 4 d^3 drowns in the rounding of g_y, about 1e-16, where d is some 1e-5.
  EXPECT_LE((found.points[0].y - v({0.3, -0.2})).norm(), 1e-4);
}

TEST(CriticalPointsByNewton, FlatEmptyAndPartlyUndefined) {
  const auto flat =
      find_critical_points(*make_objective("flat", 1, 2, [](auto x, auto) { return x[0]; }), v({1}), cube(2, 1));
  ASSERT_EQ(flat.points.size(), 1u);
  EXPECT_FALSE(flat.points[0].isolated);
  EXPECT_EQ(flat.points[0].kernel, 2);

  const auto slope = find_critical_points(
      *make_objective("slope", 1, 2, [](auto, auto y) { return exp(y[0] + 0.5 * y[1]) + square(y[1]); }), v({0}),
      cube(2, 2));
  EXPECT_TRUE(slope.points.empty());
  EXPECT_TRUE(slope.settled);

  const auto entropy = find_critical_points(
      *make_objective("entropy", 1, 2, [](auto, auto y) { return y[0] * log(y[0]) + y[1] * log(y[1]); }), v({0}),
      cube(2, 1));
  ASSERT_EQ(entropy.points.size(), 1u) << entropy.completeness;
  EXPECT_LE((entropy.points[0].y.array() - std::exp(-1.0)).matrix().norm(), kRounding);
  EXPECT_NE(entropy.completeness.find("not a number"), std::string::npos);

  const auto nothing = find_critical_points(
      *make_objective("nothing", 1, 2, [](auto, auto y) { return log(-2.0 - squared_norm(y)); }), v({0}), cube(2, 1));
  EXPECT_TRUE(nothing.points.empty());
  EXPECT_FALSE(nothing.settled);
}

TEST(CriticalPointsByNewton, PointsOutsideTheBoxAreDropped) {
  const auto Q = Eigen::MatrixXd::Identity(2, 2);
  // Of {-1, 0, 1}^2 the box [-0.5, 2]^2 holds {0, 1}^2.
  const auto found = find_critical_points(*testing::rotated_wells(Q), v({0}), {v({-0.5, -0.5}), v({2, 2})});
  EXPECT_EQ(found.points.size(), 4u) << found.completeness;
}

}  // namespace
}  // namespace bilevel
