#include <gtest/gtest.h>

#include <cmath>

#include "linear/pseudo_inverse.hpp"

namespace bilevel {
namespace {

using testing::Matrix;
using testing::normal_vector;
using testing::pseudo_inverse_times;
using testing::rectangular_operator;
using testing::symmetric_operator;
using testing::with_singular_values;
using testing::with_spectrum;

TEST(NormalGradient, MakesTheIteratesOfItsFormula) {
  Random random(61);
  const Matrix a = with_spectrum(random, Vec::LinSpaced(12, -1, 4));
  const Vec b = normal_vector(random, 12);
  Vec expected = Vec::Zero(12);
  for (int k = 0; k < 5; ++k) expected += a * (b - a * expected) / 16;  // |A|^2 = 16
  const auto result = NormalGradient({.tolerance = 1e-12, .max_iterations = 5}).solve(symmetric_operator(a), b);
  EXPECT_EQ(result.status, Status::budget_reached);
  // The power iteration stops where |A| changes by less than 0.1 %, so |A|^2 may be some percent too small.
  EXPECT_LT(norm(result.x - expected), 0.05 * norm(expected)) << result.message;
}

TEST(NormalGradient, ContractsByOneMinusTheSquaredConditionNumber) {
  Random random(62);
  const Matrix a = with_spectrum(random, Vec{{1, 4}});
  const Vec b = normal_vector(random, 2);
  const auto few = NormalGradient({.tolerance = 0, .max_iterations = 100}).solve(symmetric_operator(a), b);
  const auto more = NormalGradient({.tolerance = 0, .max_iterations = 150}).solve(symmetric_operator(a), b);
  // 0.1 % of |A| is 0.2 % of the step, 50 times: 50 * 0.002 / 15 of the logarithm's own size.
  EXPECT_NEAR(std::log(more.residual / few.residual) / (50 * std::log(1 - 1.0 / 16)), 1, 0.01) << more.message;
}

TEST(NormalGradient, NeedsNoSymmetry) {
  Random random(63);
  const Matrix a = with_singular_values(random, 14, 9, Vec::LinSpaced(6, 5, 1));
  const Vec b = normal_vector(random, 14);
  const auto result = NormalGradient({.tolerance = 1e-12}).solve(rectangular_operator(a), b);
  EXPECT_EQ(result.status, Status::converged) << result.message;
  EXPECT_FALSE(result.consistent);
  EXPECT_LT(norm(result.x - pseudo_inverse_times(a, b)), 5e-12 * norm(b));  // |A'r| <= 1e-12 |A| |r|, over 1^2
}

// The start has no part along the largest eigenvalue, so that power iteration cannot see it; rounding brings it in.
TEST(NormalGradient, SurvivesALargestEigenvalueThatItDidNotMeasure) {
  Random random(64);
  const Matrix q = Eigen::HouseholderQR<Matrix>(testing::normal_matrix(random, 6, 6)).householderQ();
  const Matrix a = q * Vec{{1000, 3, 2, 2, 1, 1}}.asDiagonal() * q.transpose();
  const Vec b = q.rightCols(5) * normal_vector(random, 5);
  const auto result = NormalGradient({.tolerance = 1e-6, .max_iterations = 100000}).solve(symmetric_operator(a), b);
  EXPECT_TRUE(all_finite(result.x));
  EXPECT_LE(result.residual, norm(b)) << result.message;
  EXPECT_NE(result.status, Status::nonfinite) << result.message;
  EXPECT_TRUE(result.consistent) << result.message;
}

}  // namespace
}  // namespace bilevel
