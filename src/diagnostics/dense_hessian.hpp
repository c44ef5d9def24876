// H as a matrix, for diagnostics of small problems only: no method forms it.
#pragma once

#include <Eigen/Core>

#include "bilevel/objective.hpp"

namespace bilevel {

/// H = d2_yy at the linearisation's point, m x m and exactly symmetric, from m products.
Eigen::MatrixXd dense_hessian(const Linearization& at, Index dim_y);

}  // namespace bilevel
