#include "kernels/sparse_rows.hpp"

#include <algorithm>
#include <bilevel/status.hpp>
#include <limits>
#include <string>
#include <utility>

namespace bilevel::kernels {
namespace {

/// The most classes that share one walk over a row's entries.
constexpr std::size_t kTile = 8;

/// z[t * kBlockRows] = <row, W_t> for the tile's classes.
template <std::size_t kClasses, class Real>
void score_row(const SparseRow<Real>& row, const Real* W, std::size_t stride, Real* z) {
  Real sums[kClasses] = {};
  for (std::size_t k = 0; k < row.entries; ++k) {
    const Real value = row.values[k];
    const Real* w = W + row.columns[k];
#pragma GCC unroll 16
    for (std::size_t t = 0; t < kClasses; ++t) sums[t] += value * w[t * stride];
  }
  for (std::size_t t = 0; t < kClasses; ++t) z[t * kBlockRows] = sums[t];
}

/// G_t += r[t * kBlockRows] row for the tile's classes.
template <std::size_t kClasses, class Real>
void accumulate_row(const SparseRow<Real>& row, const Real* r, std::size_t stride, Real* G) {
  Real residuals[kClasses];
  for (std::size_t t = 0; t < kClasses; ++t) residuals[t] = r[t * kBlockRows];
  for (std::size_t k = 0; k < row.entries; ++k) {
    const Real value = row.values[k];
    Real* g = G + row.columns[k];
#pragma GCC unroll 16
    for (std::size_t t = 0; t < kClasses; ++t) g[t * stride] += residuals[t] * value;
  }
}

/// Calls f.operator()<tile>() with the constant kMost that equals `tile`.
template <std::size_t kMost, class F>
void with_tile(std::size_t tile, const F& f) {
  if constexpr (kMost > 0) {
    if (tile == kMost) {
      f.template operator()<kMost>();
    } else {
      with_tile<kMost - 1>(tile, f);
    }
  }
}

/// visit.operator()<tile>(first class) for tiles of nearly equal size.
template <class Visit>
void for_class_tiles(std::size_t classes, const Visit& visit) {
  const std::size_t tiles = (classes + kTile - 1) / kTile;
  std::size_t first = 0;
  for (std::size_t i = 0; i < tiles; ++i) {
    const std::size_t tile = classes / tiles + (i < classes % tiles ? 1 : 0);
    with_tile<kTile>(tile, [&]<std::size_t kClasses>() { visit.template operator()<kClasses>(first); });
    first += tile;
  }
}

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
    : FeatureRows<Real>(checked_rows(row_starts, columns.size(), values.size()), features,
                        spread_features<Real>(features)),
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
  for_class_tiles(classes, [&]<std::size_t kClasses>(std::size_t first) {
    for (std::size_t r = 0; r < count; ++r) {
      score_row<kClasses>(row(row_of(r)), W + first * stride, stride, Z + first * kBlockRows + r);
    }
  });
}

template <class Real>
template <class RowOf>
void SparseRows<Real>::accumulate_of(RowOf row_of, std::size_t count, const Real* R, std::size_t classes,
                                     Real* G) const {
  const std::size_t stride = this->weight_stride();
  for_class_tiles(classes, [&]<std::size_t kClasses>(std::size_t first) {
    for (std::size_t r = 0; r < count; ++r) {
      accumulate_row<kClasses>(row(row_of(r)), R + first * kBlockRows + r, stride, G + first * stride);
    }
  });
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
void SparseRows<Real>::scores_gathered(const GatheredRows& rows, const Real* W, std::size_t classes, Real* Z) const {
  scores_of([&](std::size_t r) { return std::size_t{rows.indices[r]}; }, rows.count, W, classes, Z);
}

template <class Real>
void SparseRows<Real>::accumulate_gathered(const GatheredRows& rows, const Real* R, std::size_t classes,
                                           Real* G) const {
  accumulate_of([&](std::size_t r) { return std::size_t{rows.indices[r]}; }, rows.count, R, classes, G);
}

template class SparseRows<float>;
template class SparseRows<double>;

}  // namespace bilevel::kernels
