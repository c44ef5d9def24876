// Where BGS-Opt ends: with a bias that T steps leave, or exactly, for a follower whose minimisers are not isolated.
#include <gtest/gtest.h>

#include "bgs_opt_games.hpp"
#include "bilevel/run.hpp"
#include "method_checks.hpp"

namespace bilevel::testing {
namespace {

constexpr double kStepSize = 1.0;  // a = 1 / L

double relative_error(const Vec& x, const Vec& expected) { return norm(x - expected) / norm(expected); }

BgsOptOptions steps(Index warm, Index unrolled_steps, bool correction) {
  BgsOptOptions options{.warm_start_steps = warm,
                        .unrolled_steps = unrolled_steps,
                        .correction = correction,
                        .inner_step_size = kStepSize};
  options.leader.step_size = 0.18;  // 2 / (1 + 10), the best for A_u: contraction 9/11
  return options;
}

StopRule until(double tolerance, Index most = 400) {
  StopRule stop;
  stop.tolerance = tolerance;
  stop.max_iterations = most;
  return stop;
}

// [AM22, Prop. 3]: unrolling alone is biased, less and less. The bias is M_0'(I - a A)^T c through A_u^-1.
TEST(BgsOptConvergence, WithoutCorrectionTheBiasFallsWithT) {
  const auto game = flat_game();
  // Root mean squares of (1 - lambda)^T over lambda from 0.1 to 1: 0.52, 0.28, 0.076, 0.0054, 1.9e-6; A_u and the
  // random M_0 and c weigh the eigenvalues unevenly, which leaves a factor of two, and of four where only the two or
  // three smallest eigenvalues are left. The sharp test is the closed form below.
  const std::vector<std::pair<Index, double>> orders{{1, 0.57}, {3, 0.31}, {10, 0.08}, {30, 0.004}, {100, 2e-6}};
  double last = 1;
  for (const auto& [T, order] : orders) {
    const auto result = run(game.problem, BgsOpt(steps(0, T, false)), until(1e-12));
    ASSERT_EQ(result.status, Status::converged) << result.message;
    const double error = relative_error(result.x, game.problem.known->x);
    EXPECT_LT(error, last) << "T = " << T;
    const double spread = T < 30 ? 2 : 4;
    EXPECT_GT(error, order / spread) << "T = " << T;
    EXPECT_LT(error, order * spread) << "T = " << T;
    // d is affine in x with the matrix A_u: |d| <= 1e-12 |d_0| gives 1e-12 of x times its condition 10.
    EXPECT_LE(relative_error(result.x, game.uncorrected_limit(T, kStepSize)), 1e-11) << "T = " << T;
    last = error;
  }
}

// [AM22, Prop. 5]: with the correction every M + T > 0 ends at the same point.
TEST(BgsOptConvergence, WithCorrectionEveryMAndTEndsAtTheSolution) {
  const auto game = flat_game();
  for (const auto& [M, T] :
       std::vector<std::pair<Index, Index>>{{1, 0}, {0, 1}, {10, 0}, {1, 1}, {5, 3}, {0, 10}, {0, 30}, {0, 100}}) {
    auto options = steps(M, T, true);
    options.adjoint_tolerance = 1e-14;
    const auto result = run(game.problem, BgsOpt(options), until(5e-14));
    ASSERT_EQ(result.status, Status::converged) << M << ", " << T << ": " << result.message;
    // |d| <= 5e-14 |d_0| gives 5e-13 of x (A_u has condition 10), H^2 xi = -H v to 1e-14 with condition 100 not more.
    EXPECT_LE(relative_error(result.x, game.problem.known->x), 1e-12) << "M = " << M << ", T = " << T;
  }
}

TEST(BgsOptConvergence, FewNormalGradientsAStepAreEnough) {
  const auto game = flat_game();
  for (const auto& [M, T] : std::vector<std::pair<Index, Index>>{{1, 0}, {0, 1}, {2, 3}}) {
    auto options = steps(M, T, true);
    options.adjoint_solver = AdjointSolver::normal_gradient;
    options.adjoint_iterations = 5;
    options.adjoint_tolerance = 1e-12;
    const auto result = run(game.problem, BgsOpt(options), until(1e-11, 2000));
    ASSERT_EQ(result.status, Status::converged) << result.message;
    // |d| to 1e-11, but xi lags: it gains a factor of about (1 - 2/101)^5 = 0.9 a step, so the last changes of x are a
    // tenth of what is left. With A_u's condition 10, 1e-9.
    EXPECT_LE(relative_error(result.x, game.problem.known->x), 1e-8) << "M = " << M << ", T = " << T;
  }
}

TEST(BgsOptConvergence, DefaultsSolveWithoutTuning) {
  const auto game = flat_game(2);
  const auto result = run(game.problem, BgsOpt(), until(1e-10));
  EXPECT_EQ(result.status, Status::converged) << result.message;
  // |d| to 1e-10 times A_u's condition 10, and the normal equations to 1e-9 times the condition 10 of H (H^2 xi to
  // 1e-9 |H v| is H xi to 1e-9 |v| at H = 1, to ten times that at most).
  EXPECT_LE(relative_error(result.x, game.problem.known->x), 1e-8) << result.message;
  const auto said = std::find_if(result.choices.begin(), result.choices.end(),
                                 [](const Choice& choice) { return choice.option == "warm-start-steps"; });
  ASSERT_NE(said, result.choices.end());
  // H's least nonzero eigenvalue is L/10: (1 - 0.9/10)^k = 1e-6 at k = 146 alone, earlier beside the others.
  EXPECT_GT(std::stoi(said->used), 20);
  EXPECT_LE(std::stoi(said->used), 150);
  EXPECT_NEAR(result.upper, game.problem.known->upper, 1e-7 * std::abs(game.problem.known->upper));

  const auto strict = quadratic_problem();
  const auto other = run(strict, BgsOpt(), until(1e-10));
  EXPECT_EQ(other.status, Status::converged) << other.message;
  EXPECT_LE(norm(other.x - strict.known->x), 1e-8) << "every H >= 1/2 here";
  for (const auto& choice : other.choices) EXPECT_NE(choice.option, "adjoint-solver") << "plain CG does it";
}

TEST(BgsOptConvergence, SingularInconsistentSystemsAreSaidToNeedTheNormalEquations) {
  const auto game = flat_game();
  const auto result = run(game.problem, BgsOpt(steps(1, 1, true)), until(1e-10));
  const auto said = std::find_if(result.choices.begin(), result.choices.end(),
                                 [](const Choice& choice) { return choice.option == "adjoint-solver"; });
  ASSERT_NE(said, result.choices.end());
  EXPECT_EQ(said->asked, "auto");
  EXPECT_EQ(said->used, "damped normal equations");
  EXPECT_NE(said->reason.find("from step 1 on"), std::string::npos) << said->reason;
}

// A follower of condition 50 lags far behind after twenty steps: the measured M has to grow.
TEST(BgsOptConvergence, DefaultsSolveASlowFollower) {
  const auto game = flat_game(3, 0, 0.02);
  const auto result = run(game.problem, BgsOpt(), until(1e-9));
  EXPECT_EQ(result.status, Status::converged) << result.message;
  // |d| to 1e-9 times A_u's condition 10, the adjoint to 1e-9 times A's condition 50.
  EXPECT_LE(relative_error(result.x, game.problem.known->x), 1e-7);
}

TEST(BgsOptConvergence, ShortSolvesGoOnFromTheLast) {
  const auto problem = quadratic_problem();
  auto options = BgsOptOptions{.adjoint_iterations = 1};  // of the four that an exact solve takes
  options.leader.step_size = 0.1;
  const auto result = run(problem, BgsOpt(options), until(1e-10, 3000));
  EXPECT_EQ(result.status, Status::converged) << result.message;
  EXPECT_LE(norm(result.x - problem.known->x), 1e-8) << "grad phi has slopes >= 0.1, and xi converges with x";
  for (const auto& choice : result.choices) EXPECT_NE(choice.option, "adjoint-solver") << choice.reason;
}

TEST(BgsOptConvergence, AMissedAdjointToleranceIsSaid) {
  const auto game = flat_game();
  auto options = steps(1, 1, true);
  options.adjoint_solver = AdjointSolver::normal_gradient;
  options.adjoint_iterations = 1;
  const auto result = run(game.problem, BgsOpt(options), until(0, 3));
  const auto said = std::find_if(result.choices.begin(), result.choices.end(),
                                 [](const Choice& choice) { return choice.option == "adjoint-tolerance"; });
  ASSERT_NE(said, result.choices.end());
  EXPECT_EQ(said->asked, "1e-09");
  EXPECT_GT(std::stod(said->used), 1e-9);
  EXPECT_NE(said->reason.find("at step 3"), std::string::npos) << said->reason;
}

TEST(BgsOptConvergence, StaysOnTheBranchItStartsOnAndSolvesIt) {
  for (const double y0 : {1.0, -1.0, 0.2}) {
    const auto result = run(two_wells(y0), BgsOpt());
    EXPECT_EQ(result.status, Status::converged) << result.message;
    EXPECT_EQ(result.y[0] > 0, y0 > 0);
    // Stationary: x + f_y dy/dx = 0 with dy/dx = 0.1 / (3 y^2 - 1); to 1e-8 of the first |d|, about 0.5.
    const double y = result.y[0];
    EXPECT_NEAR(result.x[0] + 0.1 * (y - 2) * 0.1 / (3 * y * y - 1), 0, 1e-7) << "from " << y0;
  }
}

TEST(BgsOptConvergence, AnIndefiniteHessianEndsNoRun) {
  const auto problem = two_wells(0.1);  // H = 3 y^2 - 1 < 0 at the start and after one short step
  auto options = BgsOptOptions{.warm_start_steps = 1, .unrolled_steps = 0, .inner_step_size = 0.4};
  options.leader.step_size = 0.05;
  const auto result = run(problem, BgsOpt(options), until(1e-8, 2000));
  EXPECT_EQ(result.status, Status::converged) << result.message;
  EXPECT_GT(result.y[0], 0.9);
  EXPECT_TRUE(std::any_of(result.choices.begin(), result.choices.end(),
                          [](const Choice& choice) { return choice.option == "adjoint-solver"; }));
}

TEST(BgsOptConvergence, SameOptionsSameTrace) {
  for (const auto solver : {AdjointSolver::automatic, AdjointSolver::normal_gradient}) {
    BgsOptOptions options{.adjoint_solver = solver};
    expect_same_trace_twice(nonlinear_problem(), BgsOpt(options), until(0, 40));
  }
}

}  // namespace
}  // namespace bilevel::testing
