#include "diagnostics/extreme_eigenvalues.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "bilevel/status.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

LinearOperator operator_of(const Eigen::MatrixXd& A) {
  return LinearOperator::symmetric(A.rows(), [&A](const Vec& v) { return Vec(A * v); });
}

TEST(ExtremeEigenvalues, FindsBothEndsOfRandomSpectra) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Random random(seed);
    Vec eigenvalues(60);
    for (auto& entry : eigenvalues) entry = random.normal();
    const Eigen::MatrixXd A = with_eigenvalues(eigenvalues, random);
    const auto found = extreme_eigenvalues(operator_of(A), 1e-10, 300, seed);
    EXPECT_TRUE(found.converged);
    // The error is at most the residual, 1e-10 of |A| (about 3).
    EXPECT_NEAR(found.smallest, eigenvalues.minCoeff(), 3e-10);
    EXPECT_NEAR(found.largest, eigenvalues.maxCoeff(), 3e-10);
    EXPECT_LE(norm(A * found.smallest_vector - found.smallest * found.smallest_vector), 1e-9);
    EXPECT_LE(found.products, 300);
  }
}

TEST(ExtremeEigenvalues, FindsAnEigenvalueOfZero) {
  Random random(7);
  Vec eigenvalues = Vec::LinSpaced(100, 1, 5);
  eigenvalues[0] = 0;
  const Eigen::MatrixXd A = with_eigenvalues(eigenvalues, random);
  const auto found = extreme_eigenvalues(operator_of(A), 1e-10, 300, 1);
  EXPECT_TRUE(found.converged);
  EXPECT_NEAR(found.smallest, 0, 5e-10);  // the residual's bound, 1e-10 of |A| = 5
}

TEST(ExtremeEigenvalues, SaysWhenTheBudgetDidNotSuffice) {
  Random random(2);
  Vec eigenvalues(400);
  for (Index i = 0; i < 400; ++i) eigenvalues[i] = std::pow(10.0, -8.0 * static_cast<double>(i) / 399.0);
  const Eigen::MatrixXd A = with_eigenvalues(eigenvalues, random);
  const auto found = extreme_eigenvalues(operator_of(A), 1e-12, 40, 1);
  EXPECT_FALSE(found.converged);
  EXPECT_LE(found.products, 40);
  // A Ritz value never lies below the spectrum but by rounding.
  EXPECT_GE(found.smallest, -1e-14);
}

TEST(ExtremeEigenvalues, WorksAtEveryScaleAndForMultiplesOfTheIdentity) {
  Random random(4);
  const Eigen::MatrixXd A = with_eigenvalues(Vec::LinSpaced(40, -1, 2), random);
  for (const double scale : {1e-100, 1e100}) {
    const Eigen::MatrixXd scaled = scale * A;
    const auto found = extreme_eigenvalues(operator_of(scaled), 1e-10, 300, 1);
    EXPECT_TRUE(found.converged);
    EXPECT_NEAR(found.smallest / scale, -1, 2e-10);  // the residual's bound
  }
  for (const double multiple : {0.0, -3.0, 5.0}) {
    const Eigen::MatrixXd identity = multiple * Eigen::MatrixXd::Identity(20, 20);
    const auto found = extreme_eigenvalues(operator_of(identity), 1e-10, 100, 1);
    EXPECT_TRUE(found.converged);
    EXPECT_NEAR(found.smallest, multiple, 1e-14);  // some rounding of 5
    EXPECT_NEAR(found.largest, multiple, 1e-14);
  }
}

TEST(ExtremeEigenvalues, SaysWhenAProductIsNotFinite) {
  for (const int first_bad : {0, 3, 15}) {
    int calls = 0;
    const auto A = LinearOperator::symmetric(30, [&](const Vec& v) {
      const double entry = calls++ < first_bad ? 1.0 : std::numeric_limits<double>::quiet_NaN();
      return Vec(entry * Vec::LinSpaced(30, 1, 2).cwiseProduct(v));
    });
    const auto found = extreme_eigenvalues(A, 1e-10, 100, 1);
    EXPECT_FALSE(found.finite);
    EXPECT_FALSE(found.converged);
  }
}

TEST(ExtremeEigenvalues, RefusesWhatLanczosCannotDo) {
  const Eigen::MatrixXd two = Eigen::MatrixXd::Identity(2, 2), three = Eigen::MatrixXd::Identity(3, 3);
  EXPECT_THROW(extreme_eigenvalues(operator_of(two), 1e-10, 100, 1), InvalidOption);
  EXPECT_THROW(extreme_eigenvalues(operator_of(three), 1e-10, 9, 1), InvalidOption);
}

}  // namespace
}  // namespace bilevel::testing
