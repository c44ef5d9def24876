#include <gtest/gtest.h>

#include "bilevel/lower.hpp"
#include "probes.hpp"
#include "taylor.hpp"

namespace bilevel::testing {
namespace {

// Nonconvex in y, curvature between -2 and 4.
std::shared_ptr<const Objective> wavy_follower() {
  return make_objective("wavy", 2, 3, [](auto x, auto y) {
    return 0.5 * (square(y[0]) + square(y[1]) + square(y[2])) + 2.0 * sin(y[0] + x[0]) + sin(y[1] - y[2] * 0.5) * x[1];
  });
}

TEST(GradientDescentMap, IsOneGradientStep) {
  const auto problem = quadratic_problem();
  const GradientDescentMap map(*problem.lower, 0.3);
  const Vec x = vec({1, -2, 0.5}), y = vec({0.1, 0.2, -0.3, 0.4});
  const Vec expected = y - 0.3 * problem.lower->grad_y(x, y);
  EXPECT_EQ(map.apply(x, y), expected);
  const auto point = map.record(x, y);
  EXPECT_EQ(point->image(), expected);
  EXPECT_DOUBLE_EQ(point->residual(), norm(problem.lower->grad_y(x, y)));
}

TEST(GradientDescentMap, PushForwardIsTheDerivativeAndPullBackItsTranspose) {
  const auto lower = wavy_follower();
  const GradientDescentMap map(*lower, 0.2);
  Random random(7);
  for (int trial = 0; trial < 20; ++trial) {
    const Vec x = random_vec(2, random), y = random_vec(3, random, 2);
    const Vec dx = random_vec(2, random), dy = random_vec(3, random), v = random_vec(3, random);
    const auto point = map.record(x, y);
    const Vec pushed = point->push_forward(dx, dy);
    expect_second_order("step map", norm(point->image()), [&](double t) {
      return norm(map.apply(x + t * dx, y + t * dy) - point->image() - t * pushed);
    });
    const auto pulled = point->pull_back(v);
    // The same few dozen products summed in another order.
    EXPECT_NEAR(dot(v, pushed), dot(pulled.to_x, dx) + dot(pulled.to_y, dy), 1e-13 * (1 + norm(v) * norm(pushed)));
  }
}

// [BLPV25, Lemma 5.1]: with a L < 1 the map is a diffeomorphism, also where g is not convex.
TEST(GradientDescentMap, InverseRecoversTheIterateAlsoForNonconvexFollowers) {
  const auto lower = wavy_follower();
  Random random(11);
  for (const double step_size : {0.02, 0.1, 0.2}) {  // L <= 1 + 2 + |x_1| * 1.25: a L < 1
    const GradientDescentMap map(*lower, step_size);
    for (int trial = 0; trial < 50; ++trial) {
      const Vec x = vec({random.normal(), random.uniform()}), y = random_vec(3, random, 3);
      const auto inverse = map.invert(x, map.apply(x, y));
      EXPECT_TRUE(inverse.found);
      // Rounding of the image, magnified by 1/(1 - a L) <= 7.
      EXPECT_LE(norm(inverse.y - y), 1e-14 * (1 + norm(y))) << "a = " << step_size;
    }
  }
}

TEST(GradientDescentMap, InverseRefusesWhereTheMapIsNotInvertible) {
  QuadraticCoefficients steep;
  steep.yy = vec({1, 1.5}).asDiagonal();
  const Quadratic lower("steep", 1, 2, steep);
  for (const double step_size : {0.7, 1.0, 50.0}) {  // a L = 1.05, 1.5, 75
    const GradientDescentMap map(lower, step_size);
    const auto inverse = map.invert(vec({0}), map.apply(vec({0}), vec({0.3, -2})));
    EXPECT_FALSE(inverse.found) << "a = " << step_size;
    EXPECT_LE(inverse.iterations, 1000);
  }
}

TEST(GradientDescentMap, InverseStopsAtNonFiniteGradients) {
  auto oracles = oracles_of(quadratic_problem().lower);
  oracles.grad_y = [](const Vec&, const Vec&) { return vec({0, std::nan(""), 0, 0}); };
  const auto lower = objective_of("broken", 3, 4, oracles);
  const auto inverse = GradientDescentMap(*lower, 0.1).invert(Vec::Zero(3), Vec::Zero(4));
  EXPECT_FALSE(inverse.found);
  EXPECT_EQ(inverse.iterations, 1);
}

TEST(GradientDescentMap, RefusesStepSizesThatAreNoPositiveNumber) {
  const auto problem = quadratic_problem();
  for (const double bad : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(GradientDescentMap(*problem.lower, bad), InvalidOption) << bad;
  }
  EXPECT_NE(GradientDescentMap(*problem.lower, 0.25).describe().find("0.25"), std::string::npos);
}

}  // namespace
}  // namespace bilevel::testing
