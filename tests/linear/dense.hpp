// Dense matrices as matrix-free operators, and seeded matrices with a chosen spectrum.
#pragma once

#include <Eigen/Dense>
#include <memory>

#include "bilevel/linear.hpp"
#include "bilevel/random.hpp"

namespace bilevel::testing {

using Matrix = Eigen::MatrixXd;

inline Matrix normal_matrix(Random& random, Index rows, Index cols) {
  Matrix matrix(rows, cols);
  for (Index j = 0; j < cols; ++j) {
    for (Index i = 0; i < rows; ++i) matrix(i, j) = random.normal();
  }
  return matrix;
}

inline Vec normal_vector(Random& random, Index size) { return normal_matrix(random, size, 1); }

/// Q diag(eigenvalues) Q' with a seeded orthogonal Q.
inline Matrix with_spectrum(Random& random, const Vec& eigenvalues) {
  const Matrix square = normal_matrix(random, eigenvalues.size(), eigenvalues.size());
  const Matrix q = Eigen::HouseholderQR<Matrix>(square).householderQ();
  const Matrix a = q * eigenvalues.asDiagonal() * q.transpose();
  return 0.5 * (a + a.transpose());
}

inline LinearOperator symmetric_operator(const Matrix& a, StructureTags tags = {.symmetric = true}) {
  auto shared = std::make_shared<const Matrix>(a);
  return LinearOperator::symmetric(
      a.rows(), [shared](const Vec& v) -> Vec { return *shared * v; }, tags);
}

}  // namespace bilevel::testing
