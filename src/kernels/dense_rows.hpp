// Dense feature rows, stored once, and the register-blocked products over them.
#pragma once

#include "kernels/aligned_buffer.hpp"
#include "kernels/dense_products.hpp"
#include "kernels/feature_rows.hpp"

namespace bilevel::kernels {

/// Row-major dense features. Make it, fill each row(i), then use it as const. Moves; is never copied.
///
/// A row is padded with zeros to whole 64-byte lines, and by one line more where the length would map all rows of a
/// block to the same few cache sets. The products run on the widest vectors that the processor has (chosen at run
/// time).
template <class Real>
class DenseRows final : public FeatureRows<Real> {
 public:
  /// Zero-filled rows. Throws InvalidInput if there are no features, more than 2^32 - 1 rows, or the memory for
  /// rows x features is not to be had.
  DenseRows(std::size_t rows, std::size_t features);
  DenseRows(DenseRows&&) noexcept = default;
  DenseRows& operator=(DenseRows&&) noexcept = default;

  /// The `features()` entries of row i, to be filled; never write behind them.
  Real* row(std::size_t i) { return data_.data() + i * stride_; }
  const Real* row(std::size_t i) const { return data_.data() + i * stride_; }

  void scores(std::size_t begin, std::size_t count, const Real* W, std::size_t classes, Real* Z) const override;
  void accumulate(std::size_t begin, std::size_t count, const Real* R, std::size_t classes, Real* G) const override;
  void scores_gathered(const GatheredRows& rows, const Real* W, std::size_t classes, Real* Z) const override;
  void accumulate_gathered(const GatheredRows& rows, const Real* R, std::size_t classes, Real* G) const override;
  std::size_t gathered_rows() const override { return kGroupRows; }
  void expect_gathered(const std::uint32_t* indices, std::size_t count) const override;

 private:
  /// The rows begin .. begin + count, as far as there are any, as memory to fetch.
  NextBlock rows_ahead(std::size_t begin, std::size_t count) const;

  std::size_t stride_;
  AlignedBuffer<Real> data_;
};

extern template class DenseRows<float>;
extern template class DenseRows<double>;

}  // namespace bilevel::kernels
