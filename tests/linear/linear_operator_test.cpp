#include <gtest/gtest.h>

#include <string>

#include "bilevel/linear.hpp"
#include "linear/dense.hpp"
#include "message_of.hpp"

namespace bilevel {
namespace {

using testing::Matrix;
using testing::message_of;
using testing::normal_matrix;
using testing::normal_vector;

TEST(LinearOperator, AppliesItsFunctions) {
  Random random(1);
  const Matrix a = normal_matrix(random, 3, 5);
  const LinearOperator op(
      3, 5, [&](const Vec& v) -> Vec { return a * v; }, [&](const Vec& u) -> Vec { return a.transpose() * u; });
  const Vec v = normal_vector(random, 5), u = normal_vector(random, 3);
  EXPECT_EQ(op.apply(v), Vec(a * v));
  EXPECT_EQ(op.apply_adjoint(u), Vec(a.transpose() * u));
  EXPECT_EQ(op.rows(), 3);
  EXPECT_EQ(op.cols(), 5);
  EXPECT_TRUE(op.has_adjoint());
}

TEST(LinearOperator, ASymmetricOneIsItsOwnAdjoint) {
  Random random(2);
  const Matrix a = testing::with_spectrum(random, Vec::LinSpaced(4, 1, 4));
  const LinearOperator op = testing::symmetric_operator(a);
  const Vec v = normal_vector(random, 4);
  EXPECT_EQ(op.apply_adjoint(v), op.apply(v));
}

TEST(LinearOperator, TagsImplyEachOther) {
  const auto product = [](const Vec& v) { return v; };
  const LinearOperator definite(2, 2, product, {}, {.positive_definite = true});
  EXPECT_TRUE(definite.tags().symmetric);
  EXPECT_TRUE(definite.tags().positive_semidefinite);
  const LinearOperator semidefinite(2, 2, product, {}, {.positive_semidefinite = true});
  EXPECT_TRUE(semidefinite.tags().symmetric);
  EXPECT_FALSE(semidefinite.tags().positive_definite);
  EXPECT_FALSE(LinearOperator(2, 2, product).tags().symmetric);
}

TEST(LinearOperator, RefusesWrongShapesInOneSentence) {
  const auto same = [](const Vec& v) { return v; };
  const LinearOperator op(3, 2, [](const Vec&) -> Vec { return Vec::Zero(3); });
  EXPECT_EQ(message_of<DimensionMismatch>([&] { op.apply(Vec::Zero(4)); }),
            "a 3 x 2 linear operator needs a vector of length 2, but the length is 4");
  EXPECT_EQ(message_of<MissingOracle>([&] { op.apply_adjoint(Vec::Zero(3)); }),
            "the call needs the adjoint of a 3 x 2 linear operator, but it was built without one");
  EXPECT_EQ(message_of<DimensionMismatch>([&] { LinearOperator(3, 2, same).apply(Vec::Zero(2)); }),
            "a 3 x 2 linear operator needs its product function to return a vector of length 3, but the length is 2");
  EXPECT_EQ(message_of<DimensionMismatch>([&] { LinearOperator(3, 2, same, {}, {.symmetric = true}); }),
            "a symmetric linear operator is square, but this one is 3 x 2");
  EXPECT_EQ(message_of<DimensionMismatch>([&] { LinearOperator(-1, 2, same); }),
            "a linear operator cannot be -1 x 2: sizes start at 0");
  EXPECT_EQ(message_of<MissingOracle>([&] { LinearOperator(1, 1, {}); }),
            "a 1 x 1 linear operator needs a product function, but it is empty");
}

TEST(LinearSolver, RefusesWhatItCannotSolveInOneSentence) {
  const auto same = [](const Vec& v) { return v; };
  const ConjugateGradient cg;
  EXPECT_EQ(message_of<InvalidOption>([&] { cg.solve(LinearOperator(2, 2, same), Vec::Ones(2)); }),
            "cg needs a symmetric operator, but the 2 x 2 operator is not tagged as one");
  const auto op = LinearOperator::symmetric(2, same);
  EXPECT_EQ(message_of<DimensionMismatch>([&] { cg.solve(op, Vec::Ones(3)); }),
            "cg needs a right-hand side of length 2 for a 2 x 2 operator, but b has 3");
  const Vec start = Vec::Ones(1);
  EXPECT_EQ(message_of<DimensionMismatch>([&] { cg.solve(op, Vec::Ones(2), &start); }),
            "cg needs a start of length 2 for a 2 x 2 operator, but it has 1");
}

TEST(ConjugateGradient, RefusesOptionsOutOfRange) {
  EXPECT_EQ(message_of<InvalidOption>([] { ConjugateGradient({.tolerance = -1.0}); }),
            "cg's tolerance is -1, but it must be in [0, 1)");
  EXPECT_THROW(ConjugateGradient({.tolerance = std::numeric_limits<double>::quiet_NaN()}), InvalidOption);
  EXPECT_EQ(message_of<InvalidOption>([] { ConjugateGradient({.max_iterations = -3}); }),
            "cg's max_iterations is -3, but it must be at least 0 (0 means ten times the dimension)");
}

}  // namespace
}  // namespace bilevel
