// The follower solved to rounding: in any units, from saddles, at flat minima, and where there is no minimiser.
#include "lower/newton_follower.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "bilevel/autodiff.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

TEST(SolveFollower, IsTheSameInOtherUnits) {
  for (const double unit : {1e-8, 1.0, 1e8}) {
    const auto g = make_objective("g", 1, 2, [unit](auto x, auto y) {
      const auto u = y[0] / unit, v = y[1] * unit;
      return 1e-8 * (exp(u) - u * x[0] + square(v - u) + square(square(v - 2.0)));
    });
    const auto solved = solve_follower(*g, vec({3}), vec({0, 0}));
    ASSERT_EQ(solved.status, Status::converged) << solved.message;
    const double u = solved.at.y[0] / unit, v = solved.at.y[1] * unit;
    EXPECT_NEAR(std::exp(u) - 3 + 2 * (u - v), 0, 1e-12) << unit;  // g_u = 0 to rounding of its terms, up to 32 each
    EXPECT_NEAR(2 * (v - u) + 4 * std::pow(v - 2, 3), 0, 1e-12) << unit;
    EXPECT_LE(solved.iterations, 20);
  }
}

TEST(SolveFollower, LeavesASaddleAndAMaximum) {
  const auto saddle =
      make_objective("saddle", 1, 2, [](auto, auto y) { return square(square(y[0]) - 1.0) + square(y[1]); });
  const auto solved = solve_follower(*saddle, vec({0}), vec({0, 0}));
  ASSERT_EQ(solved.status, Status::converged) << solved.message;
  EXPECT_NEAR(std::abs(solved.at.y[0]), 1, 1e-14);
  const auto hill = make_objective("hill", 1, 1, [](auto, auto y) { return cos(y[0]); });
  const auto valley = solve_follower(*hill, vec({0}), vec({0}));
  ASSERT_EQ(valley.status, Status::converged) << valley.message;
  EXPECT_NEAR(std::cos(valley.at.y[0]), -1, 1e-15);
}

TEST(SolveFollower, FlatMinimaTakeFewIterations) {
  for (const int p : {4, 6, 8}) {
    const auto g = make_objective("flat", 1, 3, [p](auto x, auto y) {
      return pow(y[0] - x[0], p) + 2.0 * pow(y[1] + 3.0 * x[0], 4) + square(y[2] - 1.0);
    });
    const auto solved = solve_follower(*g, vec({0.7}), vec({-1, 1, 0}));
    ASSERT_EQ(solved.status, Status::converged) << solved.message;
    // Plain Newton steps would need log(1e-8) / log(6/7) = 120 for p = 8.
    EXPECT_LE(solved.iterations, 40) << p;
    EXPECT_NEAR(solved.at.y[0], 0.7, 1e-8) << p;
    EXPECT_NEAR(solved.at.y[1], -2.1, 1e-8) << p;
    EXPECT_TRUE(solved.flat);
  }
}

TEST(SolveFollower, NamesAFollowerWithoutAMinimiser) {
  const auto tail = make_objective("tail", 1, 2, [](auto x, auto y) { return square(y[0] - x[0]) + exp(-y[1]); });
  const auto ended = solve_follower(*tail, vec({0}), vec({0, 0}));
  EXPECT_EQ(ended.status, Status::diverged);
  EXPECT_NE(ended.message.find("(0, 1)"), std::string::npos) << ended.message;
  const auto cubic =
      make_objective("cubic", 1, 1, [](auto x, auto y) { return y[0] * y[0] * y[0] / 3.0 - x[0] * y[0]; });
  EXPECT_EQ(solve_follower(*cubic, vec({-1}), vec({0})).status, Status::diverged);
  EXPECT_EQ(solve_follower(*cubic, vec({4}), vec({0.5})).status, Status::converged);
  const auto straight = make_objective("line", 1, 2, [](auto, auto y) { return square(y[0]) + 1e-3 * y[1]; });
  EXPECT_EQ(solve_follower(*straight, vec({0}), vec({0, 0})).status, Status::diverged);
}

TEST(SolveFollower, NumbersThatAreNotFiniteAreAStatus) {
  const auto g = make_objective("log", 1, 1, [](auto, auto y) { return log(y[0] - 5.0); });
  EXPECT_EQ(solve_follower(*g, vec({0}), vec({0.2})).status, Status::nonfinite);
  EXPECT_EQ(solve_follower(*g, vec({0}), vec({std::nan("")})).status, Status::nonfinite);
}

}  // namespace
}  // namespace bilevel::testing
