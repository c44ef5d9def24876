// The quadratic objective, whose bilevel problems have closed-form answers.
#pragma once

#include <string>

#include "bilevel/objective.hpp"

namespace bilevel {

/// Coefficients of a quadratic; an empty matrix or vector stands for zeros.
struct QuadraticCoefficients {
  Eigen::MatrixXd yy{};  // A, m x m (only its symmetric part counts)
  Eigen::MatrixXd yx{};  // C, m x n
  Eigen::MatrixXd xx{};  // Q, n x n (only its symmetric part counts)
  Vec x{};               // a, R^n
  Vec y{};               // b, R^m
  double constant = 0;
};

/// phi(x, y) = y'Ay/2 + y'Cx + x'Qx/2 + a'x + b'y + constant, so that H = A and B = C'. One sample, all oracles.
class Quadratic final : public Objective {
 public:
  /// Throws DimensionMismatch if a non-empty coefficient does not fit dim_x and dim_y, InvalidInput if one is not
  /// finite.
  Quadratic(std::string name, Index dim_x, Index dim_y, QuadraticCoefficients coefficients);

  /// All matrices filled, yy and xx symmetric.
  const QuadraticCoefficients& coefficients() const { return coefficients_; }

  std::size_t linearization_bytes() const override;

 private:
  class Products;

  OracleSet do_provides() const override { return OracleSet::all(); }
  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch batch) const override;
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override;

  QuadraticCoefficients coefficients_;
};

}  // namespace bilevel
