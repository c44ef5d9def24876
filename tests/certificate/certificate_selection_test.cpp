// What the certificate says of one answer among a manifold of them, against closed forms.
#include <gtest/gtest.h>

#include <cmath>

#include "bilevel/certificate.hpp"
#include "bilevel/status.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

std::string all_of(const Certificate& c) {
  return std::string(to_string(c.verdict)) + ": " + c.reason + " | " + c.advice;
}

BilevelProblem game(Index n, Index m, std::shared_ptr<const Objective> upper, std::shared_ptr<const Objective> lower) {
  return {"game", std::move(upper), std::move(lower), Vec::Zero(n), Vec::Zero(m), {}};
}

std::shared_ptr<const Objective> ring() {
  return make_objective("ring", 1, 2, [](auto, auto y) { return 0.25 * square(square(y[0]) + square(y[1]) - 1.0); });
}

/// A ring of radius 1 around (x, x/2), f = |y - (2, 2)|^2/2 + |x|^2/4: with r the distance of (2, 2) from the centre
/// F = (r - 1)^2/2 + x^2/4.
BilevelProblem moving_ring() {
  const auto lower = make_objective("ring", 1, 2, [](auto x, auto y) {
    return 0.25 * square(square(y[0] - x[0]) + square(y[1] - 0.5 * x[0]) - 1.0);
  });
  const auto upper = make_objective(
      "f", 1, 2, [](auto x, auto y) { return 0.5 * (square(y[0] - 2.0) + square(y[1] - 2.0)) + 0.25 * square(x[0]); });
  return game(1, 2, upper, lower);
}
constexpr double kRingLeader = 1.180033150735159;  // where F' = 0

Vec ring_answer(double x, double sign) {
  const Vec centre = vec({x, 0.5 * x});
  return centre + sign * (vec({2, 2}) - centre) / norm(vec({2, 2}) - centre);
}

TEST(SelectionCertificate, MeasuresTheIntrinsicHessianOfTheMovingRing) {
  const auto problem = moving_ring();
  const double r = norm(vec({2 - kRingLeader, 2 - 0.5 * kRingLeader}));
  const auto c = certify(problem, vec({kRingLeader}), ring_answer(kRingLeader, 1));
  EXPECT_EQ(c.verdict, Verdict::degenerate_equilibrium) << all_of(c);
  ASSERT_TRUE(c.selection);
  EXPECT_EQ(c.selection->kind, SelectionKind::selected) << all_of(c);
  ASSERT_TRUE(c.selection->curvature);
  EXPECT_NEAR(*c.selection->curvature, r, 1e-7);  // third derivatives by differences
  EXPECT_EQ(c.selection->pieces, 1);
  EXPECT_EQ(c.selection->better_by, 0);
  // Away from the leader's solution the answer is selected all the same, and the curvature is that of its own r.
  const auto away = certify(problem, vec({0}), ring_answer(0, 1));
  EXPECT_EQ(away.verdict, Verdict::not_converged) << all_of(away);
  ASSERT_TRUE(away.selection && away.selection->curvature);
  EXPECT_EQ(away.selection->kind, SelectionKind::selected);
  EXPECT_NEAR(*away.selection->curvature, std::sqrt(8.0), 1e-7);
}

TEST(SelectionCertificate, TellsTheWorstAnswerFromTheBest) {
  // On the far side f is stationary along the ring too, with curvature -r, and the leader's residual vanishes at an x
  // of its own: F+ = (r + 1)^2/2 + x^2/4, F+' = 0 by bisection.
  const auto problem = moving_ring();
  const auto slope = [](double x) {
    const double r = std::hypot(2 - x, 2 - 0.5 * x);
    return (r + 1) * (-(2 - x) - 0.5 * (2 - 0.5 * x)) / r + 0.5 * x;
  };
  double low = 0, high = 4;
  for (int i = 0; i < 60; ++i) (slope(0.5 * (low + high)) < 0 ? low : high) = 0.5 * (low + high);
  const double r = std::hypot(2 - low, 2 - 0.5 * low);
  const auto c = certify(problem, vec({low}), ring_answer(low, -1));
  ASSERT_LE(c.leader_residual, 1e-6 * c.leader_scale) << all_of(c);
  EXPECT_EQ(c.verdict, Verdict::not_converged) << all_of(c);
  ASSERT_TRUE(c.selection && c.selection->curvature);
  EXPECT_EQ(c.selection->kind, SelectionKind::falls);
  EXPECT_NEAR(*c.selection->curvature, -r, 1e-7);
  // f = (r + 1)^2/2 there against (r - 1)^2/2.
  EXPECT_NEAR(c.selection->better_by, 2 * r, 1e-8);
}

TEST(SelectionCertificate, CountsTheTwoPiecesOfAKink) {
  // f = x y_1 - y_1^2/2 at x = 0 has the two answers (1, 0) and (-1, 0): F = -|x| - 1/2.
  const auto upper = make_objective("f", 1, 2, [](auto x, auto y) { return x[0] * y[0] - 0.5 * square(y[0]); });
  for (const double side : {1.0, -1.0}) {
    const auto c = certify(game(1, 2, upper, ring()), vec({0}), vec({side, 0}));
    EXPECT_EQ(c.verdict, Verdict::kink_suspected) << all_of(c);
    ASSERT_TRUE(c.selection);
    EXPECT_EQ(c.selection->kind, SelectionKind::kink) << all_of(c);
    EXPECT_EQ(c.selection->pieces, 2);
    EXPECT_NEAR(c.selection->least_slope, -1, 1e-8);
    EXPECT_NEAR(c.selection->greatest_slope, 1, 1e-8);
  }
}

TEST(SelectionCertificate, GivesTheRangeOfDerivativesWhereAllAnswersTie) {
  // f = h(x) y_1, h = x^2 - 1/4: F = -|h| has a kink at 1/2, where f is 0 on the whole ring; h' = 1. At (0, 1) the
  // derivative f_x vanishes, and by that answer alone x would look stationary.
  const auto upper = make_objective("f", 1, 2, [](auto x, auto y) { return (square(x[0]) - 0.25) * y[0]; });
  for (const Vec& y : {vec({0, 1}), vec({1, 0}), vec({0.6, -0.8})}) {
    const auto c = certify(game(1, 2, upper, ring()), vec({0.5}), y);
    EXPECT_EQ(c.verdict, Verdict::kink_suspected) << all_of(c);
    ASSERT_TRUE(c.selection);
    EXPECT_EQ(c.selection->kind, SelectionKind::kink) << all_of(c);
    EXPECT_GE(c.selection->pieces, 2);
    EXPECT_NEAR(c.selection->least_slope, -1, 1e-3);  // the piece to one side is sought 1e-4 away
    EXPECT_NEAR(c.selection->greatest_slope, 1, 1e-3);
  }
}

TEST(SelectionCertificate, NamesADegenerateSelection) {
  // y = (t, s), f = t^4/4 - x t: t* = cbrt(x), F' = -cbrt(x).
  const auto lower = make_objective("line", 1, 2, [](auto, auto y) { return 0.5 * square(y[1]); });
  const auto upper =
      make_objective("f", 1, 2, [](auto x, auto y) { return 0.25 * square(square(y[0])) - x[0] * y[0]; });
  const auto at_zero = certify(game(1, 2, upper, lower), vec({0}), vec({0, 0}));
  EXPECT_EQ(at_zero.verdict, Verdict::kink_suspected) << all_of(at_zero);
  ASSERT_TRUE(at_zero.selection);
  EXPECT_EQ(at_zero.selection->kind, SelectionKind::degenerate) << all_of(at_zero);
  EXPECT_TRUE(at_zero.selection->tilted);
  EXPECT_NE(at_zero.reason.find("Hoelder"), std::string::npos) << at_zero.reason;
  // Beside it the selection is an ordinary one: curvature 3 t^2.
  const auto beside = certify(game(1, 2, upper, lower), vec({0.125}), vec({0.5, 0}));
  ASSERT_TRUE(beside.selection && beside.selection->curvature);
  EXPECT_EQ(beside.selection->kind, SelectionKind::selected) << all_of(beside);
  EXPECT_NEAR(*beside.selection->curvature, 0.75, 1e-7);
}

TEST(SelectionCertificate, IsNotAlarmedWhereTheLeaderDoesNotCare) {
  // f does not depend on t: degenerate, but nothing tilts it, and the leader's value is smooth.
  const auto lower = make_objective("line", 1, 2, [](auto x, auto y) { return 0.5 * square(y[1] - x[0]); });
  const auto upper = make_objective("f", 1, 2, [](auto, auto y) { return 0.5 * square(y[1]); });
  const auto c = certify(game(1, 2, upper, lower), vec({0}), vec({0.3, 0}));
  EXPECT_EQ(c.verdict, Verdict::degenerate_equilibrium) << all_of(c);
  ASSERT_TRUE(c.selection);
  EXPECT_EQ(c.selection->kind, SelectionKind::degenerate) << all_of(c);
  EXPECT_FALSE(c.selection->tilted);
  EXPECT_EQ(c.selection->pieces, 1);
}

TEST(SelectionCertificate, TakesAnswersThatMirrorEachOtherForOnePiece) {
  // f = -y_1^2/2 + (x - 1)^2/2 on the ring: (1, 0) and (-1, 0) tie everywhere, with the same gradient.
  const auto upper =
      make_objective("f", 1, 2, [](auto x, auto y) { return 0.5 * square(x[0] - 1.0) - 0.5 * square(y[0]); });
  const auto c = certify(game(1, 2, upper, ring()), vec({1 + 1e-9}), vec({1, 0}));
  EXPECT_EQ(c.verdict, Verdict::degenerate_equilibrium) << all_of(c);
  ASSERT_TRUE(c.selection);
  EXPECT_EQ(c.selection->kind, SelectionKind::selected) << all_of(c);
  EXPECT_EQ(c.selection->pieces, 1);
}

TEST(SelectionCertificate, SaysWhereNothingWasSelected) {
  const auto problem = moving_ring();
  const Vec leader = vec({kRingLeader}), answer = ring_answer(kRingLeader, 1);
  EXPECT_FALSE(certify(problem, leader, answer, {.selection_limit = 0}).selection);
  // A plane of answers against a limit of one dimension.
  const auto lower = make_objective("plane", 1, 3, [](auto, auto y) { return 0.5 * square(y[2]); });
  const auto bowl =
      make_objective("f", 1, 3, [](auto x, auto y) { return square(y[0]) + square(y[1]) + square(x[0]); });
  const auto c = certify(game(1, 3, bowl, lower), vec({0}), vec({0, 0, 0}), {.selection_limit = 1});
  ASSERT_TRUE(c.selection);
  EXPECT_EQ(c.selection->kind, SelectionKind::out_of_budget) << all_of(c);
  EXPECT_NE(c.reason.find("no selection within budget"), std::string::npos) << c.reason;
  // Along the line f has a stationary answer, and beyond it falls without bound: nothing is selected there.
  const auto pit = make_objective("f", 1, 3, [](auto x, auto y) {
    return square(y[0]) + square(y[1]) - 0.25 * square(square(y[1])) + square(x[0]);
  });
  const auto unbounded = certify(game(1, 3, pit, lower), vec({0}), vec({0, 0, 0}));
  ASSERT_TRUE(unbounded.selection);
  EXPECT_EQ(unbounded.selection->kind, SelectionKind::out_of_budget) << all_of(unbounded);
  EXPECT_THROW(certify(problem, leader, answer, {.selection_limit = -1}), InvalidOption);
}

}  // namespace
}  // namespace bilevel::testing
