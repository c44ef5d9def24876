#include "sources/lowest_layer.hpp"

#include <algorithm>
#include <type_traits>
#include <variant>

#include "sources/feature_storage.hpp"

namespace bilevel::sources {

namespace {

using kernels::kBlockRows;

/// Columns that are transposed together: their part of a row and of all outputs stays in the first cache.
constexpr std::size_t kTransposed = 32;

/// use(output, feature) for all, in an order that is kind to both layouts.
template <class Use>
void for_each_entry(std::size_t outputs, std::size_t features, const Use& use) {
  for (std::size_t from = 0; from < features; from += kTransposed) {
    const std::size_t to = std::min(features, from + kTransposed);
    for (std::size_t c = 0; c < outputs; ++c) {
      for (std::size_t j = from; j < to; ++j) use(c, j);
    }
  }
}

}  // namespace

template <class Real>
LowestLayer<Real>::LowestLayer(const FeatureMatrix& rows, Index outputs)
    : matrix_(rows),
      rows_(std::get<FeatureMatrix::Storage::Rows<Real>>(rows.storage().rows)),
      outputs_(static_cast<std::size_t>(outputs)),
      feature_stride_(rows_->weight_stride()),
      unit_stride_(kernels::padded_features<Real>(outputs_)),
      blocks_between_flushes_(blocks_between_flushes(rows)) {
  if (!rows.is_sparse()) return;
  const auto& storage = rows.storage();
  const auto& whole = storage.whole ? *storage.whole : storage;
  sparse_ =
      static_cast<const kernels::SparseRows<Real>*>(std::get<FeatureMatrix::Storage::Rows<Real>>(whole.rows).get());
}

template <class Real>
kernels::SparseRow<Real> LowestLayer<Real>::sparse_row(const BlockOfRows& block, std::size_t r) const {
  const auto& storage = matrix_.storage();
  const std::size_t i = block.indices ? block.indices[r] : block.begin + r;
  return sparse_->row(storage.whole ? storage.indices[i] : i);
}

template <class Real>
auto LowestLayer<Real>::pack(const Eigen::Ref<const Table>& W) const -> Buffer {
  Buffer packed(packed_size());
  const std::size_t output_step = sparse_ ? 1 : feature_stride_, feature_step = sparse_ ? unit_stride_ : 1;
  for_each_entry(outputs_, rows_->features(), [&](std::size_t c, std::size_t j) {
    packed[c * output_step + j * feature_step] = static_cast<Real>(W(static_cast<Index>(c), static_cast<Index>(j)));
  });
  return packed;
}

template <class Real>
void LowestLayer<Real>::scores(const BlockOfRows& block, const Buffer& weights, Buffer& Z) const {
  if (sparse_) {
    Buffer z(unit_stride_);
    for (std::size_t r = 0; r < block.count; ++r) {
      kernels::sparse_row_scores(sparse_row(block, r), weights.data(), unit_stride_, z.data());
      for (std::size_t c = 0; c < outputs_; ++c) Z[c * kBlockRows + r] = z[c];
    }
  } else if (block.indices) {
    rows_->scores_gathered({block.indices, block.count}, weights.data(), outputs_, Z.data());
  } else {
    rows_->scores(block.begin, block.count, weights.data(), outputs_, Z.data());
  }
}

template <class Real>
LowestLayer<Real>::Sum::Sum(const LowestLayer& layer) : layer_(&layer), part_(layer.packed_size()) {}

template <class Real>
void LowestLayer<Real>::Sum::add(const BlockOfRows& block, const Buffer& errors) {
  const auto& layer = *layer_;
  if (layer.sparse_) {
    Buffer e(layer.unit_stride_);
    for (std::size_t r = 0; r < block.count; ++r) {
      for (std::size_t c = 0; c < layer.outputs_; ++c) e[c] = errors[c * kBlockRows + r];
      kernels::sparse_row_accumulate(layer.sparse_row(block, r), e.data(), layer.unit_stride_, part_.data());
    }
  } else if (block.indices) {
    layer.rows_->accumulate_gathered({block.indices, block.count}, errors.data(), layer.outputs_, part_.data());
  } else {
    layer.rows_->accumulate(block.begin, block.count, errors.data(), layer.outputs_, part_.data());
  }
  if (std::is_same_v<Real, float> && ++blocks_ == layer.blocks_between_flushes_) flush();
}

template <class Real>
void LowestLayer<Real>::Sum::flush() {
  if (total_.size() == 0) total_ = kernels::AlignedBuffer<double>(part_.size());
  for (std::size_t i = 0; i < total_.size(); ++i) {
    total_[i] += static_cast<double>(part_[i]);
    part_[i] = 0;
  }
  blocks_ = 0;
}

template <class Real>
void LowestLayer<Real>::Sum::add_to(double scale, Eigen::Ref<Table> target) {
  const auto& layer = *layer_;
  const std::size_t output_step = layer.sparse_ ? 1 : layer.feature_stride_;
  const std::size_t feature_step = layer.sparse_ ? layer.unit_stride_ : 1;
  for_each_entry(layer.outputs_, layer.rows_->features(), [&](std::size_t c, std::size_t j) {
    const std::size_t at = c * output_step + j * feature_step;
    const double sum = static_cast<double>(part_[at]) + (total_.size() == 0 ? 0 : total_[at]);
    target(static_cast<Index>(c), static_cast<Index>(j)) += scale * sum;
  });
}

template class LowestLayer<float>;
template class LowestLayer<double>;

}  // namespace bilevel::sources
