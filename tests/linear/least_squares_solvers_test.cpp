// Every solver for singular systems against the dense pseudo-inverse, on seeded symmetric matrices.
#include <gtest/gtest.h>

#include "linear/pseudo_inverse.hpp"

namespace bilevel {
namespace {

using testing::indefinite_spectrum;
using testing::Matrix;
using testing::normal_vector;
using testing::pseudo_inverse_times;
using testing::relative_error;
using testing::symmetric_operator;
using testing::with_spectrum;

class LeastSquaresSolvers : public ::testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<LinearSolver> solver(double tolerance, Index max_iterations = 0) const {
    return make_linear_solver(GetParam(), tolerance, max_iterations);
  }
  bool is(std::string_view name) const { return name == GetParam(); }

  /// Gradient descent needs iterations like the square of the condition number: 10 where the others get 100.
  double condition() const { return is("normal_gradient") ? 10 : 100; }
};

TEST_P(LeastSquaresSolvers, GiveTheMinimumNormAnswerOfAConsistentSingularSystem) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Random random(seed);
    const Matrix a = with_spectrum(random, indefinite_spectrum(24, 7, condition()));
    const Vec b = a * normal_vector(random, 24);
    const auto result = solver(1e-14)->solve(symmetric_operator(a), b);
    ASSERT_EQ(result.status, Status::converged) << result.message;
    EXPECT_TRUE(result.consistent);
    EXPECT_DOUBLE_EQ(result.residual, norm(b - a * result.x));
    // |x - A+ b| <= |r| / 1 and |b| <= 100 |A+ b|: the tolerance times the condition number.
    EXPECT_LT(relative_error(result.x, pseudo_inverse_times(a, b)), 1e-12) << result.message;
  }
}

TEST_P(LeastSquaresSolvers, GiveTheMinimumNormLeastSquaresAnswerOfAnInconsistentSystem) {
  for (std::uint64_t seed = 11; seed <= 15; ++seed) {
    Random random(seed);
    const Matrix a = with_spectrum(random, indefinite_spectrum(24, 7, condition()));
    const Vec b = normal_vector(random, 24);
    const auto result = solver(1e-12)->solve(symmetric_operator(a), b);
    ASSERT_EQ(result.status, is("minres") ? Status::breakdown : Status::converged) << result.message;
    EXPECT_FALSE(result.consistent);
    const Vec r = b - a * result.x;
    EXPECT_NEAR(result.residual, norm(r), 1e-14 * norm(b));  // two roundings of b - A x
    EXPECT_LE(norm(a * r), 1e-12 * 1.01 * condition() * norm(r));
    // The part in the range is off by at most |A r| / 1^2 <= 1e-12 |A| |r|, here at most 1e-10 |r|.
    EXPECT_LT(norm(result.x - pseudo_inverse_times(a, b)), 1e-12 * condition() * norm(r)) << result.message;
    const char* words = is("minres") ? "inconsistent: |A r| = " : "least squares: |A'r| = ";
    EXPECT_NE(result.message.find(words), std::string::npos) << result.message;
    EXPECT_NE(result.message.find(", |r| = "), std::string::npos) << result.message;
  }
}

TEST_P(LeastSquaresSolvers, SolveIndefiniteRegularSystems) {
  Random random(21);
  const Matrix a = with_spectrum(random, indefinite_spectrum(30, 0, condition()));
  const Vec b = normal_vector(random, 30);
  const auto result = solver(1e-14)->solve(symmetric_operator(a), b);
  ASSERT_EQ(result.status, Status::converged) << result.message;
  // The tolerance times the condition number, which both answers may lose.
  EXPECT_LT(relative_error(result.x, a.partialPivLu().solve(b)), 1e-12);
}

TEST_P(LeastSquaresSolvers, ALooseToleranceDoesNotMakeASystemLookInconsistent) {
  Random random(22);
  const Matrix a = with_spectrum(random, indefinite_spectrum(20, 0, condition()));
  const Vec b = normal_vector(random, 20);
  const auto result = solver(0.05)->solve(symmetric_operator(a), b);
  EXPECT_EQ(result.status, Status::converged) << result.message;
  EXPECT_TRUE(result.consistent) << result.message;
  EXPECT_LE(result.relative_residual, 0.05);
}

TEST_P(LeastSquaresSolvers, ARightHandSideInTheKernelGivesZero) {
  const auto a = LinearOperator::symmetric(3, [](const Vec& v) -> Vec { return Vec{{3 * v[0], -2 * v[1], 0}}; });
  const Vec b{{0, 0, 5}};
  const auto result = solver(1e-10)->solve(a, b);
  EXPECT_EQ(result.status, is("minres") ? Status::breakdown : Status::converged) << result.message;
  EXPECT_FALSE(result.consistent);
  EXPECT_EQ(result.x, Vec::Zero(3));
  EXPECT_EQ(result.relative_residual, 1);
}

TEST_P(LeastSquaresSolvers, TheZeroOperatorGivesZero) {
  const auto a = LinearOperator::symmetric(4, [](const Vec&) -> Vec { return Vec::Zero(4); });
  const auto result = solver(1e-10)->solve(a, Vec::Ones(4));
  EXPECT_FALSE(result.consistent) << result.message;
  EXPECT_EQ(result.x, Vec::Zero(4));
}

TEST_P(LeastSquaresSolvers, AWarmStartKeepsItsPartInTheKernel) {
  for (const bool consistent : {true, false}) {
    Random random(23);
    const Matrix a = with_spectrum(random, indefinite_spectrum(16, 5, 10));
    const Vec b = consistent ? Vec(a * normal_vector(random, 16)) : normal_vector(random, 16);
    const Vec start = normal_vector(random, 16);
    const auto result = solver(1e-12)->solve(symmetric_operator(a), b, &start);
    EXPECT_EQ(result.consistent, consistent) << result.message;
    const Vec nearest = start + pseudo_inverse_times(a, b - a * start);
    EXPECT_LT(norm(result.x - nearest), 1e-11 * norm(b - a * start)) << result.message;  // tolerance times condition
  }
}

TEST_P(LeastSquaresSolvers, SolveBadlyScaledSystemsOrSayThatTheyDidNot) {
  Random random(24);
  Vec eigenvalues(20);
  for (Index i = 0; i < 20; ++i) eigenvalues[i] = std::pow(10.0, -3.0 + 0.3 * static_cast<double>(i));
  eigenvalues.head(4) *= -1;
  const Matrix a = with_spectrum(random, eigenvalues);  // condition 5e5
  const Vec b = normal_vector(random, 20);
  const auto result = solver(1e-6, 2000)->solve(symmetric_operator(a), b);
  EXPECT_TRUE(result.consistent) << result.message;
  EXPECT_NEAR(result.residual, norm(b - a * result.x), 1e-9 * norm(b));  // rounding of A x: epsilon times condition
  if (is("normal_gradient")) {
    EXPECT_EQ(result.status, Status::budget_reached) << result.message;  // it would need 1e12 iterations
  } else if (is("reparametrised")) {
    EXPECT_EQ(result.status, Status::stagnated) << result.message;  // A^2 has condition 2.5e11
  } else {
    EXPECT_EQ(result.status, Status::converged) << result.message;
    EXPECT_LE(norm(b - a * result.x), 1e-6 * norm(b) * 1.001);  // the same rounding
  }
}

INSTANTIATE_TEST_SUITE_P(Names, LeastSquaresSolvers,
                         ::testing::Values("minres", "lsqr", "minres_qlp", "normal_gradient", "reparametrised"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace bilevel
