// Dense answers to compare with: minimum-norm least squares, and rectangular matrices with chosen singular values.
#pragma once

#include "linear/dense.hpp"

namespace bilevel::testing {

/// A+ b. The tests' zero singular values are below 1e-14 of the largest, the others above 1e-6 of it.
inline Vec pseudo_inverse_times(const Matrix& a, const Vec& b) {
  Eigen::CompleteOrthogonalDecomposition<Matrix> decomposition;
  decomposition.setThreshold(1e-10);
  decomposition.compute(a);
  return decomposition.solve(b);
}

/// U diag(values) V' with seeded orthonormal U and V; the rank is at most values.size() <= min(rows, cols).
inline Matrix with_singular_values(Random& random, Index rows, Index cols, const Vec& values) {
  const Matrix u = Eigen::HouseholderQR<Matrix>(normal_matrix(random, rows, rows)).householderQ();
  const Matrix v = Eigen::HouseholderQR<Matrix>(normal_matrix(random, cols, cols)).householderQ();
  return u.leftCols(values.size()) * values.asDiagonal() * v.leftCols(values.size()).transpose();
}

inline LinearOperator rectangular_operator(const Matrix& a) {
  auto shared = std::make_shared<const Matrix>(a);
  return LinearOperator(
      a.rows(), a.cols(), [shared](const Vec& v) -> Vec { return *shared * v; },
      [shared](const Vec& u) -> Vec { return shared->transpose() * u; });
}

/// Eigenvalues of both signs from 1 to `condition` in absolute value, the first `zeros` of them 0.
inline Vec indefinite_spectrum(Index size, Index zeros, double condition) {
  Vec eigenvalues = Vec::Zero(size);
  const Index rest = size - zeros;
  for (Index i = 0; i < rest; ++i) {
    const double share = rest == 1 ? 0.0 : static_cast<double>(i) / static_cast<double>(rest - 1);
    eigenvalues[zeros + i] = (i % 2 == 0 ? 1 : -1) * std::pow(condition, share);
  }
  return eigenvalues;
}

inline double relative_error(const Vec& x, const Vec& expected) { return norm(x - expected) / norm(expected); }

}  // namespace bilevel::testing
