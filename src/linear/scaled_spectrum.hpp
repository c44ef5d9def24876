// The eigenvalues of a small symmetric matrix in its own units: what does not change when a coordinate's unit does.
#pragma once

#include <Eigen/Core>

#include "bilevel/vec.hpp"

namespace bilevel {

/// S^-1 A S^-1 = V diag(lambda) V' with S diagonal such that no entry of the left is above 1 and, where A has a nonzero
/// row, each row has one near 1. For A -> E A E with E diagonal S becomes E S and lambda stays, so that "small" and
/// "singular" said of lambda do not depend on units. The iteration for S is that of Ruiz, "A scaling algorithm to
/// equilibrate both rows and columns norms in matrices" (2001).
class ScaledSpectrum {
 public:
  ScaledSpectrum() = default;
  /// A symmetric, finite. `least` (entries >= 0, empty: none) bounds S from below: units that are known otherwise.
  explicit ScaledSpectrum(const Eigen::MatrixXd& A, const Vec& least = {});

  Index size() const { return eigenvalues_.size(); }
  const Vec& scale() const { return scale_; }                            // the diagonal of S
  const Vec& eigenvalues() const { return eigenvalues_; }                // lambda, ascending
  const Eigen::MatrixXd& eigenvectors() const { return eigenvectors_; }  // V, columns
  double smallest() const { return eigenvalues_[0]; }
  double largest() const;  // of |lambda|
  /// Up to here an eigenvalue is rounding.
  double rounding() const;

  Vec coordinates(const Vec& gradient) const;   // V' S^-1 b of a b in the unit of a gradient
  Vec direction(const Vec& coordinates) const;  // S^-1 V c, in the unit of a move
  /// A^+ b, with the eigenvalues that are rounding left out.
  Vec solve(const Vec& b) const;
  /// Length of a move p: |S p|.
  double length(const Vec& p) const { return norm(scale_.cwiseProduct(p)); }

 private:
  Vec scale_, eigenvalues_;
  Eigen::MatrixXd eigenvectors_;
};

}  // namespace bilevel
