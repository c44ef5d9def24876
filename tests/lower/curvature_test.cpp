#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>

#include "bilevel/lower.hpp"
#include "probes.hpp"
#include "taylor.hpp"

namespace bilevel::testing {
namespace {

std::unique_ptr<Quadratic> with_hessian(const Eigen::MatrixXd& hessian) {
  return std::make_unique<Quadratic>("h", 1, hessian.rows(), QuadraticCoefficients{.yy = hessian});
}

Curvature measure(const Objective& lower, const Vec& start = {}, double tolerance = 0.02, Index products = 30) {
  return measure_curvature(lower.linearize(Vec::Zero(1), Vec::Zero(lower.dim_y())), lower.dim_y(), start, tolerance,
                           products);
}

TEST(Curvature, AgreesWithDenseEigenvalues) {
  Random random(3);
  for (int trial = 0; trial < 20; ++trial) {
    Vec eigenvalues = random_vec(12, random);
    eigenvalues[0] = 4 * (trial % 2 ? -1 : 1);  // either sign may dominate; the gap makes 30 products enough
    const auto lower = with_hessian(with_eigenvalues(eigenvalues, random));
    const auto dense = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(lower->coefficients().yy).eigenvalues();
    const double exact = dense.cwiseAbs().maxCoeff();
    const auto measured = measure(*lower);
    EXPECT_TRUE(measured.converged);
    EXPECT_LE(measured.largest, exact * (1 + 1e-12)) << "an estimate |H v| with |v| = 1 is a lower bound";
    EXPECT_GE(measured.largest, 0.95 * exact);  // two estimates 2 % apart, the error is their geometric tail
    EXPECT_NEAR(norm(measured.eigenvector), 1, 1e-12);
  }
}

TEST(Curvature, TightToleranceGivesDigits) {
  Random random(5);
  const auto lower = with_hessian(with_eigenvalues(vec({-5, 2, 1, 0, 3}), random));
  const auto measured = measure(*lower, {}, 1e-12, 500);
  EXPECT_TRUE(measured.converged);
  EXPECT_NEAR(measured.largest, 5, 1e-9);
  EXPECT_LE(norm(lower->hess_yy(Vec::Zero(1), Vec::Zero(5), measured.eigenvector) + 5 * measured.eigenvector), 1e-4);
}

TEST(Curvature, ZeroHessianIsZero) {
  const auto measured = measure(*with_hessian(Eigen::MatrixXd::Zero(4, 4)));
  EXPECT_EQ(measured.largest, 0);
  EXPECT_TRUE(measured.converged);
  EXPECT_EQ(measured.products, 1);
}

TEST(Curvature, NonFiniteHessianIsNotConverged) {
  auto oracles = oracles_of(quadratic_problem().lower);
  oracles.hess_yy = [](const Vec&, const Vec&, const Vec&) { return Vec(Vec::Constant(4, std::nan(""))); };
  const auto lower = objective_of("broken", 3, 4, oracles);
  const auto measured = measure_curvature(lower->linearize(Vec::Zero(3), Vec::Zero(4)), 4);
  EXPECT_FALSE(measured.converged);
  EXPECT_TRUE(all_finite(measured.eigenvector));
}

TEST(Curvature, AnEarlierEigenvectorAcrossTheNewOneDoesNotHideIt) {
  // The direction that was the largest elsewhere is an exact eigenvector here, of a smaller eigenvalue.
  const auto lower = with_hessian(vec({1, 10, 1, 1}).asDiagonal());
  EXPECT_GE(measure(*lower, Vec::Unit(4, 0)).largest, 9.5);
}

TEST(Curvature, KeepsToItsBudgetAndCountsIt) {
  const auto lower = with_hessian(vec({1, 0.999, 0.998, 0.5}).asDiagonal());
  const auto measured = measure(*lower, {}, 1e-15, 7);
  EXPECT_FALSE(measured.converged);
  EXPECT_EQ(measured.products, 7);
  EXPECT_EQ(lower->counts()[Oracle::hess_yy], 7u);
}

}  // namespace
}  // namespace bilevel::testing
