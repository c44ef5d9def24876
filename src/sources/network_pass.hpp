// One block of rows through a network: losses, gradients in weights, rows and targets, and the derivative of all these
// gradients in one direction.
#pragma once

#include "bilevel/network.hpp"

namespace bilevel {

/// The parts of y as matrices that share its memory: of the last layer `top`, of the hidden one, if any, `bottom`.
template <class Scalar>
struct NetworkWeights {
  using Matrix = Eigen::Map<std::conditional_t<std::is_const_v<Scalar>, const Table, Table>>;
  using Column = Eigen::Map<std::conditional_t<std::is_const_v<Scalar>, const Vec, Vec>>;

  NetworkWeights(Scalar* y, const NetworkOptions& o)
      : bottom(y, o.hidden, o.inputs),
        bottom_shift(y + o.hidden * o.inputs, o.hidden),
        top(y + o.hidden * (o.inputs + 1), o.outputs, o.hidden > 0 ? o.hidden : o.inputs),
        top_shift(y + o.hidden * (o.inputs + 1) + top.size(), o.outputs) {}

  Matrix bottom;        // hidden x inputs
  Column bottom_shift;  // hidden
  Matrix top;           // outputs x (hidden, or inputs without a hidden layer)
  Column top_shift;     // outputs
};
using ConstNetworkWeights = NetworkWeights<const double>;
using MutableNetworkWeights = NetworkWeights<double>;

/// What a forward pass keeps. R rows.
struct NetworkBlock {
  Table activations;    // R x hidden, tanh; empty without a hidden layer
  Table scores;         // R x outputs
  Table probabilities;  // R x outputs, cross entropy only
  Vec log_sums;         // R, log sum exp of the scores, cross entropy only
  Table residuals;      // R x outputs: derivative of a row's loss in its scores
  Table back;           // R x hidden: residuals V, before the activation's derivative
};

/// Runs `rows` (R x inputs) with `targets` (R x outputs) forward.
NetworkBlock network_forward(const NetworkOptions& options, const ConstNetworkWeights& weights,
                             const Eigen::Ref<const Table>& rows, const Eigen::Ref<const Table>& targets);

/// The softmax of each row.
Table softmax_rows(const Eigen::Ref<const Table>& entries);

/// Sum of the rows' losses.
double network_loss_sum(const NetworkOptions& options, const NetworkBlock& block,
                        const Eigen::Ref<const Table>& targets);

/// Adds scale times the gradient of the sum of losses in the weights.
void add_weight_gradient(const NetworkOptions& options, const NetworkBlock& block, const Eigen::Ref<const Table>& rows,
                         double scale, MutableNetworkWeights& gradient);

/// The gradient of the sum of losses in the rows, R x inputs.
Table row_gradient(const NetworkOptions& options, const ConstNetworkWeights& weights, const NetworkBlock& block);

/// The gradient of the sum of losses in the targets, R x outputs.
Table target_gradient(const NetworkOptions& options, const NetworkBlock& block);

/// A direction in everything that a block was computed from. Null parts are zero.
struct NetworkDirection {
  const ConstNetworkWeights* weights = nullptr;
  const Table* rows = nullptr;     // R x inputs
  const Table* targets = nullptr;  // R x outputs
};

/// Derivatives along a direction of what a block holds, from which those of the gradients follow.
struct NetworkTangent {
  Table activations, scores, residuals;
  Table errors;          // R x hidden, or R x outputs: derivative of a row's loss in the lowest layer's output
  Table errors_tangent;  // its derivative along the direction
};

NetworkTangent network_tangent(const NetworkOptions& options, const ConstNetworkWeights& weights,
                               const NetworkBlock& block, const Eigen::Ref<const Table>& rows,
                               const NetworkDirection& direction);

/// Adds scale times the derivative along the direction of the gradient in the weights.
void add_weight_gradient_tangent(const NetworkOptions& options, const NetworkBlock& block,
                                 const NetworkTangent& tangent, const Eigen::Ref<const Table>& rows,
                                 const NetworkDirection& direction, double scale, MutableNetworkWeights& result);

/// The derivative along the direction of the gradient in the rows, R x inputs.
Table row_gradient_tangent(const NetworkOptions& options, const ConstNetworkWeights& weights,
                           const NetworkTangent& tangent, const NetworkDirection& direction);

/// The derivative along the direction of the gradient in the targets, R x outputs.
Table target_gradient_tangent(const NetworkOptions& options, const NetworkBlock& block, const NetworkTangent& tangent);

}  // namespace bilevel
