#include "bilevel/quadratic.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "bilevel/status.hpp"
#include "taylor.hpp"

namespace bilevel::testing {
namespace {

Eigen::MatrixXd random_matrix(Index rows, Index columns, Random& random) {
  return random_vec(rows * columns, random).reshaped(rows, columns);
}

TEST(Quadratic, OraclesAgree) {
  Random random(1);
  const Index n = 3, m = 5;
  const Quadratic phi("q", n, m,
                      {.yy = random_matrix(m, m, random),
                       .yx = random_matrix(m, n, random),
                       .xx = random_matrix(n, n, random),
                       .x = random_vec(n, random),
                       .y = random_vec(m, random),
                       .constant = 2});
  expect_consistent_oracles(phi, random_vec(n, random), random_vec(m, random), 2);
}

TEST(Quadratic, HasTheValueOfItsFormula) {
  Eigen::MatrixXd A(2, 2), C(2, 1);
  A << 2, 1, 0, 4;  // symmetric part [2 .5; .5 4]
  C << 3, -1;
  const Quadratic phi("q", 1, 2, {.yy = A, .yx = C, .x = Vec::Constant(1, 5), .constant = 7});
  const Vec x = Vec::Constant(1, 2);
  const Vec y = Vec::Ones(2);
  EXPECT_DOUBLE_EQ(phi.value(x, y), 3.5 + 4 + 10 + 7);
  EXPECT_DOUBLE_EQ(phi.grad_y(x, y)[0], 2.5 + 6);
  EXPECT_DOUBLE_EQ(phi.grad_x(x, y)[0], 2 + 5);
}

TEST(Quadratic, RefusesMisfits) {
  EXPECT_THROW(Quadratic("q", 1, 2, {.yy = Eigen::MatrixXd::Identity(3, 3)}), DimensionMismatch);
  EXPECT_THROW(Quadratic("q", 1, 2, {.x = Vec::Ones(2)}), DimensionMismatch);
  EXPECT_THROW(Quadratic("q", 1, 2, {.y = Vec::Constant(2, std::numeric_limits<double>::infinity())}), InvalidInput);
  EXPECT_THROW(Quadratic("q", 1, 2, {.constant = std::numeric_limits<double>::quiet_NaN()}), InvalidInput);
}

}  // namespace
}  // namespace bilevel::testing
