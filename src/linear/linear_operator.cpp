#include <utility>

#include <fmt/format.h>

#include "bilevel/linear.hpp"

namespace bilevel {

namespace {

void expect_length(std::string_view what, const Vec& v, Index expected, Index rows, Index cols) {
  if (v.size() == expected) return;
  throw DimensionMismatch(fmt::format("a {} x {} linear operator needs {} of length {}, but the length is {}", rows,
                                      cols, what, expected, v.size()));
}

}  // namespace

LinearOperator::LinearOperator(Index rows, Index cols, Product apply, Product apply_adjoint, StructureTags tags)
    : rows_(rows), cols_(cols), apply_(std::move(apply)), apply_adjoint_(std::move(apply_adjoint)), tags_(tags) {
  tags_.positive_semidefinite = tags_.positive_semidefinite || tags_.positive_definite;
  tags_.symmetric = tags_.symmetric || tags_.positive_semidefinite;
  if (rows < 0 || cols < 0) {
    throw DimensionMismatch(fmt::format("a linear operator cannot be {} x {}: sizes start at 0", rows, cols));
  }
  if (tags_.symmetric && rows != cols) {
    throw DimensionMismatch(fmt::format("a symmetric linear operator is square, but this one is {} x {}", rows, cols));
  }
  if (!apply_) {
    throw MissingOracle(fmt::format("a {} x {} linear operator needs a product function, but it is empty", rows, cols));
  }
}

LinearOperator LinearOperator::symmetric(Index size, Product apply, StructureTags tags) {
  tags.symmetric = true;
  return LinearOperator(size, size, std::move(apply), {}, tags);
}

Vec LinearOperator::apply(const Vec& v) const {
  expect_length("a vector", v, cols_, rows_, cols_);
  Vec product = apply_(v);
  expect_length("its product function to return a vector", product, rows_, rows_, cols_);
  return product;
}

Vec LinearOperator::apply_adjoint(const Vec& u) const {
  if (!has_adjoint()) {
    throw MissingOracle(fmt::format(
        "the call needs the adjoint of a {} x {} linear operator, but it was built without one", rows_, cols_));
  }
  expect_length("a vector for its adjoint", u, rows_, rows_, cols_);
  Vec product = apply_adjoint_ ? apply_adjoint_(u) : apply_(u);
  expect_length("its adjoint function to return a vector", product, cols_, rows_, cols_);
  return product;
}

}  // namespace bilevel
