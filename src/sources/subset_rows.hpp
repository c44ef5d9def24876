// Some rows of a feature matrix, in any order, as if they were a matrix of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "kernels/feature_rows.hpp"

namespace bilevel::sources {

/// The rows `indices` of `base`, whose features are not copied.
template <class Real>
class SubsetRows final : public kernels::FeatureRows<Real> {
 public:
  /// Preconditions: every index below base->rows().
  SubsetRows(std::shared_ptr<const kernels::FeatureRows<Real>> base, std::vector<std::uint32_t> indices)
      : kernels::FeatureRows<Real>(indices.size(), base->features(), base->weight_stride()),
        base_(std::move(base)),
        indices_(std::move(indices)) {
    for (std::size_t i = 1; i < indices_.size() && is_consecutive_; ++i) {
      is_consecutive_ = indices_[i] == indices_[0] + i;
    }
  }

  void scores(std::size_t begin, std::size_t count, const Real* W, std::size_t classes, Real* Z) const override {
    if (is_consecutive_) {
      base_->scores(indices_[0] + begin, count, W, classes, Z);
    } else {
      base_->scores_gathered({indices_.data() + begin, count}, W, classes, Z);
    }
  }

  void accumulate(std::size_t begin, std::size_t count, const Real* R, std::size_t classes, Real* G) const override {
    if (is_consecutive_) {
      base_->accumulate(indices_[0] + begin, count, R, classes, G);
    } else {
      base_->accumulate_gathered({indices_.data() + begin, count}, R, classes, G);
    }
  }

  void scores_gathered(const kernels::GatheredRows& rows, const Real* W, std::size_t classes, Real* Z) const override {
    const Own own(*this, rows.indices, rows.count + rows.ahead);
    base_->scores_gathered({own.indices, rows.count, rows.ahead}, W, classes, Z);
  }

  void accumulate_gathered(const kernels::GatheredRows& rows, const Real* R, std::size_t classes,
                           Real* G) const override {
    const Own own(*this, rows.indices, rows.count + rows.ahead);
    base_->accumulate_gathered({own.indices, rows.count, rows.ahead}, R, classes, G);
  }

  std::size_t gathered_rows() const override { return base_->gathered_rows(); }

  void expect_gathered(const std::uint32_t* indices, std::size_t count) const override {
    base_->expect_gathered(Own(*this, indices, count).indices, count);
  }

 private:
  /// Where a block's rows and those ahead are in the base.
  struct Own {
    std::uint32_t indices[kernels::kBlockRows + kernels::kGroupRows];

    Own(const SubsetRows& subset, const std::uint32_t* rows, std::size_t count) {
      for (std::size_t r = 0; r < count; ++r) indices[r] = subset.indices_[rows[r]];
    }
  };

  std::shared_ptr<const kernels::FeatureRows<Real>> base_;
  std::vector<std::uint32_t> indices_;
  bool is_consecutive_ = true;
};

}  // namespace bilevel::sources
