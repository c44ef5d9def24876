#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>

#include <limits>

#include "bilevel/lower.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

const Vec kX = Vec::Zero(1);

LowerSolver::Options tight(double tolerance, Index iterations) {
  return {.tolerance = tolerance, .max_iterations = iterations};
}

/// sum of 100 (y_{i+1} - y_i^2)^2 + (1 - y_i)^2, minimiser (1, .., 1).
std::shared_ptr<const Objective> chained_rosenbrock(Index m) {
  return make_objective("chained rosenbrock", 1, m, [m](auto, auto y) {
    decltype(y[0]) total = 0;
    for (Index i = 0; i + 1 < m; ++i) total = total + 100.0 * square(y[i + 1] - square(y[i])) + square(1.0 - y[i]);
    return total;
  });
}

TEST(NewtonCg, SolvesAQuadraticToRounding) {
  const auto problem = quadratic_problem();
  const auto& coefficients = dynamic_cast<const Quadratic&>(*problem.lower).coefficients();
  const Vec x = vec({0.3, -1, 2});
  const auto summary = NewtonCg().solve(*problem.lower, x, Vec::Zero(4), tight(1e-12, 50));
  EXPECT_EQ(summary.status, Status::converged) << summary.message;
  const Vec expected = -coefficients.yy.ldlt().solve(coefficients.yx * x + coefficients.y);
  EXPECT_LE(norm(summary.y - expected), 1e-10);  // |g_y| / lambda_min with |g_y| <= 1e-12 * 10, lambda_min = 0.5
  EXPECT_DOUBLE_EQ(summary.value, problem.lower->value(x, summary.y));
}

TEST(NewtonCg, ConvergesQuadraticallyOnANonlinearFollower) {
  const auto problem = nonlinear_problem();
  std::vector<double> residuals;
  for (Index k = 1; k <= 12; ++k) {
    residuals.push_back(NewtonCg().solve(*problem.lower, problem.x0, problem.y0, tight(1e-300, k)).residual);
  }
  // Below 1e-2 each residual is at most about the square of the one before (the factor: |D3 g| / lambda_min^2 and the
  // tolerance of CG); 1e-13 is rounding.
  int quadratic_steps = 0;
  for (std::size_t k = 0; k + 1 < residuals.size(); ++k) {
    if (residuals[k] > 1e-2 || residuals[k] < 1e-13) continue;
    EXPECT_LE(residuals[k + 1], 10 * residuals[k] * residuals[k] + 1e-13) << "iteration " << k + 2;
    ++quadratic_steps;
  }
  EXPECT_GE(quadratic_steps, 2);
  EXPECT_LE(residuals.back(), 1e-13);
}

TEST(NewtonCg, SolvesAChainedRosenbrockOfFiftyVariables) {
  const auto lower = chained_rosenbrock(50);
  const auto summary = NewtonCg().solve(*lower, kX, Vec::Zero(50), tight(1e-12, 300));
  EXPECT_EQ(summary.status, Status::converged) << summary.message;
  EXPECT_LE(norm(summary.y - Vec::Ones(50)), 1e-8);  // |g_y| <= 1e-12 * 14, lambda_min about 0.1
}

TEST(NewtonCg, FollowsNegativeCurvatureIntoTheWellOfItsSide) {
  for (const double side : {1.0, -1.0}) {
    // Between the wells H = 3 y^2 - 1 < 0; at x = 0 they are at y = +1 and y = -1 exactly.
    const auto problem = two_wells(0);
    const auto summary = NewtonCg().solve(*problem.lower, kX, vec({1e-3 * side}), tight(1e-12, 100));
    EXPECT_EQ(summary.status, Status::converged) << summary.message;
    EXPECT_NEAR(summary.y[0], side, 1e-11);  // |g_y| / H = 1e-12 / 2
  }
}

TEST(NewtonCg, LeavesASaddleThatANewtonStepWouldGoTo) {
  // Minimisers (0, +-1), a saddle at 0; Newton's step from the start points at the saddle.
  const auto lower = make_objective(
      "saddle", 1, 2, [](auto, auto y) { return 0.5 * square(y[0]) + 0.25 * square(square(y[1]) - 1.0); });
  const auto summary = NewtonCg().solve(*lower, kX, vec({2, 1e-4}), tight(1e-12, 100));
  EXPECT_EQ(summary.status, Status::converged) << summary.message;
  EXPECT_LE(norm(summary.y - vec({0, 1})), 1e-10);  // |g_y| <= 2e-12, H >= 1
}

TEST(NewtonCg, SolvesASingularQuadraticAndLeavesItsKernelAlone) {
  Random random(3);
  const Eigen::MatrixXd A = with_eigenvalues(vec({0, 0, 1, 2, 5}), random);
  const Vec target = vec({1, -1, 2, 0.5, 3});
  const Quadratic lower("singular", 1, 5, {.yy = A, .y = -A * target});
  const Vec start = vec({0.3, 0.2, -0.1, 0.4, 0.5});
  const auto summary = NewtonCg().solve(lower, kX, start, tight(1e-12, 50));
  EXPECT_EQ(summary.status, Status::converged) << summary.message;
  EXPECT_LE(norm(A * (summary.y - target)), 1e-11);  // the tolerance times |g_y| at the start, about 10
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(A);
  // CG stays in the range of A; rounding of some ten operations.
  EXPECT_LE((eigen.eigenvectors().leftCols(2).transpose() * (summary.y - start)).norm(), 1e-13);
}

TEST(NewtonCg, SaysThatAFollowerWithoutMinimiserDiverges) {
  const Quadratic linear("linear", 1, 2, {.yy = vec({1, 0}).asDiagonal().toDenseMatrix(), .y = vec({0, 1})});
  const auto summary = NewtonCg().solve(linear, kX, vec({1, 0}), tight(1e-10, 100));
  EXPECT_EQ(summary.status, Status::diverged);
  EXPECT_NE(summary.message.find("without bound"), std::string::npos) << summary.message;
}

TEST(NewtonCg, StaysWhereTheFollowerIsFinite) {
  // log is not a number for y <= 0: the first Newton step from 3 goes to -3.
  const auto lower = make_objective("logarithm", 1, 1, [](auto, auto y) { return y[0] - log(y[0]); });
  const auto summary = NewtonCg().solve(*lower, kX, vec({3}), tight(1e-12, 50));
  EXPECT_EQ(summary.status, Status::converged) << summary.message;
  EXPECT_NEAR(summary.y[0], 1, 1e-11);  // H = 1 there
}

TEST(NewtonCg, NamesValuesThatAreNotFinite) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto problem = nonlinear_problem();
  EXPECT_EQ(NewtonCg().solve(*problem.lower, problem.x0, vec({nan, 0, 0}), {}).status, Status::nonfinite);

  auto oracles = oracles_of(problem.lower);
  oracles.hess_yy = [nan](const Vec&, const Vec&, const Vec& v) { return Vec(nan * v); };
  const auto summary = NewtonCg().solve(*objective_of("broken", 2, 3, std::move(oracles)), problem.x0, problem.y0, {});
  EXPECT_EQ(summary.status, Status::nonfinite);
  EXPECT_NE(summary.message.find("product with H"), std::string::npos) << summary.message;
}

TEST(NewtonCg, StopsOnRequestAndAtItsBudget) {
  const auto lower = chained_rosenbrock(10);
  const std::atomic<bool> interrupt = true;
  LowerSolver::Options options;
  options.interrupt = &interrupt;
  const auto stopped = NewtonCg().solve(*lower, kX, Vec::Zero(10), options);
  EXPECT_EQ(stopped.status, Status::interrupted);
  EXPECT_EQ(stopped.iterations, 0);
  const auto budget = NewtonCg().solve(*lower, kX, Vec::Zero(10), tight(1e-12, 3));
  EXPECT_EQ(budget.status, Status::budget_reached);
  EXPECT_EQ(budget.iterations, 3);
  EXPECT_LT(budget.value, lower->value(kX, Vec::Zero(10)));
}

TEST(NewtonCg, EndsAtRoundingLevelWhenAskedForMore) {
  const auto problem = nonlinear_problem();
  const auto summary = NewtonCg().solve(*problem.lower, problem.x0, problem.y0, tight(0, 10000));
  EXPECT_TRUE(summary.status == Status::stagnated || summary.residual == 0) << summary.message;
  EXPECT_LE(summary.residual, 1e-13);  // sums of some ten terms of size 1
}

}  // namespace
}  // namespace bilevel::testing
