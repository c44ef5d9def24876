// The one pass over the data that every oracle of a linear model is made of.
#pragma once

#include <memory>

#include "bilevel/linear_models.hpp"
#include "kernels/aligned_buffer.hpp"
#include "kernels/thread_team.hpp"
#include "sources/parameters.hpp"
#include "sources/row_loss.hpp"

namespace bilevel::sources {

/// What a pass is to do. For each block of rows, in this order: scores of the stacked parameters; the loss's state from
/// the point's scores; residuals and products from the state; their sums over rows. Row arrays have one entry for each
/// position in the batch; null means not wanted, or not given.
template <class Real>
struct PassRequest {
  Batch batch;

  /// The vectors whose scores are needed: [point], [direction], [point, direction], or null for none.
  const Parameters<Real>* parameters = nullptr;
  bool has_point = false;
  bool has_direction = false;

  /// The loss's state: written with a point (may be null), read without one.
  Real* state = nullptr;

  /// Weight of each row in gradient and product; null: ones.
  const Real* weight = nullptr;
  /// With logits x_i of all rows of the data (not of the batch): the weight is sigmoid(x_i) instead, which is written
  /// to `sigmoid`, and sigmoid'(x_i) to `slope`. All three or none.
  const double* logits = nullptr;
  Real* sigmoid = nullptr;
  Real* slope = nullptr;

  Real* row_loss = nullptr;   // needs a point
  Real* row_cross = nullptr;  // needs a direction

  /// `scale` times the sums over the batch of w_i times the loss's gradient in y, and of its Hessian applied to the
  /// direction (R^m).
  double scale = 1;
  Vec* gradient = nullptr;
  Vec* product = nullptr;
};

/// The data of a linear model and the threads that read it.
template <class Real>
class DataPass {
 public:
  DataPass(const LinearModel& model, const FeatureMatrix& features, Targets targets);

  std::size_t rows() const { return data_->rows(); }
  /// As Parameters wants it.
  std::size_t weight_stride() const { return data_->weight_stride(); }

  /// Entries of the state of a batch.
  std::size_t state_size(Batch batch) const;

  /// Tells that run() will come for this batch: whatever is done until then has its first rows on their way.
  void expect(Batch batch) const;

  void run(const PassRequest<Real>& request) const;

 private:
  class Worker;

  /// Rows that are taken at a time.
  std::size_t block_rows(Batch batch) const;

  LinearModel model_;
  std::shared_ptr<const kernels::FeatureRows<Real>> data_;
  std::unique_ptr<const RowLoss<Real>> loss_;
  std::unique_ptr<kernels::ThreadTeam> team_;
  std::size_t flush_blocks_;  // blocks that are summed in Real before the sum moves on to double
};

extern template class DataPass<float>;
extern template class DataPass<double>;

}  // namespace bilevel::sources
