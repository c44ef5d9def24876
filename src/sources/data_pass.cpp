#include "sources/data_pass.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "kernels/conversions.hpp"
#include "sources/feature_storage.hpp"

namespace bilevel::sources {

namespace {

using kernels::kBlockRows;

template <class Real>
void sigmoid_and_slope(const double* logits, const BlockOfRows& rows, Real* sigmoid, Real* slope) {
  for (std::size_t r = 0; r < rows.count; ++r) {
    const double x = logits[rows.indices ? rows.indices[r] : rows.begin + r];
    const double small = std::exp(-std::abs(x));  // never overflows
    const double denominator = 1 + small;
    sigmoid[r] = static_cast<Real>((x >= 0 ? 1 : small) / denominator);
    slope[r] = static_cast<Real>(small / (denominator * denominator));
  }
}

}  // namespace

/// One thread's share of a pass: its scratch and its sums.
template <class Real>
class DataPass<Real>::Worker {
 public:
  Worker(const DataPass& pass, const PassRequest<Real>& request)
      : pass_(pass),
        request_(request),
        block_rows_(pass.block_rows(request.batch)),
        scores_(pass.model_.scores()),
        sums_((request.gradient ? 1u : 0u) + (request.product ? 1u : 0u)),
        scratch_(kernels::AlignedBuffer<Real>::unfilled(
            kBlockRows * ((request.parameters ? request.parameters->rows() : 0) + scores_ + sums_ * scores_))),
        sum_(sums_ * scores_ * pass.data_->weight_stride()),
        intercepts_(pass.model_.options().intercept ? sums_ * scores_ : 0) {}

  void run(kernels::RowRange share) {
    Real* const Z = scratch_.data();
    Real* const own_state = Z + (request_.parameters ? request_.parameters->rows() * kBlockRows : 0);
    Real* const R = own_state + scores_ * kBlockRows;
    std::size_t rows_since_flush = 0;
    expected_ = share.begin;
    for (std::size_t begin = share.begin; begin < share.end; begin += block_rows_) {
      const std::size_t count = std::min(block_rows_, share.end - begin);
      Real* const state = request_.state ? request_.state + begin / block_rows_ * kBlockRows * scores_ : own_state;
      do_block(rows_at(begin, count), ahead(begin + count, share.end), Z, state, R);
      rows_since_flush += count;
      if (sums_ > 0 && rows_since_flush / kBlockRows >= pass_.flush_blocks_) {
        flush();
        rows_since_flush = 0;
      }
    }
    if (has_flushed() && rows_since_flush > 0) flush();
  }

  /// result = `scale` times the sum `which` over this thread's rows. What was never flushed, as in a minibatch, takes
  /// one walk over the result and no further vector.
  void write(std::size_t which, double scale, Vec& result) {
    result.resize(pass_.model_.dim_y());
    const std::size_t features = pass_.model_.features();
    for (std::size_t c = 0; c < scores_; ++c) {
      const std::size_t row = which * scores_ + c;
      double* const part = result.data() + c * features;
      if (has_flushed()) {
        kernels::convert_scaled(features, scale, total_.data() + row * features, part);
      } else {
        kernels::convert_scaled(features, scale, sum_.data() + row * pass_.data_->weight_stride(), part);
      }
    }
    for (std::size_t c = 0; c < scores_ && !intercepts_.empty(); ++c) {
      result[static_cast<Index>(scores_ * features + c)] = scale * intercepts_[which * scores_ + c];
    }
  }

 private:
  BlockOfRows rows_at(std::size_t begin, std::size_t count) const {
    return {begin, count, request_.batch.is_full() ? nullptr : request_.batch.indices().data() + begin};
  }

  /// How many gathered rows from `begin` on may be fetched during the block before. They were told of before that.
  std::size_t ahead(std::size_t begin, std::size_t end) {
    if (request_.batch.is_full()) return 0;
    const std::size_t ahead = std::min(kernels::kGroupRows, end - begin);
    if (begin + ahead > expected_) {
      const std::size_t count = std::min(kBlockRows, end - expected_);
      pass_.data_->expect_gathered(request_.batch.indices().data() + expected_, count);
      expected_ += count;
    }
    return ahead;
  }

  void do_block(const BlockOfRows& rows, std::size_t ahead, Real* Z, Real* state, Real* R) {
    const auto& loss = *pass_.loss_;
    const auto at = [&rows](auto* array) { return array ? array + rows.begin : nullptr; };
    const kernels::GatheredRows gathered{rows.indices, rows.count, ahead};
    if (request_.parameters && rows.indices) request_.parameters->scores(*pass_.data_, gathered, Z);
    if (request_.parameters && !rows.indices) request_.parameters->scores(*pass_.data_, rows.begin, rows.count, Z);
    if (request_.has_point) loss.state(rows, Z, state, at(request_.row_loss));

    const Real* weight = at(request_.weight);
    if (request_.logits) {
      sigmoid_and_slope(request_.logits, rows, at(request_.sigmoid), at(request_.slope));
      weight = at(request_.sigmoid);
    }
    Real* next = R;
    if (request_.gradient) {
      loss.residual(rows, state, weight, next);
      next += scores_ * kBlockRows;
    }
    if (request_.has_direction) {
      Real* direction = Z + (request_.has_point ? scores_ * kBlockRows : 0);
      // Without a sum of products only the cross terms are wanted: the products may overwrite the direction's scores.
      loss.product(rows, state, direction, weight, request_.product ? next : direction, at(request_.row_cross));
    }
    if (sums_ == 0) return;
    if (rows.indices == nullptr) {
      pass_.data_->accumulate(rows.begin, rows.count, R, sums_ * scores_, sum_.data());
    } else {
      pass_.data_->accumulate_gathered(gathered, R, sums_ * scores_, sum_.data());
    }
    add_intercepts(rows.count, R);
  }

  /// Rows behind the block's last are zeros. Four sums, or each addition waits for the one before it.
  void add_intercepts(std::size_t count, const Real* R) {
    for (std::size_t c = 0; c < intercepts_.size(); ++c) {
      double sums[4] = {};
      for (std::size_t r = 0; r < count; r += 4) {
        for (std::size_t i = 0; i < 4; ++i) sums[i] += static_cast<double>(R[c * kBlockRows + r + i]);
      }
      intercepts_[c] += (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }
  }

  bool has_flushed() const { return !total_.empty(); }

  void flush() {
    const auto features = pass_.model_.features();
    if (!has_flushed()) total_.resize(sums_ * scores_ * features, 0.0);
    for (std::size_t c = 0; c < sums_ * scores_; ++c) {
      Real* sum = sum_.data() + c * pass_.data_->weight_stride();
      double* total = total_.data() + c * features;
      for (std::size_t j = 0; j < features; ++j) {
        total[j] += static_cast<double>(sum[j]);
        sum[j] = 0;
      }
    }
  }

  const DataPass& pass_;
  const PassRequest<Real>& request_;
  std::size_t block_rows_;
  std::size_t expected_ = 0;  // the rows before have been told of
  std::size_t scores_;
  std::size_t sums_;
  kernels::AlignedBuffer<Real> scratch_;  // [Z | state | R]
  kernels::AlignedBuffer<Real> sum_;      // [gradient ; product], padded rows: what was added since the last flush
  std::vector<double> total_;             // what was added before, without padding; empty until the first flush
  std::vector<double> intercepts_;        // their part of the sums
};

template <class Real>
DataPass<Real>::DataPass(const LinearModel& model, const FeatureMatrix& features, Targets targets)
    : model_(model),
      data_(std::get<FeatureMatrix::Storage::Rows<Real>>(features.storage().rows)),
      loss_(make_row_loss<Real>(model.options(), std::move(targets))),
      team_(std::make_unique<kernels::ThreadTeam>(model.options().threads)),
      flush_blocks_(std::is_same_v<Real, double> ? std::numeric_limits<std::size_t>::max()
                                                 : blocks_between_flushes(features)) {}

template <class Real>
std::size_t DataPass<Real>::block_rows(Batch batch) const {
  return batch.is_full() ? kBlockRows : data_->gathered_rows();
}

template <class Real>
std::size_t DataPass<Real>::state_size(Batch batch) const {
  const std::size_t rows = block_rows(batch);
  return (batch.size(data_->rows()) + rows - 1) / rows * kBlockRows * model_.scores();
}

template <class Real>
void DataPass<Real>::expect(Batch batch) const {
  if (!batch.is_full()) data_->expect_gathered(batch.indices().data(), std::min(kBlockRows, batch.indices().size()));
}

template <class Real>
void DataPass<Real>::run(const PassRequest<Real>& request) const {
  const std::size_t count = request.batch.size(rows());
  const std::size_t blocks = (count + kBlockRows - 1) / kBlockRows;
  const std::size_t parts = std::min(team_->size(), blocks);
  std::vector<std::unique_ptr<Worker>> workers(parts);
  const auto work = [&](std::size_t part) {
    if (part >= parts) return;
    workers[part] = std::make_unique<Worker>(*this, request);
    workers[part]->run(kernels::row_share(count, parts, part));
  };
  if (parts == 1) {
    work(0);
  } else {
    team_->run(work);
  }

  // In the order of the parts, so that the bits do not depend on which thread ended first.
  std::size_t which = 0;
  for (Vec* sum : {request.gradient, request.product}) {
    if (sum == nullptr) continue;
    workers[0]->write(which, request.scale, *sum);
    Vec part;
    for (std::size_t k = 1; k < parts; ++k) {
      workers[k]->write(which, request.scale, part);
      *sum += part;
    }
    ++which;
  }
}

template class DataPass<float>;
template class DataPass<double>;

}  // namespace bilevel::sources
