// One block of rows through a network, from the output of its lowest layer to the errors there: losses, gradients in
// the other weights and in targets, and the derivative of all these in one direction. Only the lowest layer touches the
// rows: its two products, below = U W' and the gradient E' U, are left to whoever stores the rows U.
#pragma once

#include <type_traits>

#include "bilevel/network.hpp"

namespace bilevel {

/// Units of the lowest layer.
inline Index lowest_size(const NetworkOptions& o) { return o.hidden > 0 ? o.hidden : o.outputs; }

/// The parts of y behind the matrix of the lowest layer, which is the hidden one if there is one, as matrices that
/// share its memory. Without a hidden layer `top` and `top_shift` are empty.
template <class Scalar>
struct UpperWeights {
  using Matrix = Eigen::Map<std::conditional_t<std::is_const_v<Scalar>, const Table, Table>>;
  using Column = Eigen::Map<std::conditional_t<std::is_const_v<Scalar>, const Vec, Vec>>;

  UpperWeights(Scalar* part, const NetworkOptions& o)
      : lowest_shift(part, lowest_size(o)),
        top(part + lowest_shift.size(), o.hidden > 0 ? o.outputs : 0, o.hidden),
        top_shift(part + lowest_shift.size() + top.size(), top.rows()) {}

  Index size() const { return lowest_shift.size() + top.size() + top_shift.size(); }

  Column lowest_shift;  // lowest: hidden, or outputs without a hidden layer
  Matrix top;           // outputs x hidden
  Column top_shift;     // outputs
};

/// All parts of y.
template <class Scalar>
struct NetworkWeights {
  NetworkWeights(Scalar* y, const NetworkOptions& o)
      : lowest(y, lowest_size(o), o.inputs), upper(y + lowest.size(), o) {}

  typename UpperWeights<Scalar>::Matrix lowest;  // lowest x inputs
  UpperWeights<Scalar> upper;
};
using ConstNetworkWeights = NetworkWeights<const double>;
using MutableNetworkWeights = NetworkWeights<double>;

/// R rows by units, column by column as the kernels give them. Real, float or double, is what a pass computes in.
template <class Real>
using Units = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>;
/// Any such columns; Real is deduced from the other arguments, so that expressions and maps convert.
template <class Real>
using UnitsView = std::type_identity_t<Eigen::Ref<const Units<Real>, 0, Eigen::OuterStride<>>>;

/// UpperWeights in Real.
template <class Real>
struct UpperLayers {
  explicit UpperLayers(const UpperWeights<const double>& weights);

  Eigen::Matrix<Real, Eigen::Dynamic, 1> lowest_shift, top_shift;
  Units<Real> top;
};

/// What a forward pass finds. Products along a direction need all but log_probabilities.
template <class Real>
struct NetworkBlock {
  Units<Real> activations;        // R x hidden, tanh; empty without a hidden layer
  Units<Real> probabilities;      // R x outputs, cross entropy only
  Units<Real> log_probabilities;  // R x outputs, cross entropy only
  Units<Real> residuals;          // R x outputs: derivative of a row's loss in its scores
};

/// The scores (R x outputs) of rows whose lowest layer gives `below` (R x lowest) before its shift. `activations`
/// receives those of the hidden layer.
template <class Real>
Units<Real> network_scores(const UpperLayers<Real>& upper, const UnitsView<Real>& below, Units<Real>& activations);

template <class Real>
NetworkBlock<Real> network_forward(const NetworkOptions& options, const UpperLayers<Real>& upper,
                                   const UnitsView<Real>& below, const Units<Real>& targets);

/// The softmax of each row.
Table softmax_rows(const Eigen::Ref<const Table>& entries);

/// Sum of the rows' losses.
template <class Real>
double network_loss_sum(const NetworkOptions& options, const NetworkBlock<Real>& block, const Units<Real>& targets);

/// R x lowest: derivative of a row's loss in the output of the lowest layer.
template <class Real>
Units<Real> network_errors(const UpperLayers<Real>& upper, const NetworkBlock<Real>& block);

/// Adds scale times the gradient of the sum of losses in the upper weights.
template <class Real>
void add_upper_gradient(const NetworkBlock<Real>& block, const Units<Real>& errors, double scale,
                        UpperWeights<double>& gradient);

/// The gradient of the sum of losses in the targets, R x outputs.
template <class Real>
Units<Real> target_gradient(const NetworkOptions& options, const NetworkBlock<Real>& block);

/// Derivatives along a direction of what a block holds, from which those of the gradients follow.
template <class Real>
struct NetworkTangent {
  Units<Real> activations, scores, residuals;
  Units<Real> errors;  // derivative of network_errors()
};

/// Along the direction that moves the lowest layer's output by `below` (its shift apart), the upper weights by `moved`
/// and the targets by `targets` (R x outputs); null parts do not move.
template <class Real>
NetworkTangent<Real> network_tangent(const NetworkOptions& options, const UpperLayers<Real>& upper,
                                     const NetworkBlock<Real>& block, const UnitsView<Real>& below,
                                     const UpperLayers<Real>* moved, const Units<Real>* targets);

/// Adds scale times the derivative along the direction of the gradient in the upper weights.
template <class Real>
void add_upper_gradient_tangent(const NetworkBlock<Real>& block, const NetworkTangent<Real>& tangent, double scale,
                                UpperWeights<double>& result);

/// The derivative along the direction of the gradient in the targets, R x outputs.
template <class Real>
Units<Real> target_gradient_tangent(const NetworkOptions& options, const NetworkBlock<Real>& block,
                                    const NetworkTangent<Real>& tangent);

}  // namespace bilevel
