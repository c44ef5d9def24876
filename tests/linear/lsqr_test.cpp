#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "linear/pseudo_inverse.hpp"
#include "message_of.hpp"

namespace bilevel {
namespace {

using testing::Matrix;
using testing::message_of;
using testing::normal_vector;
using testing::pseudo_inverse_times;
using testing::rectangular_operator;
using testing::relative_error;
using testing::with_singular_values;

struct Shape {
  Index rows, cols, rank;
};

TEST(Lsqr, GivesThePseudoInverseForEveryShapeAndRank) {
  for (const Shape shape : {Shape{30, 12, 12}, {12, 30, 12}, {25, 18, 9}, {18, 25, 9}, {20, 20, 11}, {5, 1, 1}}) {
    Random random(static_cast<std::uint64_t>(100 * shape.rows + shape.cols));
    const Matrix a = with_singular_values(random, shape.rows, shape.cols, Vec::LinSpaced(shape.rank, 100, 1));
    const auto op = rectangular_operator(a);
    const Lsqr lsqr({.tolerance = 1e-14});
    const Vec reachable = a * normal_vector(random, shape.cols);
    const auto consistent = lsqr.solve(op, reachable);
    ASSERT_EQ(consistent.status, Status::converged) << consistent.message;
    EXPECT_TRUE(consistent.consistent);
    // The tolerance times condition 100.
    EXPECT_LT(relative_error(consistent.x, pseudo_inverse_times(a, reachable)), 1e-12) << consistent.message;
    if (shape.rank == shape.rows) continue;  // every system is consistent
    const Vec b = normal_vector(random, shape.rows);
    const auto least = lsqr.solve(op, b);
    ASSERT_EQ(least.status, Status::converged) << least.message;
    EXPECT_FALSE(least.consistent);
    // Rounding of r, 10 epsilon (|b| + |A| |x|), times |A| / 1^2 = 100: 2e-13 (|b| + 100 |x|).
    EXPECT_LT(norm(least.x - pseudo_inverse_times(a, b)), 2e-13 * (norm(b) + 100 * norm(least.x))) << least.message;
  }
}

TEST(Lsqr, DampingIsTikhonovRegularisation) {
  for (const double damping : {1e-3, 0.5, 30.0}) {
    Random random(51);
    const Matrix a = with_singular_values(random, 20, 15, Vec::LinSpaced(9, 10, 1));
    const Vec b = normal_vector(random, 20);
    const Matrix normal = a.transpose() * a + damping * damping * Matrix::Identity(15, 15);
    const Vec expected = normal.llt().solve(a.transpose() * b);
    const auto result = Lsqr({.tolerance = 1e-13, .damping = damping}).solve(rectangular_operator(a), b);
    ASSERT_EQ(result.status, Status::converged) << result.message;
    EXPECT_FALSE(result.consistent);
    EXPECT_DOUBLE_EQ(result.residual, norm(b - a * result.x));
    EXPECT_DOUBLE_EQ(result.relative_residual, result.residual / norm(b));
    // The dense normal equations have condition up to (10 / 1e-3)^2 = 1e8: 1e8 epsilon.
    EXPECT_LT(relative_error(result.x, expected), damping < 0.1 ? 1e-8 : 1e-12) << result.message;
    const Vec start = normal_vector(random, 15);
    const auto warm = Lsqr({.tolerance = 1e-13, .damping = damping}).solve(rectangular_operator(a), b, &start);
    EXPECT_LT(relative_error(warm.x, result.x), damping < 0.1 ? 1e-5 : 1e-11) << warm.message;
  }
}

TEST(Lsqr, RefusesDampingOutOfRange) {
  EXPECT_EQ(message_of<InvalidOption>([] { Lsqr({.damping = -1.0}); }),
            "lsqr's damping is -1, but it must be finite and at least 0");
  EXPECT_THROW(Lsqr({.damping = std::numeric_limits<double>::infinity()}), InvalidOption);
  EXPECT_THROW(Lsqr({.damping = std::numeric_limits<double>::quiet_NaN()}), InvalidOption);
}

}  // namespace
}  // namespace bilevel
