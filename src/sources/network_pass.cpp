#include "sources/network_pass.hpp"

namespace bilevel {

namespace {

/// Derivative of tanh where its value is `a`.
Table slopes(const Table& a) { return 1 - a.array().square(); }

/// <a_r, b_r> of each row r.
Vec row_products(const Table& a, const Table& b) { return (a.array() * b.array()).rowwise().sum(); }

}  // namespace

NetworkBlock network_forward(const NetworkOptions& options, const ConstNetworkWeights& weights,
                             const Eigen::Ref<const Table>& rows, const Eigen::Ref<const Table>& targets) {
  NetworkBlock block;
  if (options.hidden > 0) {
    block.activations.noalias() = rows * weights.bottom.transpose();
    block.activations.rowwise() += weights.bottom_shift.transpose();
    block.activations = block.activations.array().tanh();
    block.scores.noalias() = block.activations * weights.top.transpose();
  } else {
    block.scores.noalias() = rows * weights.top.transpose();
  }
  block.scores.rowwise() += weights.top_shift.transpose();
  if (options.loss == NetworkLoss::cross_entropy) {
    const Vec largest = block.scores.rowwise().maxCoeff();
    block.probabilities = (block.scores.colwise() - largest).array().exp();
    const Vec sums = block.probabilities.rowwise().sum();
    block.probabilities.array().colwise() /= sums.array();
    block.log_sums = largest.array() + sums.array().log();
    block.residuals = block.probabilities - targets;
  } else {
    block.residuals = block.scores - targets;
  }
  if (options.hidden > 0) block.back.noalias() = block.residuals * weights.top;
  return block;
}

Table softmax_rows(const Eigen::Ref<const Table>& entries) {
  const Vec largest = entries.rowwise().maxCoeff();
  Table result = (entries.colwise() - largest).array().exp();
  const Vec sums = result.rowwise().sum();
  result.array().colwise() /= sums.array();
  return result;
}

double network_loss_sum(const NetworkOptions& options, const NetworkBlock& block,
                        const Eigen::Ref<const Table>& targets) {
  if (options.loss == NetworkLoss::squared) return 0.5 * block.residuals.squaredNorm();
  return (targets.array() * (block.log_sums.replicate(1, targets.cols()) - block.scores).array()).sum();
}

void add_weight_gradient(const NetworkOptions& options, const NetworkBlock& block, const Eigen::Ref<const Table>& rows,
                         double scale, MutableNetworkWeights& gradient) {
  gradient.top_shift += scale * block.residuals.colwise().sum().transpose();
  if (options.hidden == 0) {
    gradient.top.noalias() += scale * block.residuals.transpose() * rows;
    return;
  }
  gradient.top.noalias() += scale * block.residuals.transpose() * block.activations;
  const Table errors = block.back.array() * slopes(block.activations).array();
  gradient.bottom.noalias() += scale * errors.transpose() * rows;
  gradient.bottom_shift += scale * errors.colwise().sum().transpose();
}

Table row_gradient(const NetworkOptions& options, const ConstNetworkWeights& weights, const NetworkBlock& block) {
  if (options.hidden == 0) return block.residuals * weights.top;
  const Table errors = block.back.array() * slopes(block.activations).array();
  return errors * weights.bottom;
}

Table target_gradient(const NetworkOptions& options, const NetworkBlock& block) {
  if (options.loss == NetworkLoss::squared) return -block.residuals;
  return block.log_sums.replicate(1, block.scores.cols()) - block.scores;
}

NetworkTangent network_tangent(const NetworkOptions& options, const ConstNetworkWeights& weights,
                               const NetworkBlock& block, const Eigen::Ref<const Table>& rows,
                               const NetworkDirection& direction) {
  const Index count = rows.rows(), lowest = options.hidden > 0 ? options.hidden : options.outputs;
  // Output of the lowest layer first, whichever that is.
  Table below = Table::Zero(count, lowest);
  const auto& matrix = options.hidden > 0 ? weights.bottom : weights.top;
  if (direction.rows) below.noalias() += *direction.rows * matrix.transpose();
  if (direction.weights) {
    const auto& moved = options.hidden > 0 ? direction.weights->bottom : direction.weights->top;
    const auto& shift = options.hidden > 0 ? direction.weights->bottom_shift : direction.weights->top_shift;
    below.noalias() += rows * moved.transpose();
    below.rowwise() += shift.transpose();
  }
  NetworkTangent tangent;
  if (options.hidden > 0) {
    tangent.activations = slopes(block.activations).array() * below.array();
    tangent.scores.noalias() = tangent.activations * weights.top.transpose();
    if (direction.weights) {
      tangent.scores.noalias() += block.activations * direction.weights->top.transpose();
      tangent.scores.rowwise() += direction.weights->top_shift.transpose();
    }
  } else {
    tangent.scores = std::move(below);
  }
  if (options.loss == NetworkLoss::cross_entropy) {
    const Vec means = row_products(block.probabilities, tangent.scores);
    tangent.residuals = block.probabilities.array() * (tangent.scores.colwise() - means).array();
  } else {
    tangent.residuals = tangent.scores;
  }
  if (direction.targets) tangent.residuals -= *direction.targets;
  if (options.hidden == 0) {
    tangent.errors = block.residuals;
    tangent.errors_tangent = tangent.residuals;
    return tangent;
  }
  const Table slope = slopes(block.activations);
  tangent.errors = block.back.array() * slope.array();
  Table back = tangent.residuals * weights.top;
  if (direction.weights) back.noalias() += block.residuals * direction.weights->top;
  tangent.errors_tangent =
      back.array() * slope.array() - 2 * block.back.array() * block.activations.array() * tangent.activations.array();
  return tangent;
}

void add_weight_gradient_tangent(const NetworkOptions& options, const NetworkBlock& block,
                                 const NetworkTangent& tangent, const Eigen::Ref<const Table>& rows,
                                 const NetworkDirection& direction, double scale, MutableNetworkWeights& result) {
  auto& lowest = options.hidden > 0 ? result.bottom : result.top;
  auto& lowest_shift = options.hidden > 0 ? result.bottom_shift : result.top_shift;
  lowest.noalias() += scale * tangent.errors_tangent.transpose() * rows;
  if (direction.rows) lowest.noalias() += scale * tangent.errors.transpose() * *direction.rows;
  lowest_shift += scale * tangent.errors_tangent.colwise().sum().transpose();
  if (options.hidden == 0) return;
  result.top.noalias() += scale * tangent.residuals.transpose() * block.activations;
  result.top.noalias() += scale * block.residuals.transpose() * tangent.activations;
  result.top_shift += scale * tangent.residuals.colwise().sum().transpose();
}

Table row_gradient_tangent(const NetworkOptions& options, const ConstNetworkWeights& weights,
                           const NetworkTangent& tangent, const NetworkDirection& direction) {
  const auto& matrix = options.hidden > 0 ? weights.bottom : weights.top;
  Table result = tangent.errors_tangent * matrix;
  if (direction.weights) {
    result.noalias() += tangent.errors * (options.hidden > 0 ? direction.weights->bottom : direction.weights->top);
  }
  return result;
}

Table target_gradient_tangent(const NetworkOptions& options, const NetworkBlock& block, const NetworkTangent& tangent) {
  if (options.loss == NetworkLoss::squared) return -tangent.residuals;
  const Vec means = row_products(block.probabilities, tangent.scores);
  return means.replicate(1, tangent.scores.cols()) - tangent.scores;
}

}  // namespace bilevel
