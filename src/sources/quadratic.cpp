#include "bilevel/quadratic.hpp"

#include <cmath>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "bilevel/status.hpp"

namespace bilevel {

namespace {

template <class Matrix>
void fill(Matrix& matrix, std::string_view what, Index rows, Index columns) {
  if (matrix.size() == 0) {
    matrix = Matrix::Zero(rows, columns);
  } else if (matrix.rows() != rows || matrix.cols() != columns) {
    throw DimensionMismatch(fmt::format("a quadratic needs coefficient {} of shape {} x {}, but it has {} x {}", what,
                                        rows, columns, matrix.rows(), matrix.cols()));
  }
  if (!matrix.allFinite())
    throw InvalidInput(fmt::format("coefficient {} of a quadratic has a non-finite entry", what));
}

Eigen::MatrixXd symmetric_part(const Eigen::MatrixXd& matrix) { return 0.5 * (matrix + matrix.transpose()); }

}  // namespace

class Quadratic::Products final : public Linearization::Implementation {
 public:
  explicit Products(const QuadraticCoefficients& coefficients) : coefficients_(coefficients) {}
  Vec hess_yy(const Vec& v) const override { return coefficients_.yy * v; }
  Vec hess_xy(const Vec& v) const override { return coefficients_.yx.transpose() * v; }
  Vec hess_yx(const Vec& u) const override { return coefficients_.yx * u; }

 private:
  const QuadraticCoefficients& coefficients_;
};

Quadratic::Quadratic(std::string name, Index dim_x, Index dim_y, QuadraticCoefficients coefficients)
    : Objective(std::move(name), dim_x, dim_y), coefficients_(std::move(coefficients)) {
  auto& c = coefficients_;
  fill(c.yy, "yy", dim_y, dim_y);
  fill(c.yx, "yx", dim_y, dim_x);
  fill(c.xx, "xx", dim_x, dim_x);
  fill(c.x, "x", dim_x, 1);
  fill(c.y, "y", dim_y, 1);
  if (!std::isfinite(c.constant)) throw InvalidInput("the constant of a quadratic is not finite");
  c.yy = symmetric_part(c.yy);
  c.xx = symmetric_part(c.xx);
}

std::size_t Quadratic::linearization_bytes() const { return sizeof(Products); }

Evaluation Quadratic::do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch) const {
  const auto& c = coefficients_;
  Evaluation result;
  if (want.has(Oracle::value)) {
    result.value = dot(y, 0.5 * (c.yy * y) + c.yx * x + c.y) + dot(x, 0.5 * (c.xx * x) + c.x) + c.constant;
  }
  if (want.has(Oracle::grad_x)) result.grad_x = c.yx.transpose() * y + c.xx * x + c.x;
  if (want.has(Oracle::grad_y)) result.grad_y = c.yy * y + c.yx * x + c.y;
  return result;
}

std::unique_ptr<const Linearization::Implementation> Quadratic::do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                             OracleSet also,
                                                                             Evaluation& evaluation) const {
  evaluation = do_evaluate(also, x, y, batch);
  return std::make_unique<Products>(coefficients_);
}

}  // namespace bilevel
