// Sparse feature rows in compressed sparse row form.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/feature_rows.hpp"
#include "kernels/sparse_products.hpp"

namespace bilevel::kernels {

/// Compressed sparse rows: row i has the entries row_starts[i] .. row_starts[i + 1] of columns and values.
template <class Real>
class SparseRows final : public FeatureRows<Real> {
 public:
  /// row_starts: one more than there are rows, from 0 to the number of entries, never falling. columns: each below
  /// `features`, in any order within a row; repeated columns add up. Throws InvalidInput that names the row otherwise.
  SparseRows(std::size_t features, std::vector<std::size_t> row_starts, std::vector<std::uint32_t> columns,
             std::vector<Real> values);
  SparseRows(SparseRows&&) noexcept = default;
  SparseRows& operator=(SparseRows&&) noexcept = default;

  /// Number of stored entries.
  std::size_t entries() const { return values_.size(); }

  /// The entries of row i, for the products of sparse_products.hpp.
  SparseRow<Real> row(std::size_t i) const {
    return {columns_.data() + row_starts_[i], values_.data() + row_starts_[i], row_starts_[i + 1] - row_starts_[i]};
  }

  void scores(std::size_t begin, std::size_t count, const Real* W, std::size_t classes, Real* Z) const override;
  void accumulate(std::size_t begin, std::size_t count, const Real* R, std::size_t classes, Real* G) const override;
  void scores_gathered(const GatheredRows& rows, const Real* W, std::size_t classes, Real* Z) const override;
  void accumulate_gathered(const GatheredRows& rows, const Real* R, std::size_t classes, Real* G) const override;

 private:
  template <class RowOf>
  void scores_of(RowOf row_of, std::size_t count, const Real* W, std::size_t classes, Real* Z) const;
  template <class RowOf>
  void accumulate_of(RowOf row_of, std::size_t count, const Real* R, std::size_t classes, Real* G) const;

  std::vector<std::size_t> row_starts_;
  std::vector<std::uint32_t> columns_;
  std::vector<Real> values_;
};

extern template class SparseRows<float>;
extern template class SparseRows<double>;

}  // namespace bilevel::kernels
