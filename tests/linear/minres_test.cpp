#include <gtest/gtest.h>

#include <Eigen/Dense>

#include "linear/pseudo_inverse.hpp"

namespace bilevel {
namespace {

using testing::indefinite_spectrum;
using testing::Matrix;
using testing::normal_vector;
using testing::symmetric_operator;
using testing::with_spectrum;

TEST(Minres, MinimisesTheResidualOverTheKrylovSpace) {
  Random random(41);
  const Matrix a = with_spectrum(random, indefinite_spectrum(25, 0, 20));
  const Vec b = normal_vector(random, 25);
  for (const Index steps : {1, 2, 3, 6}) {
    Matrix basis(25, steps);  // b, A b, A^2 b, ..., each of length 1
    basis.col(0) = b.normalized();
    for (Index k = 1; k < steps; ++k) basis.col(k) = (a * basis.col(k - 1)).normalized();
    const Matrix image = a * basis;
    const Vec best = basis * Vec(image.colPivHouseholderQr().solve(b));
    const auto result = Minres({.tolerance = 1e-14, .max_iterations = steps}).solve(symmetric_operator(a), b);
    EXPECT_EQ(result.iterations, steps);
    // Equal in exact arithmetic; the condition of the six powers (about 1e4) times epsilon, and a margin of 100.
    EXPECT_LT(norm(result.x - best), 1e-10 * norm(best)) << steps;
  }
}

TEST(Minres, NeedsOneIterationAnEigenvalue) {
  Random random(42);
  Vec eigenvalues = Vec::Constant(40, 2.0);
  eigenvalues.head(20).setConstant(-7.0);
  eigenvalues.head(5).setConstant(11.0);
  const Matrix a = with_spectrum(random, eigenvalues);
  const auto result = Minres().solve(symmetric_operator(a), normal_vector(random, 40));
  EXPECT_EQ(result.status, Status::converged) << result.message;
  EXPECT_EQ(result.iterations, 3);
  EXPECT_EQ(result.products, 4);
}

// A loose tolerance must not make the smallest eigenvalue look like a zero one: the least-squares answer is judged at a
// level of its own.
TEST(Minres, FindsTheLeastSquaresAnswerWhateverTheTolerance) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Random random(seed);
    const Matrix a = with_spectrum(random, testing::indefinite_spectrum(40, 10, 100));
    const Vec b = normal_vector(random, 40);
    const auto result = Minres({.tolerance = 1e-2}).solve(symmetric_operator(a), b);
    EXPECT_EQ(result.status, Status::breakdown) << result.message;
    EXPECT_FALSE(result.consistent);
    // |A r| <= 1e-10 |A| |r|, divided by the smallest eigenvalue twice: 1e-6 at condition 100
    EXPECT_LT(testing::relative_error(result.x, testing::pseudo_inverse_times(a, b)), 1e-6) << seed;
  }
}

TEST(Minres, SolvesWhereConjugateGradientBreaksDownAtOnce) {
  const auto a = LinearOperator::symmetric(2, [](const Vec& v) -> Vec { return Vec{{v[0], -v[1]}}; });
  const Vec b{{1, 1}};  // b' A b = 0
  EXPECT_EQ(ConjugateGradient().solve(a, b).status, Status::breakdown);
  const auto result = Minres().solve(a, b);
  EXPECT_EQ(result.status, Status::converged) << result.message;
  EXPECT_LT(norm(result.x - Vec{{1, -1}}), 1e-15);  // small integers, a few roundings
}

}  // namespace
}  // namespace bilevel
