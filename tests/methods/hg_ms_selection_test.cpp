// The selection of HG-MS at one x, against closed forms and re-solved values.
#include <gtest/gtest.h>

#include <Eigen/LU>

#include "hg_ms_games.hpp"

namespace bilevel::testing {
namespace {

TEST(ManifoldSelection, TheSphereGamesOraclesAreConsistent) {
  for (const Index m : {3, 12}) {
    const auto problem = sphere_problem(sphere_game(2, m));
    expect_consistent_oracles(*problem.lower, problem.x0, problem.y0, 1);
    expect_consistent_oracles(*problem.upper, problem.x0, problem.y0, 2);
  }
}

class OnSpheres : public ::testing::TestWithParam<std::pair<Index, Index>> {};

TEST_P(OnSpheres, ValueGradientAndCurvatureAreTheClosedForms) {
  const auto [k, m] = GetParam();
  const auto game = sphere_game(k, m);
  const auto problem = sphere_problem(game);
  for (const Vec& x : {problem.x0, vec({-0.5, 0.2})}) {
    const auto report = selected(problem, x, problem.y0);
    ASSERT_EQ(report.status, Status::converged) << report.message;
    const auto& piece = report.pieces.front();
    EXPECT_EQ(report.kernel_dimension, k);
    // The polish leaves |P f_y| at 1e-9 of |f_y| ~ 3; with curvature r > 1 that is 3e-9 in y and G, its square in f.
    EXPECT_NEAR(piece.upper, game->value(x), 1e-11);
    EXPECT_LE(norm(piece.y - game->answer(x)), 1e-7);
    EXPECT_LE(norm(piece.gradient - game->gradient(x)), 1e-7);
    ASSERT_TRUE(report.intrinsic_curvature);
    // Third derivatives by differences of products are good to about 1e-8.
    EXPECT_NEAR(*report.intrinsic_curvature, game->distance(x), 1e-6);
    EXPECT_FALSE(report.kink);
    EXPECT_FALSE(report.degenerate);
    EXPECT_LE(piece.lower_residual, 1e-13 * (1 + norm(piece.y)));
  }
}

INSTANTIATE_TEST_SUITE_P(Dimensions, OnSpheres,
                         ::testing::Values(std::pair<Index, Index>{1, 2}, std::pair<Index, Index>{1, 10},
                                           std::pair<Index, Index>{1, 100}, std::pair<Index, Index>{1, 1000},
                                           std::pair<Index, Index>{2, 3}, std::pair<Index, Index>{2, 10},
                                           std::pair<Index, Index>{2, 100}, std::pair<Index, Index>{5, 10},
                                           std::pair<Index, Index>{5, 100}, std::pair<Index, Index>{5, 1000}));

TEST(ManifoldSelection, EveryExplorationFindsTheSphere) {
  const auto game = sphere_game(2, 20);
  const auto problem = sphere_problem(game);
  for (const auto exploration : {Exploration::tangent, Exploration::langevin, Exploration::restarts}) {
    const auto report = selected(problem, problem.x0, problem.y0, {.exploration = exploration});
    ASSERT_EQ(report.status, Status::converged) << report.message;
    EXPECT_NEAR(report.pieces[0].upper, game->value(problem.x0), 1e-11) << to_string(exploration);
    // Twelve random points on the sphere: one of them lies beyond the equator, seen from y*.
    EXPECT_GT(report.opposite, report.pieces[0].upper + game->distance(problem.x0)) << to_string(exploration);
    EXPECT_LE(report.opposite, game->value(problem.x0, -1) + 1e-9) << "no f on the sphere is greater";
  }
}

TEST(ManifoldSelection, PessimisticIsMinusOptimisticOfMinusF) {
  const auto game = sphere_game(2, 10);
  const auto problem = sphere_problem(game);
  const auto worst = selected(problem, problem.x0, problem.y0, {.selection = ManifoldSelection::pessimistic});
  ASSERT_EQ(worst.status, Status::converged) << worst.message;
  // As above: 1e-9 |f_y| / r in y and G.
  EXPECT_NEAR(worst.pieces[0].upper, game->value(problem.x0, -1), 1e-10);
  EXPECT_LE(norm(worst.pieces[0].gradient - game->gradient(problem.x0, -1)), 1e-7);
  // Of -f the maximum is not degenerate either: the curvature of -f at the far side is r.
  EXPECT_NEAR(*worst.intrinsic_curvature, game->distance(problem.x0), 1e-6);

  auto mirrored = problem;
  auto upper = oracles_of(problem.upper);
  for (auto* gradient : {&upper.grad_x, &upper.grad_y}) {
    *gradient = [inner = *gradient](const Vec& x, const Vec& y) -> Vec { return -inner(x, y); };
  }
  for (auto* product : {&upper.hess_yy, &upper.hess_xy, &upper.hess_yx}) {
    *product = [inner = *product](const Vec& x, const Vec& y, const Vec& v) -> Vec { return -inner(x, y, v); };
  }
  upper.value = [inner = upper.value](const Vec& x, const Vec& y) { return -inner(x, y); };
  mirrored.upper = objective_of("-f", 2, 10, upper);
  const auto best = selected(mirrored, problem.x0, problem.y0);
  ASSERT_EQ(best.status, Status::converged);
  EXPECT_EQ(best.pieces[0].upper, -worst.pieces[0].upper) << "the same arithmetic but for signs";
  EXPECT_EQ(best.pieces[0].gradient, Vec(-worst.pieces[0].gradient));
}

TEST(ManifoldSelection, AUniqueAnswerIsImplicitDifferentiation) {
  const auto problem = nonlinear_problem();
  const auto report = selected(problem, problem.x0, problem.y0);
  ASSERT_EQ(report.status, Status::converged) << report.message;
  EXPECT_EQ(report.kernel_dimension, 0);
  EXPECT_EQ(report.pieces.size(), 1u);
  const auto expected = implicit(problem, problem.x0, report.pieces[0].y, {.tolerance = 1e-13});
  EXPECT_LE(norm(report.pieces[0].gradient - expected.gradient), 1e-10) << "condition 5, solved to 1e-12";
}

TEST(ManifoldSelection, TheNetworksHypergradientIsTheSlopeOfTheReSolvedValue) {
  const auto problem = penalised_network_game();
  const auto at = selected(problem, problem.x0, problem.y0);
  ASSERT_EQ(at.status, Status::converged) << at.message;
  EXPECT_EQ(at.kernel_dimension, 8);
  ASSERT_TRUE(at.intrinsic_curvature);
  EXPECT_GT(*at.intrinsic_curvature, 0);
  Random random(4), draws(5);
  const Vec e = random_vec(4, random);
  const Vec y = at.pieces[0].y;
  const double slope = dot(at.pieces[0].gradient, e);
  SelectionMemory memory;
  const auto value = [&](double t) {
    const auto moved = select_on_manifold(problem, problem.x0 + t * e, y, {}, draws, memory, false);
    EXPECT_EQ(moved.status, Status::converged) << moved.message;
    return moved.pieces.at(0).upper;
  };
  // Central differences err by t^2 = 1e-8 times a third derivative of order one, and 1e-15 / t of rounding.
  constexpr double t = 1e-4;
  EXPECT_NEAR((value(t) - value(-t)) / (2 * t), slope, 1e-6 * (1 + std::abs(slope)));
  expect_second_order("F along e", at.pieces[0].upper,
                      [&](double s) { return std::abs(value(s) - at.pieces[0].upper - s * slope); });
}

// Off the manifold the kernel's eigenvalues of H have the size of the follower's error, of both signs.
TEST(ManifoldSelection, TheNetworksHypergradientDoesNotDependOnHowFarOffTheManifoldItBegan) {
  const auto problem = penalised_network_game();
  const auto exact = selected(problem, problem.x0, problem.y0);
  ASSERT_EQ(exact.status, Status::converged);
  for (const double off : {1e-8, 1e-5, 1e-2}) {
    Random random(6), draws(7);
    SelectionMemory memory;
    const Vec start = exact.pieces[0].y + off * random_vec(12, random);
    const auto report = select_on_manifold(problem, problem.x0, start, {}, draws, memory, false);
    ASSERT_EQ(report.status, Status::converged) << off << ": " << report.message;
    // Each polish leaves 1e-9 |f_y| over the intrinsic curvature of 0.1, and |w| of order ten multiplies it.
    EXPECT_LE(norm(report.pieces[0].gradient - exact.pieces[0].gradient), 1e-6) << off;
    EXPECT_LT(norm(report.pieces[0].adjoint), 2 * norm(exact.pieces[0].adjoint)) << "nothing blew up along ker H";
  }
}

// g = |A y - x|^2/2, f = |y - a|^2/2:  y* = a + A+ (x - A a),  F = |A+ (x - A a)|^2/2,  grad F = A+' A+ (x - A a).
TEST(ManifoldSelection, MoreDimensionsThanAreCountedAndAnIllConditionedFollower) {
  constexpr Index rows = 6, m = 60;
  Random random(8);
  const Eigen::MatrixXd square_root = with_eigenvalues(vec({0.01, 0.03, 0.1, 0.3, 0.6, 1}), random);
  Eigen::MatrixXd noise(m, rows);
  for (auto& entry : noise.reshaped()) entry = random.normal();
  const Eigen::MatrixXd frame = noise.householderQr().householderQ() * Eigen::MatrixXd::Identity(m, rows);
  const Eigen::MatrixXd A = square_root * frame.transpose(), inverse = frame * square_root.inverse();
  const Vec a = random_vec(m, random), x = random_vec(rows, random, 0.01);
  const BilevelProblem problem{
      "least squares",
      std::make_shared<Quadratic>("f", rows, m, QuadraticCoefficients{.yy = Eigen::MatrixXd::Identity(m, m), .y = -a}),
      std::make_shared<Quadratic>(
          "g", rows, m,
          QuadraticCoefficients{
              .yy = A.transpose() * A, .yx = -A.transpose(), .xx = Eigen::MatrixXd::Identity(rows, rows)}),
      x,
      Vec::Zero(m),
      {}};
  const Vec w = inverse * (x - A * a);
  const auto report = selected(problem, x, problem.y0);
  ASSERT_EQ(report.status, Status::converged) << report.message;
  EXPECT_FALSE(report.kernel_dimension) << "54 is beyond the limit of 32";
  // H has condition 1e4: rounding of 1e-16 in g_y is 1e-12 in y, and A+' multiplies it by 100 once more.
  EXPECT_LE(norm(report.pieces[0].y - (a + w)), 1e-7);
  EXPECT_LE(norm(report.pieces[0].gradient - inverse.transpose() * w), 1e-6 * norm(inverse.transpose() * w));
  const auto counted = selected(problem, x, problem.y0, {.samples = 2, .kernel_limit = 60});
  EXPECT_EQ(counted.kernel_dimension, m - rows);
  EXPECT_NEAR(counted.intrinsic_curvature.value(), 1, 1e-6) << "S is flat and f has curvature one";
}

TEST(ManifoldSelection, FollowersAtEveryExampleHaveTheKernelDimensionTheyAreMadeWith) {
  for (const auto& follower : morse_bott_followers()) {
    const Index m = follower.lower->dim_y();
    auto upper = make_objective("f", follower.lower->dim_x(), m, [at = follower.y](auto, auto y) {
      decltype(y[0]) total = 0;
      for (Index i = 0; i < y.size(); ++i) total += 0.5 * square(y[i] - at[i]);
      return total;
    });
    const BilevelProblem problem{follower.name, upper, follower.lower, follower.x, follower.y, {}};
    const auto report = selected(problem, follower.x, follower.y);
    ASSERT_EQ(report.status, Status::converged) << follower.name << ": " << report.message;
    EXPECT_EQ(report.kernel_dimension, follower.kernel) << follower.name;
    EXPECT_LE(norm(report.pieces[0].y - follower.y), 1e-6) << follower.name << ": f's minimum is known, and zero";
  }
}

}  // namespace
}  // namespace bilevel::testing
