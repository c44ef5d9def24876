// What the follower's answer is among all those that are as good for it.
#pragma once

#include "bilevel/certificate.hpp"

namespace bilevel {

/// y as the certificate knows it: a degenerate local minimiser.
struct SelectionPlace {
  const Vec& y;
  const Vec& adjoint;             // w = H+ f_y
  const Vec& tangent;             // P_ker f_y
  const Eigen::MatrixXd& kernel;  // m x k, orthonormal, k at least 1
  double tangent_scale;           // |f_y| and its change over one unit
  double tolerance;               // |P_ker f_y| up to this times its scale is zero
  double leader_scale;            // what f_x - B w is measured against
  double kernel_tolerance;        // eigenvalues of H up to this times |H| are zero
};

/// Measures the intrinsic Hessian, looks for other answers and, where the selection is degenerate, whether x tilts f
/// along it. Needs values of f and g.  [HG-MS; methods of select_on_manifold]
CertifiedSelection examine_selection(const BilevelProblem& problem, const Vec& x, const SelectionPlace& place,
                                     const CertificateOptions& options);

}  // namespace bilevel
