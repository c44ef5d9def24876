// The lowest layer of a network over stored rows: the products U W' and E' U of blocks of rows U, in the rows'
// precision and in the layout that suits them.
#pragma once

#include <memory>

#include "bilevel/feature_matrix.hpp"
#include "kernels/aligned_buffer.hpp"
#include "kernels/sparse_rows.hpp"
#include "sources/network_pass.hpp"
#include "sources/row_loss.hpp"

namespace bilevel::sources {

/// Weights and sums of dense rows lie output by output, as FeatureRows wants them; those of sparse rows feature by
/// feature: an entry then meets neighbouring numbers, and no row is ever made dense.
template <class Real>
class LowestLayer {
 public:
  using Buffer = kernels::AlignedBuffer<Real>;

  /// Precondition: the rows' precision is Real's.
  LowestLayer(const FeatureMatrix& rows, Index outputs);

  /// W, outputs x features, as scores() takes it.
  Buffer pack(const Eigen::Ref<const Table>& W) const;

  /// Numbers in a block of scores or errors: outputs x kBlockRows.
  std::size_t block_size() const { return outputs_ * kernels::kBlockRows; }

  /// A buffer of block_size() as `count` rows x outputs.
  auto block(Buffer& buffer, std::size_t count) const {
    return Eigen::Map<Units<Real>, Eigen::Aligned64, Eigen::OuterStride<>>(
        buffer.data(), static_cast<Index>(count), static_cast<Index>(outputs_),
        Eigen::OuterStride<>(static_cast<Index>(kernels::kBlockRows)));
  }

  /// Z[c * kBlockRows + r] = <u_r, W_c> for the block's rows; `weights` from pack(), Z of block_size().
  void scores(const BlockOfRows& block, const Buffer& weights, Buffer& Z) const;

  /// E' U summed over blocks, on one thread.
  class Sum {
   public:
    explicit Sum(const LowestLayer& layer);
    /// Adds a block's part. Errors like Z above.
    void add(const BlockOfRows& block, const Buffer& errors);
    /// target += scale * the sum, outputs x features.
    void add_to(double scale, Eigen::Ref<Table> target);

   private:
    void flush();

    const LowestLayer* layer_;
    Buffer part_;                           // what was added since the last flush
    kernels::AlignedBuffer<double> total_;  // what was added before; empty until the first flush
    std::size_t blocks_ = 0;                // in part_
  };

 private:
  std::size_t packed_size() const { return sparse_ ? rows_->features() * unit_stride_ : outputs_ * feature_stride_; }
  kernels::SparseRow<Real> sparse_row(const BlockOfRows& block, std::size_t r) const;

  FeatureMatrix matrix_;
  std::shared_ptr<const kernels::FeatureRows<Real>> rows_;
  const kernels::SparseRows<Real>* sparse_ = nullptr;  // of the whole matrix, if that is sparse
  std::size_t outputs_, feature_stride_, unit_stride_;
  std::size_t blocks_between_flushes_;
};

extern template class LowestLayer<float>;
extern template class LowestLayer<double>;

}  // namespace bilevel::sources
