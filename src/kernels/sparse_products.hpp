// The two products of one sparse row with weights that lie feature by feature: each entry of the row meets neighbouring
// numbers, so that many outputs cost a few lines of memory an entry instead of one each.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bilevel::kernels {

/// The stored entries of a row.
template <class Real>
struct SparseRow {
  const std::uint32_t* columns;
  const Real* values;
  std::size_t entries;
};

/// z[u] = sum_k values[k] W[columns[k] * stride + u] for u < stride. `stride` is a multiple of 64 bytes, W and z are
/// 64-byte aligned.
void sparse_row_scores(const SparseRow<float>& row, const float* W, std::size_t stride, float* z);
void sparse_row_scores(const SparseRow<double>& row, const double* W, std::size_t stride, double* z);

/// G[columns[k] * stride + u] += values[k] e[u] for u < stride and each entry k in turn.
void sparse_row_accumulate(const SparseRow<float>& row, const float* e, std::size_t stride, float* G);
void sparse_row_accumulate(const SparseRow<double>& row, const double* e, std::size_t stride, double* G);

}  // namespace bilevel::kernels
