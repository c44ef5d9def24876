// Followers whose Hessian is singular at the point that is certified.
#include <gtest/gtest.h>

#include "bilevel/certificate.hpp"
#include "morse_bott_examples.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

std::string all_of(const Certificate& c) {
  return std::string(to_string(c.verdict)) + ": " + c.reason + " | " + c.advice;
}

BilevelProblem game(Index n, Index m, std::shared_ptr<const Objective> upper, std::shared_ptr<const Objective> lower) {
  return {"game", std::move(upper), std::move(lower), Vec::Zero(n), Vec::Zero(m), {}};
}

/// n = 2, m = 6: g = y'Ay/2 + y'Cx + b'y with A of rank 4, f = |y - t|^2/2 + |x - s|^2/2, so that x = 0, y = -A+ b is
/// an equilibrium: y - t in range(A), and f_x - B A+ f_y = -s - C' A+ (y - t) = 0.
struct DegenerateGame {
  BilevelProblem problem;
  Vec x, y;
};

DegenerateGame degenerate_game(bool mixed_in_range, bool optimistic, std::uint64_t seed) {
  constexpr Index n = 2, m = 6;
  Random random(seed);
  const Eigen::MatrixXd A = with_eigenvalues(vec({0, 0, 0.5, 1, 2, 3}), random);
  const auto noise = [&](Index rows, Index cols) {
    Eigen::MatrixXd N(rows, cols);
    for (auto& entry : N.reshaped()) entry = random.normal();
    return N;
  };
  const Eigen::MatrixXd inverse = A.completeOrthogonalDecomposition().pseudoInverse();
  const Eigen::MatrixXd free = noise(m, n);
  const Eigen::MatrixXd C = mixed_in_range ? Eigen::MatrixXd(A * free) : free;
  const Vec b = A * noise(m, 1);
  DegenerateGame result;
  result.x = Vec::Zero(n);
  result.y = -inverse * b;
  Vec away = A * noise(m, 1);  // y - t
  if (!optimistic) away += noise(m, 1);
  const Vec t = result.y - away;
  const Vec s = -C.transpose() * inverse * away;
  auto upper = std::make_shared<Quadratic>(
      "f", n, m,
      QuadraticCoefficients{
          .yy = Eigen::MatrixXd::Identity(m, m), .xx = Eigen::MatrixXd::Identity(n, n), .x = -s, .y = -t});
  auto lower = std::make_shared<Quadratic>("g", n, m, QuadraticCoefficients{.yy = A, .yx = C, .y = b});
  result.problem = game(n, m, upper, lower);
  return result;
}

TEST(DegenerateCertificate, RecognisesAnEquilibriumWithTheKernelsDimension) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto [problem, x, y] = degenerate_game(true, true, seed);
    const auto c = certify(problem, x, y);
    EXPECT_EQ(c.follower, FollowerKind::degenerate_local_minimiser) << all_of(c);
    EXPECT_EQ(c.kernel_dimension, 2);
    EXPECT_LE(c.selection_residual, 1e-12);  // rounding of vectors of size 5
    EXPECT_LE(c.morse_bott_residual, 1e-12);
    EXPECT_EQ(c.verdict, Verdict::degenerate_equilibrium) << all_of(c);
  }
}

TEST(DegenerateCertificate, SuspectsAKinkWhereTheMixedDerivativeReachesTheKernel) {
  const auto [problem, x, y] = degenerate_game(false, true, 3);
  const auto c = certify(problem, x, y);
  EXPECT_EQ(c.verdict, Verdict::kink_suspected) << all_of(c);
  EXPECT_EQ(c.kernel_dimension, 2);
  EXPECT_GT(c.morse_bott_residual, 0.1);
}

TEST(DegenerateCertificate, MeasuresASelectionThatIsNotOptimistic) {
  const auto [problem, x, y] = degenerate_game(true, false, 4);
  const auto c = certify(problem, x, y);
  EXPECT_EQ(c.verdict, Verdict::not_converged) << all_of(c);
  EXPECT_GT(c.selection_residual, 0.1);
  EXPECT_NE(c.advice.find("along the follower's minimisers"), std::string::npos) << c.advice;
  // s makes f_x - B A+ f_y vanish whatever the kernel part of y - t: the flow's own equilibrium, and both are said.
  EXPECT_TRUE(c.selection_equilibrium) << all_of(c);
  EXPECT_NE(c.reason.find("equilibrium of the game with selection"), std::string::npos) << c.reason;
  EXPECT_NE(c.reason.find("f falls along the valley"), std::string::npos) << c.reason;
  // Elsewhere the leader is not stationary either: no equilibrium of any kind.
  const auto away = certify(problem, x + Vec::Ones(2), y - Vec::Zero(6));
  EXPECT_FALSE(away.selection_equilibrium) << all_of(away);
}

TEST(DegenerateCertificate, SaysWhatTheHypergradientIs) {
  const auto [problem, x, y] = degenerate_game(true, true, 2);
  const auto c = certify(problem, x, y);
  EXPECT_EQ(c.verdict, Verdict::degenerate_equilibrium) << all_of(c);
  ASSERT_TRUE(c.morse_bott);
  EXPECT_EQ(c.morse_bott->verdict, MorseBottVerdict::holds_on_the_samples) << c.morse_bott->reason;
  EXPECT_TRUE(c.selection_equilibrium);
  EXPECT_NE(c.reason.find("gradient-flow selection [AM22, Thm 2]"), std::string::npos) << c.reason;
  const auto unexamined = certify(problem, x, y, {.morse_bott_limit = 0});
  EXPECT_EQ(unexamined.verdict, Verdict::degenerate_equilibrium) << all_of(unexamined);
  EXPECT_FALSE(unexamined.morse_bott);
}

TEST(DegenerateCertificate, TakesRoundingOfTheMixedDerivativeForNone) {
  // The ring's centre (x, x/2) moves along the ring's tangent at u = (-1, 2)/sqrt(5), so that B = 0 there but for
  // rounding, and f_x - B H+ f_y = x/2 = 0, while f still falls along the ring towards (2, 2).
  const auto lower = make_objective("ring", 1, 2, [](auto x, auto y) {
    return 0.25 * square(square(y[0] - x[0]) + square(y[1] - 0.5 * x[0]) - 1.0);
  });
  const auto upper = make_objective(
      "f", 1, 2, [](auto x, auto y) { return 0.5 * (square(y[0] - 2.0) + square(y[1] - 2.0)) + 0.25 * square(x[0]); });
  const auto c = certify(game(1, 2, upper, lower), vec({0}), vec({-1, 2}) / std::sqrt(5.0));
  EXPECT_EQ(c.verdict, Verdict::not_converged) << all_of(c);
  EXPECT_TRUE(c.selection_equilibrium) << all_of(c);
  EXPECT_NE(c.reason.find("equilibrium of the game with selection"), std::string::npos) << c.reason;
}

TEST(DegenerateCertificate, SuspectsAKinkWhereTheMinimisersDeform) {
  // At x = 0 a ring, to both sides two points: P_ker B' = 0 at (1, 0) and (0, 1), but the answer does not move
  // smoothly.
  const auto upper = make_objective("f", 1, 2, [](auto x, auto y) { return square(x[0]) + 0.0 * y[0]; });
  for (const Vec& y : {vec({1, 0}), vec({0, 1})}) {
    const auto c = certify(game(1, 2, upper, ring_that_deforms()), vec({0}), y);
    EXPECT_EQ(c.follower, FollowerKind::degenerate_local_minimiser) << all_of(c);
    EXPECT_LE(c.morse_bott_residual, 1e-12);
    EXPECT_EQ(c.verdict, Verdict::kink_suspected) << all_of(c);
    EXPECT_NE(c.reason.find("not Morse-Bott"), std::string::npos) << c.reason;
  }
}

TEST(DegenerateCertificate, DoesNotTakeAnInflectionForAMinimiser) {
  const auto upper = make_objective("f", 1, 2, [](auto x, auto y) { return square(x[0]) + y[0] + y[1]; });
  for (const double offset : {0.0, 1e-7}) {
    const auto lower =
        make_objective("inflection", 1, 2, [](auto, auto y) { return 0.5 * square(y[0]) + y[1] * y[1] * y[1]; });
    const auto c = certify(game(1, 2, upper, lower), vec({0}), vec({0, offset}));
    EXPECT_EQ(c.follower, FollowerKind::saddle) << offset << ": " << all_of(c);
    EXPECT_EQ(c.verdict, Verdict::follower_saddle) << all_of(c);
  }
  const auto alone = make_objective("cubic", 1, 1, [](auto, auto y) { return y[0] * y[0] * y[0]; });
  const auto steep = make_objective("f", 1, 1, [](auto x, auto y) { return square(x[0]) + y[0]; });
  for (const double offset : {0.0, 1e-8}) {
    const auto c = certify(game(1, 1, steep, alone), vec({0}), vec({offset}));
    EXPECT_EQ(c.follower, FollowerKind::saddle) << offset << ": " << all_of(c);
  }
}

TEST(DegenerateCertificate, FollowsACurvedValleyDownhill) {
  // Along the kernel's straight line g rises as y0^4; along y1 = y0^2 it falls as -y0^4 / 2.
  const auto lower = make_objective(
      "valley", 1, 2, [](auto, auto y) { return square(y[1] - square(y[0])) - 0.5 * square(square(y[0])); });
  const auto upper = make_objective("f", 1, 2, [](auto x, auto y) { return square(x[0]) + y[1]; });
  const auto c = certify(game(1, 2, upper, lower), vec({0}), vec({0, 0}));
  EXPECT_EQ(c.follower, FollowerKind::saddle) << all_of(c);
}

TEST(DegenerateCertificate, AcceptsAQuarticMinimum) {
  const auto lower =
      make_objective("quartic", 1, 2, [](auto x, auto y) { return square(y[0] - x[0]) + square(square(y[1] - 1.0)); });
  const auto upper =
      make_objective("f", 1, 2, [](auto x, auto y) { return square(x[0]) + square(y[0]) + square(y[1] - 1.0); });
  for (const double offset : {0.0, 1e-5}) {
    const auto c = certify(game(1, 2, upper, lower), vec({0}), vec({0, 1 + offset}));
    EXPECT_EQ(c.follower, FollowerKind::degenerate_local_minimiser) << offset << ": " << all_of(c);
    EXPECT_EQ(c.kernel_dimension, 1);
  }
}

TEST(DegenerateCertificate, RecognisesARingOfMinimisers) {
  // g = (|y - x e|^2 - 1)^2 / 4 keeps its ring as x moves; f = |y - a|^2/2 + .. with the optimistic answer c + u,
  // F = (r - 1)^2/2 + x: the linear part makes the leader stationary at x = 0, where r = 2: F' = -(r - 1) u'e + 1 = 0.
  const auto lower = make_objective(
      "ring", 1, 2, [](auto x, auto y) { return 0.25 * square(square(y[0] - x[0]) + square(y[1]) - 1.0); });
  const auto upper =
      make_objective("f", 1, 2, [](auto x, auto y) { return 0.5 * (square(y[0] - 2.0) + square(y[1])) + x[0]; });
  const auto problem = game(1, 2, upper, lower);
  const auto c = certify(problem, vec({0}), vec({1, 0}));
  EXPECT_EQ(c.verdict, Verdict::degenerate_equilibrium) << all_of(c);
  EXPECT_EQ(c.kernel_dimension, 1);
  // Off the ring by 1e-9 the tangential eigenvalue of H is 1e-9 instead of 0; a correction puts it right.
  const auto near = certify(problem, vec({0}), vec({1 + 1e-9, 0}));
  EXPECT_EQ(near.kernel_dimension, 1) << all_of(near);
  EXPECT_EQ(near.verdict, Verdict::degenerate_equilibrium) << all_of(near);
  const auto inside = certify(problem, vec({0}), vec({1 - 3e-7, 0}));
  EXPECT_EQ(inside.follower, FollowerKind::degenerate_local_minimiser) << all_of(inside);
  // Where the leader's best answer is on the other side of the ring, the selection is stationary but f bends down along
  // it: first order cannot tell, and nothing more is claimed than an equilibrium.
  const auto shifted = certify(problem, vec({0.5}), vec({1.5, 0}));
  EXPECT_EQ(shifted.verdict, Verdict::not_converged) << all_of(shifted);
}

TEST(DegenerateCertificate, DoesNotDependOnUnits) {
  for (const double unit : {1e-6, 1e6}) {
    const auto lower = make_objective(
        "g", 1, 2, [unit](auto x, auto y) { return unit * (0.25 * square(square(y[0] - x[0]) + square(y[1]) - 1.0)); });
    const auto upper = make_objective(
        "f", 1, 2, [unit](auto x, auto y) { return (0.5 * (square(y[0] - 2.0) + square(y[1])) + x[0]) / unit; });
    const auto c = certify(game(1, 2, upper, lower), vec({0}), vec({1, 0}));
    EXPECT_EQ(c.verdict, Verdict::degenerate_equilibrium) << all_of(c);
    const auto cubic =
        make_objective("cubic", 1, 2, [unit](auto, auto y) { return unit * (square(y[0]) + y[1] * y[1] * y[1]); });
    EXPECT_EQ(certify(game(1, 2, upper, cubic), vec({0}), vec({0, 0})).verdict, Verdict::follower_saddle);
  }
}

TEST(DegenerateCertificate, LeavesOpenWhatNeedsAValueThatIsMissing) {
  const auto [problem, x, y] = degenerate_game(true, true, 1);
  auto oracles = oracles_of(problem.lower);
  oracles.value = nullptr;
  auto blind = problem;
  blind.lower = objective_of("no value", 2, 6, std::move(oracles));
  const auto c = certify(blind, x, y);
  EXPECT_EQ(c.verdict, Verdict::undecided) << all_of(c);
  EXPECT_EQ(c.kernel_dimension, 2);
}

}  // namespace
}  // namespace bilevel::testing
