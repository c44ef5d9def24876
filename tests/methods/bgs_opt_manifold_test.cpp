// BGS-Opt on followers whose minimisers form manifolds: every adjoint solver, no drift along the kernel of H, and exact
// limits although H is singular only where the follower has settled.
#include <gtest/gtest.h>

#include "bgs_opt_games.hpp"
#include "bilevel/certificate.hpp"
#include "bilevel/run.hpp"
#include "morse_bott_examples.hpp"

namespace bilevel::testing {
namespace {

StopRule until(double tolerance, Index most) {
  StopRule stop;
  stop.tolerance = tolerance;
  stop.max_iterations = most;
  return stop;
}

class EverySolver : public ::testing::TestWithParam<AdjointSolver> {};

TEST_P(EverySolver, EndsAtTheSolutionForEveryMAndT) {
  const auto game = flat_game();
  for (const auto& [M, T] : std::vector<std::pair<Index, Index>>{{0, 1}, {1, 0}, {3, 5}, {30, 0}}) {
    auto options = fixed_steps(M, T, true, 1.0, 0.18);
    options.adjoint_solver = GetParam();
    options.adjoint_tolerance = 1e-13;
    const auto result = run(game.problem, BgsOpt(options), until(1e-12, 1000));
    ASSERT_EQ(result.status, Status::converged) << M << ", " << T << ": " << result.message;
    // |d| <= 1e-12 |d_0| gives 1e-11 of x (A_u has condition 10); H's condition 10 once, or squared where H^2 is
    // solved, times the tolerance is below that.
    EXPECT_LE(norm(result.x - game.problem.known->x), 1e-10 * norm(game.problem.known->x)) << M << ", " << T;
  }
}

INSTANTIATE_TEST_SUITE_P(Names, EverySolver,
                         ::testing::Values(AdjointSolver::automatic, AdjointSolver::minres, AdjointSolver::lsqr,
                                           AdjointSolver::minres_qlp, AdjointSolver::normal_gradient,
                                           AdjointSolver::reparametrised),
                         [](const auto& test) { return std::string(to_string(test.param)); });

/// f = |y - (1, 2)|^2/2 + x_1^2/4 + x_2^2/2 over the ring that moves with x_1 and grows with x_2: the point of the ring
/// that answers turns by more than half a radian on the way, and with it the kernel of H.
BilevelProblem turning_ring() {
  const auto follower = ring_that_moves();
  auto upper = make_objective("pull", 2, 2, [](auto x, auto y) {
    return 0.5 * (square(y[0] - 1.0) + square(y[1] - 2.0)) + 0.25 * square(x[0]) + 0.5 * square(x[1]);
  });
  return {"turning ring", upper, follower.lower, vec({-1.0, 0.0}), vec({0.0, -0.5}), {}};
}

TEST(BgsOptManifold, ManyStepsOnATurningRingLeaveNothingInTheKernel) {
  for (const auto solver : {AdjointSolver::automatic, AdjointSolver::reparametrised}) {
    SCOPED_TRACE(to_string(solver));
    const auto problem = turning_ring();
    auto options = fixed_steps(5, 1, true, 0.2, 0.02);
    options.adjoint_solver = solver;
    const auto result = run(problem, BgsOpt(options), until(1e-9, 3000));
    ASSERT_EQ(result.status, Status::converged) << result.message;
    EXPECT_GT(result.iterations, 200);
    const auto certificate = certify(problem, result.x, result.y);
    EXPECT_EQ(certificate.follower, FollowerKind::degenerate_local_minimiser);
    EXPECT_EQ(certificate.kernel_dimension, 1);
    // |d| fell to 1e-9 of about 1; the certificate's own pseudo-inverse agrees within the follower's residual.
    EXPECT_LE(certificate.leader_residual, 1e-7);
    EXPECT_LE(norm(bgs(*result.state).adjoint), 10) << "|H+ f_y| is about 1 here";
  }
}

TEST(BgsOptManifold, PlainConjugateGradientsEndTheRunWhereHIsSingular) {
  const auto game = flat_game();
  auto options = fixed_steps(1, 1, true, 1.0, 0.18);
  options.adjoint_solver = AdjointSolver::cg;
  const auto result = run(game.problem, BgsOpt(options), until(1e-10, 50));
  EXPECT_EQ(result.status, Status::breakdown);
  EXPECT_NE(result.message.find("adjoint-solver auto, minres_qlp or lsqr"), std::string::npos) << result.message;
  const auto strict = quadratic_problem();
  options.inner_step_size = 0.4;
  EXPECT_EQ(run(strict, BgsOpt(options), until(1e-8, 2000)).status, Status::converged);
}

// [AM22, Prop. 5] with a Hessian that has its kernel only at the limit: away from it the eigenvalues along the manifold
// are of the size of the follower's error, and the exact pseudo-inverse would divide by them.
TEST(BgsOptManifold, ANetworkWithSpareWeightsReachesTheEquilibriumAtAFixedBudget) {
  for (const auto& [M, T] : std::vector<std::pair<Index, Index>>{{3, 0}, {10, 1}, {0, 10}}) {
    SCOPED_TRACE(::testing::Message() << "M = " << M << ", T = " << T);
    const auto problem = network_game();
    auto options = BgsOptOptions{.warm_start_steps = M, .unrolled_steps = T};
    options.leader.step_size = 0.3;
    const auto result = run(problem, BgsOpt(options), until(1e-9, 1000));
    ASSERT_EQ(result.status, Status::converged) << result.message;
    EXPECT_LT(result.iterations, 400);
    const auto certificate = certify(problem, result.x, result.y);
    EXPECT_EQ(certificate.kernel_dimension, 8);
    EXPECT_LE(certificate.leader_residual, 1e-7) << "|d| to 1e-9 of about 1, d's own error tends to 0 with it";
  }
  // [AM22, Prop. 3]: without the correction the same number of steps ends elsewhere.
  const auto problem = network_game();
  auto options = BgsOptOptions{.warm_start_steps = 0, .unrolled_steps = 10, .correction = false};
  options.leader.step_size = 0.3;
  const auto biased = run(problem, BgsOpt(options), until(1e-9, 3000));
  EXPECT_GT(certify(problem, biased.x, biased.y).leader_residual, 1e-4) << biased.message;
}

}  // namespace
}  // namespace bilevel::testing
