// Statements of the paper about generic followers and gradient descent, seen in numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "bilevel/morse.hpp"
#include "diagnostics/games.hpp"

namespace bilevel {
namespace {

using testing::interval;
using testing::v;

// [BLPV25, Prop. 3.4]: for almost every a, g - a y is piecewise parametric Morse. With g of Ex. 3.5, g_y = 4 y^3 - 4 x
// y
// - a has a double root where x = 3 y^2 and y^3 = -a/8: the pitchfork becomes a fold at x = 3 (|a|/8)^(2/3).
TEST(Propositions, ALinearTermTurnsThePitchforkIntoAFold) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const double a = 0.5 * Random(seed).normal();
    const auto g = make_objective("perturbed parabola", 1, 1,
                                  [a](auto x, auto y) { return square(x[0] - square(y[0])) - a * y[0]; });
    // An even number of searches, so that none is at x = 0 by symmetry.
    const auto report = judge_morse(*g, interval(-1, 1), interval(-2, 2), {.branches = {.samples = 10}});
    const double fold = 3 * std::pow(std::abs(a) / 8, 2.0 / 3);
    SCOPED_TRACE(::testing::Message() << "a = " << a << ", fold at " << fold);
    ASSERT_LT(fold, 1) << "the seeds give |a| < 1.5";
    EXPECT_EQ(report.verdict, MorseVerdict::piecewise);
    ASSERT_EQ(report.failures.size(), 1u);
    EXPECT_EQ(report.failures[0].kind, BranchEventKind::fold);
    EXPECT_NEAR(report.failures[0].x[0], fold, 1e-8) << "the accuracy that is asked of events";
    EXPECT_NEAR(report.failures[0].y[0], -std::cbrt(a / 8), 1e-7) << "y varies like the root of x, but is solved for";
    for (const auto& sample : report.samples) {
      EXPECT_EQ(sample.degenerate, 0) << "x = " << sample.x[0];
      EXPECT_EQ(sample.critical_points, sample.x[0] < fold ? 1 : 3) << "x = " << sample.x[0];
      EXPECT_EQ(sample.minimisers, sample.x[0] < fold ? 1 : 2) << "x = " << sample.x[0];
    }
  }
}

// [BLPV25, Prop. 3.12]: outside a small set, y_k of gradient descent comes near a local minimiser.
TEST(Propositions, GradientDescentReachesLocalMinimisers) {
  const auto g = testing::rotated_wells(testing::rotation(2, 11));
  const Vec x = v({0});
  const auto found = find_critical_points(*g, x, testing::cube(2, 1.6));
  ASSERT_EQ(found.points.size(), 9u);
  ASSERT_EQ(found.count(CriticalKind::minimiser), 4);
  // |H| <= 3 * 2 - 1 where |z_i| <= sqrt 2, so that this step is below 1/L.
  constexpr double kStep = 0.1;
  constexpr int kSteps = 200, kStarts = 200;
  Random random(3);
  int reached = 0;
  for (int k = 0; k < kStarts; ++k) {
    Vec y(2);
    for (Index i = 0; i < 2; ++i) y[i] = 2 * random.uniform() - 1;
    for (int step = 0; step < kSteps; ++step) y -= kStep * g->grad_y(x, y);
    const bool near = std::any_of(found.points.begin(), found.points.end(), [&](const CriticalPoint& point) {
      return point.kind == CriticalKind::minimiser && norm(point.y - y) < 1e-6;
    });
    if (near) ++reached;
  }
  // From z_i = d gradient descent takes log(1/d) / log 1.1 steps to leave 0 and 62 to come within 1e-6 of +-1 (factor
  // 0.8 a step): later than 200 only for |z_i| < 2e-6, in about one of 10^5 starts.
  EXPECT_GE(reached, kStarts - 2);

  // On the stable set of a saddle, z_1 = 0, it does not.
  const Vec saddle_side = testing::rotation(2, 11).transpose() * v({0, 0.7});
  Vec y = saddle_side;
  for (int step = 0; step < kSteps / 2; ++step) y -= kStep * g->grad_y(x, y);
  const auto end = classify(*g, x, y);
  EXPECT_EQ(end.kind, CriticalKind::saddle);
  EXPECT_LE(end.residual, 1e-6) << "0.8^100 of where it started, and 1.1^100 times the rounding of z_1";
}

}  // namespace
}  // namespace bilevel
