#include "kernels/sparse_rows.hpp"

#include <algorithm>
#include <bilevel/status.hpp>
#include <limits>
#include <string>
#include <utility>

namespace bilevel::kernels {
namespace {

/// Classes that share one walk over a row's entries.
constexpr std::size_t kTile = 8;

std::size_t checked_rows(const std::vector<std::size_t>& row_starts, std::size_t columns, std::size_t values) {
  if (row_starts.empty() || row_starts.front() != 0 || row_starts.back() != columns || columns != values) {
    throw InvalidInput(
        "sparse rows need row starts from 0 to the number of entries, but there are " + std::to_string(columns) +
        " columns and " + std::to_string(values) + " values, and the row starts " +
        (row_starts.empty()
             ? "are missing"
             : "go from " + std::to_string(row_starts.front()) + " to " + std::to_string(row_starts.back())));
  }
  if (row_starts.size() - 1 > std::numeric_limits<std::uint32_t>::max()) {
    throw InvalidInput(std::to_string(row_starts.size() - 1) +
                       " sparse rows are too many: at most 4294967295 are allowed");
  }
  for (std::size_t i = 0; i + 1 < row_starts.size(); ++i) {
    if (row_starts[i] > row_starts[i + 1]) {
      throw InvalidInput("sparse row " + std::to_string(i) + " starts at entry " + std::to_string(row_starts[i]) +
                         " but ends before it, at " + std::to_string(row_starts[i + 1]));
    }
  }
  return row_starts.size() - 1;
}

}  // namespace

template <class Real>
SparseRows<Real>::SparseRows(std::size_t features, std::vector<std::size_t> row_starts,
                             std::vector<std::uint32_t> columns, std::vector<Real> values)
    : FeatureRows<Real>(checked_rows(row_starts, columns.size(), values.size()), features),
      row_starts_(std::move(row_starts)),
      columns_(std::move(columns)),
      values_(std::move(values)) {
  if (features == 0) throw InvalidInput("sparse rows need at least one feature, but were given none");
  for (std::size_t i = 0; i < this->rows(); ++i) {
    for (std::size_t k = row_starts_[i]; k < row_starts_[i + 1]; ++k) {
      if (columns_[k] >= features) {
        throw InvalidInput("sparse row " + std::to_string(i) + " has an entry in column " +
                           std::to_string(columns_[k]) + ", but columns go from 0 to " + std::to_string(features - 1));
      }
    }
  }
}

template <class Real>
template <class RowOf>
void SparseRows<Real>::scores_of(RowOf row_of, std::size_t count, const Real* W, std::size_t classes, Real* Z) const {
  const std::size_t stride = this->weight_stride();
  std::fill(Z, Z + classes * kBlockRows, Real{0});
  for (std::size_t r = 0; r < count; ++r) {
    const std::size_t i = row_of(r);
    for (std::size_t c = 0; c < classes; c += kTile) {
      const std::size_t tile = std::min(kTile, classes - c);
      Real sums[kTile] = {};
      for (std::size_t k = row_starts_[i]; k < row_starts_[i + 1]; ++k) {
        const Real* w = W + c * stride + columns_[k];
        for (std::size_t t = 0; t < tile; ++t) sums[t] += values_[k] * w[t * stride];
      }
      for (std::size_t t = 0; t < tile; ++t) Z[(c + t) * kBlockRows + r] = sums[t];
    }
  }
}

template <class Real>
template <class RowOf>
void SparseRows<Real>::accumulate_of(RowOf row_of, std::size_t count, const Real* R, std::size_t classes,
                                     Real* G) const {
  const std::size_t stride = this->weight_stride();
  for (std::size_t r = 0; r < count; ++r) {
    const std::size_t i = row_of(r);
    for (std::size_t c = 0; c < classes; c += kTile) {
      const std::size_t tile = std::min(kTile, classes - c);
      Real residuals[kTile] = {};
      for (std::size_t t = 0; t < tile; ++t) residuals[t] = R[(c + t) * kBlockRows + r];
      for (std::size_t k = row_starts_[i]; k < row_starts_[i + 1]; ++k) {
        Real* g = G + c * stride + columns_[k];
        for (std::size_t t = 0; t < tile; ++t) g[t * stride] += residuals[t] * values_[k];
      }
    }
  }
}

template <class Real>
void SparseRows<Real>::scores(std::size_t begin, std::size_t count, const Real* W, std::size_t classes, Real* Z) const {
  scores_of([&](std::size_t r) { return begin + r; }, count, W, classes, Z);
}

template <class Real>
void SparseRows<Real>::accumulate(std::size_t begin, std::size_t count, const Real* R, std::size_t classes,
                                  Real* G) const {
  accumulate_of([&](std::size_t r) { return begin + r; }, count, R, classes, G);
}

template <class Real>
void SparseRows<Real>::scores_gathered(const std::uint32_t* indices, std::size_t count, const Real* W,
                                       std::size_t classes, Real* Z) const {
  scores_of([&](std::size_t r) { return std::size_t{indices[r]}; }, count, W, classes, Z);
}

template <class Real>
void SparseRows<Real>::accumulate_gathered(const std::uint32_t* indices, std::size_t count, const Real* R,
                                           std::size_t classes, Real* G) const {
  accumulate_of([&](std::size_t r) { return std::size_t{indices[r]}; }, count, R, classes, G);
}

template class SparseRows<float>;
template class SparseRows<double>;

}  // namespace bilevel::kernels
