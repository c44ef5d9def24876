// Follower vectors (double, any layout) as the kernels want them: padded rows of Reals, and intercepts beside.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <vector>

#include "bilevel/linear_models.hpp"
#include "kernels/aligned_buffer.hpp"
#include "kernels/conversions.hpp"
#include "kernels/feature_rows.hpp"

namespace bilevel::sources {

/// One or more follower vectors, stacked: their scores come from one read of the data.
template <class Real>
class Parameters {
 public:
  /// Each vector has model.dim_y() entries; `stride` is the data's weight_stride().
  Parameters(const LinearModel& model, std::size_t stride, std::initializer_list<const Vec*> vectors)
      : rows_(vectors.size() * model.scores()),
        weights_(kernels::AlignedBuffer<Real>::unfilled(rows_ * stride)),
        intercepts_(model.options().intercept ? rows_ : 0) {
    const auto features = model.features();
    std::size_t row = 0;
    for (const Vec* vector : vectors) {
      const double* y = vector->data();
      for (std::size_t c = 0; c < model.scores(); ++c, ++row) {
        Real* weight = weights_.data() + row * stride;
        kernels::convert(features, y + c * features, weight);
        std::fill(weight + features, weight + stride, Real{0});
        if (!intercepts_.empty()) intercepts_[row] = static_cast<Real>(y[model.scores() * features + c]);
      }
    }
  }

  /// Scores of all stacked vectors.
  std::size_t rows() const { return rows_; }

  /// Z (rows() x kBlockRows) = scores of `count` rows of the data, from `begin` on.
  void scores(const kernels::FeatureRows<Real>& data, std::size_t begin, std::size_t count, Real* Z) const {
    data.scores(begin, count, weights_.data(), rows_, Z);
    add_intercepts(count, Z);
  }

  /// The same of gathered rows.
  void scores(const kernels::FeatureRows<Real>& data, const kernels::GatheredRows& rows, Real* Z) const {
    data.scores_gathered(rows, weights_.data(), rows_, Z);
    add_intercepts(rows.count, Z);
  }

 private:
  void add_intercepts(std::size_t count, Real* Z) const {
    for (std::size_t c = 0; c < intercepts_.size(); ++c) {
      Real* column = Z + c * kernels::kBlockRows;
      for (std::size_t r = 0; r < count; ++r) column[r] += intercepts_[c];
    }
  }

  std::size_t rows_;
  kernels::AlignedBuffer<Real> weights_;
  std::vector<Real> intercepts_;
};

}  // namespace bilevel::sources
