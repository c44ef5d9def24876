#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <Eigen/IterativeLinearSolvers>
#include <cmath>
#include <limits>

#include "bilevel/linear.hpp"
#include "linear/dense.hpp"

namespace bilevel {
namespace {

using testing::Matrix;
using testing::normal_vector;
using testing::symmetric_operator;
using testing::with_spectrum;

TEST(ConjugateGradient, AgreesWithADenseSolve) {
  Random random(11);
  const Matrix a = with_spectrum(random, Vec::LinSpaced(30, 1, 100));
  const Vec b = normal_vector(random, 30);
  const auto result = ConjugateGradient({.tolerance = 1e-12}).solve(symmetric_operator(a), b);
  ASSERT_EQ(result.status, Status::converged) << result.message;
  // |x - A^-1 b| <= residual / smallest eigenvalue (1), and the dense solve is exact to rounding.
  EXPECT_LT(norm(result.x - Vec(a.llt().solve(b))), 2e-12 * norm(b));
  EXPECT_DOUBLE_EQ(result.residual, norm(b - a * result.x));
  EXPECT_DOUBLE_EQ(result.relative_residual, result.residual / norm(b));
  EXPECT_EQ(result.products, result.iterations + 1);
  EXPECT_FALSE(result.negative_curvature);
}

TEST(ConjugateGradient, MakesTheIteratesOfEigensConjugateGradient) {
  Random random(12);
  const Matrix a = with_spectrum(random, Vec::LinSpaced(40, 1, 50));
  const Vec b = normal_vector(random, 40);
  for (const Index steps : {1, 3, 10}) {
    Eigen::ConjugateGradient<Matrix, Eigen::Lower | Eigen::Upper, Eigen::IdentityPreconditioner> oracle(a);
    oracle.setTolerance(1e-15);
    oracle.setMaxIterations(steps);
    const Vec expected = oracle.solve(b);
    const auto result =
        ConjugateGradient({.tolerance = 1e-15, .max_iterations = steps}).solve(symmetric_operator(a), b);
    EXPECT_EQ(result.status, Status::budget_reached);
    EXPECT_EQ(result.iterations, steps);
    // Equal in exact arithmetic; rounding grows with the condition number 50 and the steps.
    EXPECT_LT(norm(result.x - expected), 1e-12 * norm(expected));
  }
}

TEST(ConjugateGradient, GivesTheMinimumNormSolutionOfASingularConsistentSystem) {
  Random random(13);
  Vec eigenvalues = Vec::LinSpaced(20, 1, 10);
  eigenvalues.head(6).setZero();
  const Matrix a = with_spectrum(random, eigenvalues);
  const Vec b = a * normal_vector(random, 20);
  const auto result = ConjugateGradient().solve(symmetric_operator(a, {.positive_semidefinite = true}), b);
  ASSERT_EQ(result.status, Status::converged) << result.message;
  Eigen::CompleteOrthogonalDecomposition<Matrix> decomposition;
  decomposition.setThreshold(1e-10);  // the zero eigenvalues are 1e-16 after rounding, the next is 1
  decomposition.compute(a);
  const Vec minimum_norm = decomposition.solve(b);
  EXPECT_LT(norm(result.x - minimum_norm), 1e-9 * norm(minimum_norm));  // tolerance 1e-10 times condition 10
}

// A promise of definiteness must not hide it: without the rounding level, x leaves along the kernel to 1e15.
TEST(ConjugateGradient, ReportsAnInconsistentSingularSystemWhateverWasPromised) {
  for (const StructureTags promise :
       {StructureTags{.symmetric = true}, {.positive_semidefinite = true}, {.positive_definite = true}}) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
      Random random(seed);
      Vec eigenvalues = Vec::LinSpaced(10, 1, 3);
      eigenvalues[0] = 0;
      const Matrix a = with_spectrum(random, eigenvalues);
      const Vec b = normal_vector(random, 10);
      const auto result = ConjugateGradient().solve(symmetric_operator(a, promise), b);
      EXPECT_EQ(result.status, Status::breakdown) << result.message;
      ASSERT_TRUE(result.negative_curvature);
      EXPECT_LT(std::abs(result.curvature), 1e-14);  // 10 epsilon times |A| = 3
      EXPECT_NE(result.message.find("singular"), std::string::npos) << result.message;
      EXPECT_LE(result.residual, norm(b));
      EXPECT_LE(norm(result.x), norm(b));  // the nonzero eigenvalues are at least 1
    }
  }
}

TEST(ConjugateGradient, StopsAtNegativeCurvatureWithTheDirection) {
  Random random(15);
  Vec eigenvalues = Vec::LinSpaced(25, 1, 10);
  eigenvalues[3] = -2;
  const Matrix a = with_spectrum(random, eigenvalues);
  const Vec b = 1e-5 * normal_vector(random, 25);
  const auto result = ConjugateGradient().solve(symmetric_operator(a), b);
  ASSERT_EQ(result.status, Status::breakdown) << result.message;
  ASSERT_TRUE(result.negative_curvature);
  const Vec& d = *result.negative_curvature;
  EXPECT_LT(dot(d, a * d), 0);
  EXPECT_NEAR(result.curvature, dot(d, a * d) / dot(d, d), 1e-12);  // rounding of a product of size 10
  EXPECT_GE(result.curvature, -2.0 - 1e-12);                        // a Rayleigh quotient
  EXPECT_LE(result.residual, norm(b));
  EXPECT_NE(result.message.find("not positive definite"), std::string::npos) << result.message;
}

TEST(ConjugateGradient, ANegativeDefiniteOperatorIsFoundAtOnceAndTheStartIsKept) {
  const auto minus = LinearOperator::symmetric(3, [](const Vec& v) -> Vec { return -v; });
  const Vec start = Vec::Constant(3, 0.5);
  const auto result = ConjugateGradient().solve(minus, Vec::Ones(3), &start);
  EXPECT_EQ(result.status, Status::breakdown);
  EXPECT_EQ(result.iterations, 1);
  EXPECT_EQ(result.x, start);
  EXPECT_EQ(result.curvature, -1.0);
}

TEST(ConjugateGradient, AStartAtTheSolutionNeedsNoIteration) {
  Random random(16);
  const Matrix a = with_spectrum(random, Vec::LinSpaced(60, 1, 20));
  const Vec b = normal_vector(random, 60);
  const ConjugateGradient cg({.tolerance = 1e-8});  // met long before the 60 iterations of finite termination
  const auto cold = cg.solve(symmetric_operator(a), b);
  const auto warm = cg.solve(symmetric_operator(a), b, &cold.x);
  EXPECT_EQ(warm.status, Status::converged);
  EXPECT_EQ(warm.iterations, 0);
  EXPECT_EQ(warm.products, 1);
  EXPECT_EQ(warm.x, cold.x);
  const Vec near = cold.x + 1e-6 * normal_vector(random, 60);
  EXPECT_LT(2 * cg.solve(symmetric_operator(a), b, &near).iterations, cold.iterations);
}

TEST(ConjugateGradient, AZeroRightHandSideGivesZero) {
  const auto same = LinearOperator::symmetric(4, [](const Vec& v) { return v; });
  const Vec start = Vec::Ones(4);
  const auto result = ConjugateGradient().solve(same, Vec::Zero(4), &start);
  EXPECT_EQ(result.status, Status::converged);
  EXPECT_EQ(result.iterations, 0);
  EXPECT_EQ(result.products, 0);
  EXPECT_EQ(result.x, Vec::Zero(4));
  EXPECT_EQ(result.relative_residual, 0);
  EXPECT_EQ(ConjugateGradient().solve(LinearOperator::symmetric(0, [](const Vec& v) { return v; }), Vec(0)).status,
            Status::converged);
}

TEST(ConjugateGradient, NamesTheIterationWhereAProductIsNotFinite) {
  Random random(17);
  const Matrix a = with_spectrum(random, Vec::LinSpaced(10, 1, 10));
  int calls = 0;
  const auto op = LinearOperator::symmetric(10, [&](const Vec& v) -> Vec {
    Vec product = a * v;
    if (++calls == 4) product[2] = std::numeric_limits<double>::quiet_NaN();
    return product;
  });
  const Vec b = normal_vector(random, 10);
  const auto result = ConjugateGradient().solve(op, b);
  EXPECT_EQ(result.status, Status::nonfinite);
  EXPECT_NE(result.message.find("product at iteration 4"), std::string::npos) << result.message;
  EXPECT_TRUE(all_finite(result.x));
  EXPECT_LT(result.residual, norm(b));
}

TEST(ConjugateGradient, FallsBackToZeroIfTheProductWithTheStartIsNotFinite) {
  const auto op = LinearOperator::symmetric(2, [](const Vec& v) -> Vec { return 1e200 * v; });
  const Vec start = Vec::Constant(2, 1e200);
  const auto result = ConjugateGradient().solve(op, Vec::Ones(2), &start);
  EXPECT_EQ(result.status, Status::nonfinite);
  EXPECT_EQ(result.iterations, 0);
  EXPECT_EQ(result.x, Vec::Zero(2));
  EXPECT_DOUBLE_EQ(result.relative_residual, 1);
}

TEST(ConjugateGradient, RefusesToStartFromWhatIsNotFinite) {
  const auto same = LinearOperator::symmetric(2, [](const Vec& v) { return v; });
  const Vec bad = Vec::Constant(2, std::numeric_limits<double>::infinity());
  const auto from_b = ConjugateGradient().solve(same, bad);
  EXPECT_EQ(from_b.status, Status::nonfinite);
  EXPECT_EQ(from_b.x, Vec::Zero(2));
  EXPECT_NE(from_b.message.find("right-hand side"), std::string::npos);
  EXPECT_NE(ConjugateGradient().solve(same, Vec::Ones(2), &bad).message.find("warm start"), std::string::npos);
}

TEST(ConjugateGradient, IsTheSameAtEveryScaleOfTheRightHandSide) {
  Random random(18);
  const Matrix a = with_spectrum(random, Vec::LinSpaced(12, 1, 30));
  const Vec b = normal_vector(random, 12);
  const auto plain = ConjugateGradient().solve(symmetric_operator(a), b);
  for (const int power : {-900, -60, 60, 900}) {  // 2^-900 squared underflows, 2^900 squared overflows
    const double factor = std::ldexp(1.0, power);
    const auto scaled = ConjugateGradient().solve(symmetric_operator(a), factor * b);
    EXPECT_EQ(scaled.status, Status::converged);
    EXPECT_EQ(scaled.iterations, plain.iterations);
    EXPECT_EQ(scaled.x, factor * plain.x);
  }
}

TEST(ConjugateGradient, IsTheSameAtEveryScaleOfTheOperator) {
  for (const double factor : {1e-200, 1e200}) {  // squares of the products underflow and overflow
    const auto op = LinearOperator::symmetric(3, [&](const Vec& v) -> Vec { return factor * v; });
    const auto result = ConjugateGradient().solve(op, Vec::Ones(3));
    EXPECT_EQ(result.status, Status::converged) << result.message;
    EXPECT_EQ(result.iterations, 1);
    EXPECT_LT(norm(factor * result.x - Vec::Ones(3)), 1e-15);  // one rounded division
  }
}

TEST(ConjugateGradient, SolvesBadlyScaledSystemsOrSaysThatItDidNot) {
  Random random(19);
  Vec eigenvalues(20);
  for (Index i = 0; i < 20; ++i) eigenvalues[i] = std::pow(10.0, -4.0 + 0.4 * static_cast<double>(i));  // 1e-4 .. 4e3
  const Matrix a = with_spectrum(random, eigenvalues);
  const Vec b = normal_vector(random, 20);
  const auto op = symmetric_operator(a, {.positive_definite = true});
  const auto enough = ConjugateGradient({.tolerance = 1e-6}).solve(op, b);
  EXPECT_EQ(enough.status, Status::converged) << enough.message;
  EXPECT_LE(norm(b - a * enough.x), 1e-6 * norm(b) * (1 + 1e-6));
  const auto too_few = ConjugateGradient({.tolerance = 1e-6, .max_iterations = 10}).solve(op, b);
  EXPECT_EQ(too_few.status, Status::budget_reached);
  EXPECT_GT(norm(b - a * too_few.x), 1e-6 * norm(b));
}

TEST(ConjugateGradient, AToleranceBelowRoundingStagnatesInsteadOfClaimingSuccess) {
  Random random(20);
  const Matrix a = with_spectrum(random, Vec::LinSpaced(20, 1, 1000));
  const Vec b = normal_vector(random, 20);
  const auto result = ConjugateGradient({.tolerance = 0, .max_iterations = 1000}).solve(symmetric_operator(a), b);
  EXPECT_EQ(result.status, Status::stagnated) << result.message;
  EXPECT_LT(result.iterations, 200);
  EXPECT_LT(result.relative_residual, 1e-12);  // rounding times condition 1000
}

TEST(ConjugateGradient, EndsWithinTheDimensionOnWellConditionedSystems) {
  EXPECT_TRUE(rc::check("at most n iterations, to the tolerance", [] {
    const auto size = static_cast<Index>(*rc::gen::inRange(1, 13));
    Random random(*rc::gen::arbitrary<std::uint64_t>());
    Vec eigenvalues(size);
    for (Index i = 0; i < size; ++i) eigenvalues[i] = 1.0 + 4.0 * random.uniform();
    const Matrix a = with_spectrum(random, eigenvalues);
    const Vec b = normal_vector(random, size);
    const auto result = ConjugateGradient().solve(symmetric_operator(a, {.positive_definite = true}), b);
    RC_ASSERT(result.status == Status::converged);
    RC_ASSERT(result.iterations <= size);
    RC_ASSERT(norm(b - a * result.x) <= 1.01e-10 * norm(b));
  }));
}

TEST(ConjugateGradient, OneIterationAnEigenvalue) {
  Random random(21);
  Vec eigenvalues = Vec::Constant(50, 2.0);
  eigenvalues.head(20).setConstant(7.0);
  eigenvalues.head(5).setConstant(11.0);
  const Matrix a = with_spectrum(random, eigenvalues);
  const auto result = ConjugateGradient().solve(symmetric_operator(a), normal_vector(random, 50));
  EXPECT_EQ(result.status, Status::converged);
  EXPECT_EQ(result.iterations, 3);
}

}  // namespace
}  // namespace bilevel
