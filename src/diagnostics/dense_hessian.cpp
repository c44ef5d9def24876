#include "diagnostics/dense_hessian.hpp"

namespace bilevel {

Eigen::MatrixXd dense_hessian(const Linearization& at, Index dim_y) {
  Eigen::MatrixXd hessian(dim_y, dim_y);
  for (Index j = 0; j < dim_y; ++j) hessian.col(j) = at.hess_yy(Vec::Unit(dim_y, j));
  return 0.5 * (hessian + hessian.transpose().eval());
}

}  // namespace bilevel
