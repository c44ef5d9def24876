// The Morse-Bott test at a point against followers whose critical sets are known in closed form.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "bilevel/morse_bott.hpp"
#include "bilevel/status.hpp"
#include "morse_bott_examples.hpp"

namespace bilevel::testing {
namespace {

std::string all_of(const MorseBott& r) { return std::string(to_string(r.verdict)) + ": " + r.reason; }

TEST(MorseBott, HoldsOnFollowersWithManifoldsOfMinimisers) {
  for (const auto& follower : morse_bott_followers()) {
    const auto r = morse_bott(*follower.lower, follower.x, follower.y);
    EXPECT_EQ(r.verdict, MorseBottVerdict::holds_on_the_samples) << follower.name << ": " << all_of(r);
    EXPECT_EQ(r.kernel_dimension, follower.kernel) << follower.name;
    EXPECT_EQ(r.critical_dimension, follower.x.size() + follower.kernel) << follower.name;
    EXPECT_EQ(r.follows_leader, true) << follower.name;
    EXPECT_LE(r.range_residual, 1e-9) << follower.name << ": 0 but for rounding, amplified by |H| / mu < 1e4";
    EXPECT_GE(r.gap, 1e3) << follower.name;
  }
}

TEST(MorseBott, MeasuresTheRingInClosedForm) {
  // On a ring of radius r, H = 2 r^2 in the radial direction and 0 along the ring.
  const auto ring = ring_that_moves();
  const auto r = morse_bott(*ring.lower, ring.x, ring.y);
  EXPECT_NEAR(r.smallest_nonzero, 2 * 1.21, 1e-12) << "rounding";
  EXPECT_EQ(r.expected_dimension, 3);
}

TEST(MorseBott, LojasiewiczConstantTendsToTheSmallestNonzeroEigenvalue) {
  const auto ring = ring_that_moves();
  double last = std::numeric_limits<double>::infinity();
  for (const double radius : {1e-2, 1e-3, 1e-4}) {
    const auto r = morse_bott(*ring.lower, ring.x, ring.y, {.radius = radius});
    ASSERT_TRUE(r.lojasiewicz);
    const double error = std::abs(*r.lojasiewicz / r.smallest_nonzero - 1);
    EXPECT_LE(error, 0.2 * last) << "the error is of first order in the radius, which falls tenfold";
    last = error;
  }
  // A quadratic's is the eigenvalue itself: the samples hold the eigenvector.
  const auto quadratic = singular_quadratic();
  const auto exact = morse_bott(*quadratic.lower, quadratic.x, quadratic.y);
  EXPECT_NEAR(*exact.lojasiewicz, 0.5, 1e-6) << "differences of g of size 1e-4, known to 1e-16 |g| < 1e-14";
}

TEST(MorseBott, FailsOnTheRingThatDeforms) {
  const auto lower = ring_that_deforms();
  for (const double angle : {0.0, 0.3, 1.0, std::acos(0.0), 2.0, 4.0}) {
    const auto r = morse_bott(*lower, vec({0}), vec({std::cos(angle), std::sin(angle)}));
    EXPECT_EQ(r.verdict, MorseBottVerdict::fails) << angle << ": " << all_of(r);
    EXPECT_EQ(r.kernel_dimension, 1) << angle;
    EXPECT_EQ(r.follows_leader, false) << angle << ": " << all_of(r);
    EXPECT_EQ(r.critical_dimension, 1) << angle << ": two curves or one, where a Morse-Bott set has dimension 2";
  }
  // B' = (y1, 0) and the kernel is (-sin, cos): inside range(H) at these two, and only there.
  EXPECT_LE(morse_bott(*lower, vec({0}), vec({1, 0})).range_residual, 1e-12);
  EXPECT_LE(morse_bott(*lower, vec({0}), vec({0, 1})).range_residual, 1e-12);
  EXPECT_NEAR(morse_bott(*lower, vec({0}), vec({std::cos(0.3), std::sin(0.3)})).range_residual, std::sin(0.3), 1e-9);
}

TEST(MorseBott, FailsWhereAnEigenvalueVanishesAtOnePoint) {
  const auto fourth = morse_bott(*quartic(), vec({0}), vec({0}));
  EXPECT_EQ(fourth.verdict, MorseBottVerdict::fails) << all_of(fourth);
  EXPECT_NEAR(fourth.range_residual, 1, 1e-12) << "B' = -1 and the kernel is everything";
  const auto fold = make_objective("fold", 1, 1, [](auto x, auto y) { return square(x[0] - square(y[0])); });
  const auto folded = morse_bott(*fold, vec({0}), vec({0}));
  EXPECT_EQ(folded.verdict, MorseBottVerdict::fails) << all_of(folded);
  EXPECT_EQ(folded.critical_dimension, 1) << "y = 0 and x = y^2";
}

TEST(MorseBott, FailsAtACrossing) {
  const auto lower = make_objective("crossing", 0, 2, [](auto, auto y) { return square(y[0] * y[1]); });
  const auto crossing = morse_bott(*lower, Vec(0), vec({0, 0}));
  EXPECT_EQ(crossing.verdict, MorseBottVerdict::fails) << all_of(crossing);
  EXPECT_EQ(crossing.expected_dimension, 2);
  EXPECT_EQ(crossing.critical_dimension, 1) << "the axes";
  ASSERT_TRUE(crossing.kernel_order);
  EXPECT_NEAR(*crossing.kernel_order, 3, 1e-6) << "g_y is a form of third degree";
  // On an axis away from the other one it is a line of minimisers.
  const auto beside = morse_bott(*lower, Vec(0), vec({1, 0}));
  EXPECT_EQ(beside.verdict, MorseBottVerdict::holds_on_the_samples) << all_of(beside);
  EXPECT_EQ(beside.kernel_dimension, 1);
  EXPECT_FALSE(beside.follows_leader);
}

TEST(MorseBott, ASpectrumWithoutGapIsUndecided) {
  Random random(3);
  const Eigen::MatrixXd A = with_eigenvalues(vec({1e-10, 1e-9, 5e-9, 5e-8, 1e-6, 1}), random);
  const Quadratic lower("no gap", 1, 6, QuadraticCoefficients{.yy = A});
  const auto r = morse_bott(lower, vec({0}), Vec::Zero(6));
  EXPECT_EQ(r.verdict, MorseBottVerdict::undecided) << all_of(r);
  EXPECT_FALSE(r.kernel_dimension);
  EXPECT_NE(r.reason.find("no gap"), std::string::npos) << r.reason;
}

TEST(MorseBott, APointThatIsNotCriticalIsUndecided) {
  // Newton's corrections end at once: the nearest critical point is further than a radius.
  const auto ring = ring_that_moves();
  const auto r = morse_bott(*ring.lower, ring.x, ring.y * 1.5);
  EXPECT_EQ(r.verdict, MorseBottVerdict::undecided) << all_of(r);
  EXPECT_NE(r.reason.find("no critical pair"), std::string::npos) << r.reason;
  // A little beside the ring the point on it is meant.
  const auto near = morse_bott(*ring.lower, ring.x, ring.y * (1 + 1e-6));
  EXPECT_EQ(near.verdict, MorseBottVerdict::holds_on_the_samples) << all_of(near);
  EXPECT_EQ(near.kernel_dimension, 1);
}

TEST(MorseBott, DoesNotDependOnUnits) {
  for (const double unit : {1e-8, 1e8}) {
    const auto lower = make_objective(
        "g", 1, 2, [unit](auto x, auto y) { return unit * (0.25 * square(square(y[0] - x[0]) + square(y[1]) - 1.0)); });
    const auto r = morse_bott(*lower, vec({0}), vec({1, 0}));
    EXPECT_EQ(r.verdict, MorseBottVerdict::holds_on_the_samples) << unit << ": " << all_of(r);
    const auto deforms = make_objective("d", 1, 2, [unit](auto x, auto y) {
      return unit * (0.25 * square(square(y[0]) + square(y[1]) - 1.0) + 0.5 * x[0] * square(y[0]));
    });
    EXPECT_EQ(morse_bott(*deforms, vec({0}), vec({1, 0})).verdict, MorseBottVerdict::fails) << unit;
  }
}

TEST(MorseBott, IsNotWrongFarFromTheOrigin) {
  // A radius in units of 1 + |y| is longer than the whole ring here: moves get shorter until they are corrected.
  const auto lower = make_objective(
      "far ring", 1, 2, [](auto x, auto y) { return 0.25 * square(square(y[0] - x[0]) + square(y[1]) - 1.0); });
  const auto r = morse_bott(*lower, vec({1e4}), vec({1e4 + 1, 0}));
  EXPECT_NE(r.verdict, MorseBottVerdict::fails) << all_of(r);
  EXPECT_EQ(r.kernel_dimension, 1) << all_of(r);
}

TEST(MorseBott, AMinimumOfHigherOrderFollowsTheLeaderAllTheSame) {
  const auto lower =
      make_objective("fourth", 1, 2, [](auto x, auto y) { return square(y[0] - x[0]) + square(square(y[1])); });
  const auto r = morse_bott(*lower, vec({0}), vec({0, 0}));
  EXPECT_EQ(r.verdict, MorseBottVerdict::fails) << all_of(r);
  EXPECT_EQ(r.follows_leader, true);
  EXPECT_NEAR(*r.kernel_order, 3, 1e-6) << "4 y^3 is a form of third degree";
}

TEST(MorseBott, NamesWhatIsNotFinite) {
  const auto lower = make_objective("log", 1, 1, [](auto x, auto y) { return square(y[0] - log(x[0])); });
  const auto r = morse_bott(*lower, vec({-1}), vec({0}));
  EXPECT_EQ(r.verdict, MorseBottVerdict::undecided);
  EXPECT_NE(r.reason.find("g_y is not finite"), std::string::npos) << r.reason;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NE(morse_bott(*lower, vec({nan}), vec({0})).reason.find("x is not finite"), std::string::npos);
  EXPECT_NE(morse_bott(*lower, vec({1}), vec({nan})).reason.find("y is not finite"), std::string::npos);
}

TEST(MorseBott, RefusesMisuse) {
  const auto ring = ring_that_moves();
  EXPECT_THROW(morse_bott(*ring.lower, ring.x, vec({1})), DimensionMismatch);
  EXPECT_THROW(morse_bott(*ring.lower, ring.x, ring.y, {.radius = 0}), InvalidOption);
  EXPECT_THROW(morse_bott(*ring.lower, ring.x, ring.y, {.samples = 0}), InvalidOption);
  auto oracles = oracles_of(ring.lower);
  oracles.hess_yy = nullptr;
  EXPECT_THROW(morse_bott(*objective_of("blind", 2, 2, oracles), ring.x, ring.y), MissingOracle);
  auto silent = oracles_of(ring.lower);
  silent.value = nullptr;
  const auto r = morse_bott(*objective_of("no value", 2, 2, silent), ring.x, ring.y);
  EXPECT_EQ(r.verdict, MorseBottVerdict::holds_on_the_samples) << all_of(r);
  EXPECT_FALSE(r.lojasiewicz);
}

TEST(MorseBott, SaysThatLargeFollowersAreNotFormed) {
  const Index m = 501;
  const Quadratic lower("large", 1, m, QuadraticCoefficients{.yy = Eigen::MatrixXd::Identity(m, m)});
  const auto r = morse_bott(lower, vec({0}), Vec::Zero(m));
  EXPECT_EQ(r.verdict, MorseBottVerdict::undecided);
  EXPECT_NE(r.reason.find("501"), std::string::npos) << r.reason;
}

}  // namespace
}  // namespace bilevel::testing
