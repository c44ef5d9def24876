#include "sources/network_pass.hpp"

#include "kernels/tanh.hpp"

namespace bilevel {

namespace {

template <class Real>
using Column = Eigen::Matrix<Real, Eigen::Dynamic, 1>;

/// Derivative of tanh where its value is `a`.
template <class Real>
auto slopes(const Units<Real>& a) {
  return 1 - a.array().square();
}

/// <a_r, b_r> of each row r. Column by column, as the entries lie: Eigen's own reduction of rows is not vectorised.
template <class Real>
Column<Real> row_products(const Units<Real>& a, const Units<Real>& b) {
  Column<Real> sum = Column<Real>::Zero(a.rows());
  for (Index c = 0; c < a.cols(); ++c) sum.array() += a.col(c).array() * b.col(c).array();
  return sum;
}

/// Fills the block's probabilities and their logarithms, with the greatest score subtracted first.
template <class Real>
void softmax_of(const Units<Real>& scores, NetworkBlock<Real>& block) {
  Column<Real> greatest = scores.col(0), check = scores.col(0);
  for (Index c = 1; c < scores.cols(); ++c) {
    greatest = greatest.cwiseMax(scores.col(c));
    check += scores.col(c);
  }
  block.log_probabilities = scores.colwise() - greatest;
  block.probabilities = block.log_probabilities.array().exp();
  // Vector instructions turn exp(NaN) into a number, which would hide it: here the row's sum becomes NaN again.
  Column<Real> sums = check * Real{0};
  for (Index c = 0; c < scores.cols(); ++c) sums += block.probabilities.col(c);
  block.probabilities.array().colwise() *= sums.array().inverse();
  block.log_probabilities.array().colwise() -= sums.array().log();
}

}  // namespace

template <class Real>
UpperLayers<Real>::UpperLayers(const UpperWeights<const double>& weights)
    : lowest_shift(weights.lowest_shift.cast<Real>()),
      top_shift(weights.top_shift.cast<Real>()),
      top(weights.top.cast<Real>()) {}

template <class Real>
Units<Real> network_scores(const UpperLayers<Real>& upper, const UnitsView<Real>& below, Units<Real>& activations) {
  Units<Real> scores = below.rowwise() + upper.lowest_shift.transpose();
  if (upper.top.size() == 0) return scores;
  activations = std::move(scores);
  kernels::tanh_in_place(static_cast<std::size_t>(activations.size()), activations.data());
  scores.noalias() = activations * upper.top.transpose();
  scores.rowwise() += upper.top_shift.transpose();
  return scores;
}

template <class Real>
NetworkBlock<Real> network_forward(const NetworkOptions& options, const UpperLayers<Real>& upper,
                                   const UnitsView<Real>& below, const Units<Real>& targets) {
  NetworkBlock<Real> block;
  Units<Real> scores = network_scores(upper, below, block.activations);
  if (options.loss == NetworkLoss::cross_entropy) {
    softmax_of(scores, block);
    block.residuals = block.probabilities - targets;
  } else {
    block.residuals = scores - targets;
  }
  return block;
}

Table softmax_rows(const Eigen::Ref<const Table>& entries) {
  const Vec largest = entries.rowwise().maxCoeff();
  Table result = (entries.colwise() - largest).array().exp();
  const Vec sums = result.rowwise().sum();
  result.array().colwise() /= sums.array();
  return result;
}

template <class Real>
double network_loss_sum(const NetworkOptions& options, const NetworkBlock<Real>& block, const Units<Real>& targets) {
  // In double: a sum over rows in float would lose digits that each row's loss has.
  if (options.loss == NetworkLoss::squared) return 0.5 * block.residuals.template cast<double>().squaredNorm();
  return -(targets.template cast<double>().array() * block.log_probabilities.template cast<double>().array()).sum();
}

template <class Real>
Units<Real> network_errors(const UpperLayers<Real>& upper, const NetworkBlock<Real>& block) {
  if (upper.top.size() == 0) return block.residuals;
  Units<Real> errors = block.residuals * upper.top;
  errors.array() *= slopes(block.activations);
  return errors;
}

template <class Real>
void add_upper_gradient(const NetworkBlock<Real>& block, const Units<Real>& errors, double scale,
                        UpperWeights<double>& gradient) {
  gradient.lowest_shift += scale * errors.colwise().sum().transpose().template cast<double>();
  if (gradient.top.size() == 0) return;
  const Units<Real> top = block.residuals.transpose() * block.activations;
  gradient.top += scale * top.template cast<double>();
  gradient.top_shift += scale * block.residuals.colwise().sum().transpose().template cast<double>();
}

template <class Real>
Units<Real> target_gradient(const NetworkOptions& options, const NetworkBlock<Real>& block) {
  if (options.loss == NetworkLoss::squared) return -block.residuals;
  return -block.log_probabilities;
}

template <class Real>
NetworkTangent<Real> network_tangent(const NetworkOptions& options, const UpperLayers<Real>& upper,
                                     const NetworkBlock<Real>& block, const UnitsView<Real>& below,
                                     const UpperLayers<Real>* moved, const Units<Real>* targets) {
  const bool has_hidden = upper.top.size() > 0;
  NetworkTangent<Real> tangent;
  tangent.scores = below;
  if (moved) tangent.scores.rowwise() += moved->lowest_shift.transpose();
  if (has_hidden) {
    tangent.activations = slopes(block.activations) * tangent.scores.array();
    tangent.scores.noalias() = tangent.activations * upper.top.transpose();
    if (moved) {
      tangent.scores.noalias() += block.activations * moved->top.transpose();
      tangent.scores.rowwise() += moved->top_shift.transpose();
    }
  }
  if (options.loss == NetworkLoss::cross_entropy) {
    const Column<Real> means = row_products(block.probabilities, tangent.scores);
    tangent.residuals = block.probabilities.array() * (tangent.scores.colwise() - means).array();
  } else {
    tangent.residuals = tangent.scores;
  }
  if (targets) tangent.residuals -= *targets;
  tangent.errors = tangent.residuals;
  if (!has_hidden) return tangent;
  const Units<Real> back = block.residuals * upper.top;
  tangent.errors.noalias() = tangent.residuals * upper.top;
  if (moved) tangent.errors.noalias() += block.residuals * moved->top;
  tangent.errors = tangent.errors.array() * slopes(block.activations) -
                   2 * back.array() * block.activations.array() * tangent.activations.array();
  return tangent;
}

template <class Real>
void add_upper_gradient_tangent(const NetworkBlock<Real>& block, const NetworkTangent<Real>& tangent, double scale,
                                UpperWeights<double>& result) {
  result.lowest_shift += scale * tangent.errors.colwise().sum().transpose().template cast<double>();
  if (result.top.size() == 0) return;
  Units<Real> top = tangent.residuals.transpose() * block.activations;
  top.noalias() += block.residuals.transpose() * tangent.activations;
  result.top += scale * top.template cast<double>();
  result.top_shift += scale * tangent.residuals.colwise().sum().transpose().template cast<double>();
}

template <class Real>
Units<Real> target_gradient_tangent(const NetworkOptions& options, const NetworkBlock<Real>& block,
                                    const NetworkTangent<Real>& tangent) {
  if (options.loss == NetworkLoss::squared) return -tangent.residuals;
  const Column<Real> means = row_products(block.probabilities, tangent.scores);
  return (-tangent.scores).colwise() + means;
}

#define BILEVEL_NETWORK_PASS(Real)                                                                                     \
  template struct UpperLayers<Real>;                                                                                   \
  template Units<Real> network_scores(const UpperLayers<Real>&, const UnitsView<Real>&, Units<Real>&);                 \
  template NetworkBlock<Real> network_forward(const NetworkOptions&, const UpperLayers<Real>&, const UnitsView<Real>&, \
                                              const Units<Real>&);                                                     \
  template double network_loss_sum(const NetworkOptions&, const NetworkBlock<Real>&, const Units<Real>&);              \
  template Units<Real> network_errors(const UpperLayers<Real>&, const NetworkBlock<Real>&);                            \
  template void add_upper_gradient(const NetworkBlock<Real>&, const Units<Real>&, double, UpperWeights<double>&);      \
  template Units<Real> target_gradient(const NetworkOptions&, const NetworkBlock<Real>&);                              \
  template NetworkTangent<Real> network_tangent(const NetworkOptions&, const UpperLayers<Real>&,                       \
                                                const NetworkBlock<Real>&, const UnitsView<Real>&,                     \
                                                const UpperLayers<Real>*, const Units<Real>*);                         \
  template void add_upper_gradient_tangent(const NetworkBlock<Real>&, const NetworkTangent<Real>&, double,             \
                                           UpperWeights<double>&);                                                     \
  template Units<Real> target_gradient_tangent(const NetworkOptions&, const NetworkBlock<Real>&,                       \
                                               const NetworkTangent<Real>&);
BILEVEL_NETWORK_PASS(float)
BILEVEL_NETWORK_PASS(double)
#undef BILEVEL_NETWORK_PASS

}  // namespace bilevel
