// x -> S x + s + bend sin(x): where the followers of several families answer.
#pragma once

#include <cmath>

#include "instance.hpp"

namespace bilevel::robust {

/// Entry j of the map is S_j x + s_j + bend sin(x_(j mod n)).
struct SmoothMap {
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> matrix;  // S, m x n
  Vec offset;                                                                     // s, R^m
  double bend = 0;

  static SmoothMap draw(Draw& draw, Index m, Index n, bool bent) {
    return {draw.normal(m, n, 1 / std::sqrt(static_cast<double>(n))), draw.normal(m), bent ? 0.5 : 0.0};
  }

  /// Entry j, for a view of x.
  template <typename View>
  auto operator()(const View& x, Index j) const {
    decltype(x[0] + x[0]) total = offset[j];
    for (Index i = 0; i < matrix.cols(); ++i) total += matrix(j, i) * x[i];
    if (bend != 0) total += bend * sin(x[j % matrix.cols()]);
    return total;
  }

  RealVec at(const RealVec& x) const {
    RealVec result = matrix.cast<Real>() * x + extended(offset);
    for (Index j = 0; j < result.size(); ++j) result[j] += Real(bend) * std::sin(x[j % x.size()]);
    return result;
  }
  RealMat slope(const RealVec& x) const {
    RealMat result = matrix.cast<Real>();
    for (Index j = 0; j < result.rows(); ++j) result(j, j % x.size()) += Real(bend) * std::cos(x[j % x.size()]);
    return result;
  }
};

/// Random wishes of the leader: weights from 0.3 to 3 on y, `leader` on x.
inline Wishes draw_wishes(Draw& draw, Index n, Index m, double leader) {
  return {Vec::Constant(n, leader), draw.normal(n), draw.uniform_vector(m, 0.3, 3), draw.normal(m, 1.5)};
}

}  // namespace bilevel::robust
