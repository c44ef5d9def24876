// Dense answers to compare selections with.
#pragma once

#include <Eigen/Eigenvalues>

#include "bilevel/selection.hpp"

namespace bilevel::testing {

struct DenseCurvature {
  Eigen::MatrixXd H;  // m x m
  Eigen::MatrixXd B;  // n x m
};

inline DenseCurvature dense_curvature(const Objective& g, const Vec& x, const Vec& y) {
  const Index n = g.dim_x(), m = g.dim_y();
  DenseCurvature dense{Eigen::MatrixXd(m, m), Eigen::MatrixXd(n, m)};
  const auto at = g.linearize(x, y);
  for (Index j = 0; j < m; ++j) {
    dense.H.col(j) = at.hess_yy(Vec::Unit(m, j));
    dense.B.col(j) = at.hess_xy(Vec::Unit(m, j));
  }
  return dense;
}

/// H+ by eigenvalues; those below `level` of the largest are zero. The examples' zeros are below 1e-12 of it at their
/// exact critical pairs and the others above 1e-3.
inline Eigen::MatrixXd pseudo_inverse(const Eigen::MatrixXd& H, double level = 1e-8) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(H);
  const double largest = solver.eigenvalues().cwiseAbs().maxCoeff();
  Vec inverse = solver.eigenvalues();
  for (auto& value : inverse) value = std::abs(value) > level * largest ? 1 / value : 0;
  return solver.eigenvectors() * inverse.asDiagonal() * solver.eigenvectors().transpose();
}

/// -B H+ (n x m) at an exactly critical pair.  [AM22, (4)]
inline Eigen::MatrixXd answers_derivative(const Objective& g, const Vec& x, const Vec& y) {
  const auto dense = dense_curvature(g, x, y);
  return -dense.B * pseudo_inverse(dense.H);
}

}  // namespace bilevel::testing
