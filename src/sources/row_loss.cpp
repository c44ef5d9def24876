#include "sources/row_loss.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "bilevel/status.hpp"
#include "kernels/softmax_block.hpp"

namespace bilevel::sources {

namespace {

using kernels::kBlockRows;

/// The targets of a block side by side: in place if the block is contiguous, else copied to `buffer`.
template <class Value>
const Value* targets_of(const BlockOfRows& rows, const std::vector<Value>& targets, Value* buffer) {
  if (rows.indices == nullptr) return targets.data() + rows.begin;
  for (std::size_t r = 0; r < rows.count; ++r) buffer[r] = targets[rows.indices[r]];
  return buffer;
}

template <class Real>
void clear_behind(std::size_t count, Real* column) {
  std::fill(column + count, column + kBlockRows, Real{0});
}

template <class Real>
class SoftmaxLoss final : public RowLoss<Real> {
 public:
  SoftmaxLoss(std::size_t classes, std::vector<std::int32_t> labels) : classes_(classes), labels_(std::move(labels)) {}

  std::size_t scores() const override { return classes_; }

  void state(const BlockOfRows& rows, const Real* Z, Real* state, Real* loss) const override {
    std::int32_t buffer[kBlockRows];
    std::memcpy(state, Z, sizeof(Real) * classes_ * kBlockRows);
    kernels::softmax_block(rows.count, classes_, targets_of(rows, labels_, buffer), state, loss);
  }
  void residual(const BlockOfRows& rows, const Real* state, const Real* weight, Real* R) const override {
    std::int32_t buffer[kBlockRows];
    kernels::residual_block(rows.count, classes_, targets_of(rows, labels_, buffer), state, weight, R);
  }
  void product(const BlockOfRows& rows, const Real* state, const Real* Z, const Real* weight, Real* R,
               Real* cross) const override {
    std::int32_t buffer[kBlockRows];
    kernels::product_block(rows.count, classes_, targets_of(rows, labels_, buffer), state, Z, weight, R, cross);
  }

 private:
  std::size_t classes_;
  std::vector<std::int32_t> labels_;
};

/// The softmax of the two scores (0, s); the state is the probability of class 1.
template <class Real>
class LogisticLoss final : public RowLoss<Real> {
 public:
  explicit LogisticLoss(std::vector<std::int32_t> labels) : labels_(std::move(labels)) {}

  std::size_t scores() const override { return 1; }

  void state(const BlockOfRows& rows, const Real* Z, Real* state, Real* loss) const override {
    std::int32_t buffer[kBlockRows];
    alignas(kernels::kAlignment) Real two[2 * kBlockRows] = {};
    std::copy_n(Z, kBlockRows, two + kBlockRows);
    kernels::softmax_block(rows.count, 2, targets_of(rows, labels_, buffer), two, loss);
    std::copy_n(two + kBlockRows, kBlockRows, state);
  }
  void residual(const BlockOfRows& rows, const Real* state, const Real* weight, Real* R) const override {
    std::int32_t buffer[kBlockRows];
    const auto* labels = targets_of(rows, labels_, buffer);
    for (std::size_t r = 0; r < rows.count; ++r) {
      R[r] = (weight ? weight[r] : Real{1}) * (state[r] - static_cast<Real>(labels[r]));
    }
    clear_behind(rows.count, R);
  }
  void product(const BlockOfRows& rows, const Real* state, const Real* Z, const Real* weight, Real* R,
               Real* cross) const override {
    std::int32_t buffer[kBlockRows];
    const auto* labels = targets_of(rows, labels_, buffer);
    if (cross) {
      for (std::size_t r = 0; r < rows.count; ++r) cross[r] = (state[r] - static_cast<Real>(labels[r])) * Z[r];
    }
    for (std::size_t r = 0; r < rows.count; ++r) {
      R[r] = (weight ? weight[r] : Real{1}) * (state[r] * (Real{1} - state[r])) * Z[r];
    }
    clear_behind(rows.count, R);
  }

 private:
  std::vector<std::int32_t> labels_;
};

/// The state is score - target.
template <class Real>
class SquaredLoss final : public RowLoss<Real> {
 public:
  explicit SquaredLoss(std::vector<double> targets) : targets_(std::move(targets)) {}

  std::size_t scores() const override { return 1; }

  void state(const BlockOfRows& rows, const Real* Z, Real* state, Real* loss) const override {
    double buffer[kBlockRows];
    const auto* targets = targets_of(rows, targets_, buffer);
    for (std::size_t r = 0; r < rows.count; ++r) {
      const auto error = static_cast<Real>(static_cast<double>(Z[r]) - targets[r]);
      state[r] = error;
      if (loss) loss[r] = error * error / 2;
    }
    clear_behind(rows.count, state);
  }
  void residual(const BlockOfRows& rows, const Real* state, const Real* weight, Real* R) const override {
    for (std::size_t r = 0; r < rows.count; ++r) R[r] = (weight ? weight[r] : Real{1}) * state[r];
    clear_behind(rows.count, R);
  }
  void product(const BlockOfRows& rows, const Real* state, const Real* Z, const Real* weight, Real* R,
               Real* cross) const override {
    if (cross) {
      for (std::size_t r = 0; r < rows.count; ++r) cross[r] = state[r] * Z[r];
    }
    for (std::size_t r = 0; r < rows.count; ++r) R[r] = (weight ? weight[r] : Real{1}) * Z[r];
    clear_behind(rows.count, R);
  }

 private:
  std::vector<double> targets_;
};

std::vector<std::int32_t> take_labels(const LinearModelOptions& options, Targets targets) {
  auto* labels = std::get_if<std::vector<std::int32_t>>(&targets);
  if (labels == nullptr) {
    throw InvalidInput(
        fmt::format("the {} loss needs integer labels, but real targets are given", to_string(options.loss)));
  }
  for (std::size_t i = 0; i < labels->size(); ++i) {
    const auto label = (*labels)[i];
    if (label < 0 || static_cast<std::size_t>(label) >= options.classes) {
      throw InvalidInput(fmt::format("label {} of row {} (from 0) is not one of the {} classes 0..{}", label, i,
                                     options.classes, options.classes - 1));
    }
  }
  return std::move(*labels);
}

std::vector<double> take_targets(Targets targets) {
  auto* values = std::get_if<std::vector<double>>(&targets);
  if (values == nullptr) {
    throw InvalidInput("the squared loss needs real targets, but integer labels are given");
  }
  for (std::size_t i = 0; i < values->size(); ++i) {
    if (!std::isfinite((*values)[i])) {
      throw InvalidInput(fmt::format("target {} of row {} (from 0) is not a finite number", (*values)[i], i));
    }
  }
  return std::move(*values);
}

}  // namespace

template <class Real>
std::unique_ptr<const RowLoss<Real>> make_row_loss(const LinearModelOptions& options, Targets targets) {
  switch (options.loss) {
    case LinearLoss::softmax:
      return std::make_unique<SoftmaxLoss<Real>>(options.classes, take_labels(options, std::move(targets)));
    case LinearLoss::logistic: return std::make_unique<LogisticLoss<Real>>(take_labels(options, std::move(targets)));
    case LinearLoss::squared: return std::make_unique<SquaredLoss<Real>>(take_targets(std::move(targets)));
  }
  throw InvalidOption("unknown loss of a linear model; allowed are softmax, logistic and squared");
}

template std::unique_ptr<const RowLoss<float>> make_row_loss(const LinearModelOptions&, Targets);
template std::unique_ptr<const RowLoss<double>> make_row_loss(const LinearModelOptions&, Targets);

}  // namespace bilevel::sources
