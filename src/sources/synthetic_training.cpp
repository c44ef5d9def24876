#include <cmath>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "bilevel/network.hpp"
#include "bilevel/status.hpp"
#include "sources/network_checks.hpp"
#include "sources/network_pass.hpp"

namespace bilevel {

namespace {

constexpr const char* kName = "synthetic training";

Eigen::Map<const Table> as_table(const Vec& x, Index begin, Index rows, Index columns) {
  return {x.data() + begin, rows, columns};
}

/// J' g of each row's softmax t: t (g - <t, g>).
Table softmax_pull_back(const Table& t, const Table& g) {
  const Vec means = (t.array() * g.array()).rowwise().sum();
  return t.array() * (g.colwise() - means).array();
}

class SyntheticTraining final : public Objective {
 public:
  SyntheticTraining(const Network& network, Table rows, Table targets, const SyntheticOptions& options, Index dim_x)
      : Objective(kName, dim_x, network.dim_y()),
        network_(network.options()),
        rows_(std::move(rows)),
        targets_(std::move(targets)),
        options_(options) {}

  std::size_t linearization_bytes() const override {
    const Index entries = rows_.rows() * (network_.inputs + network_.hidden + 5 * network_.outputs) + dim_y();
    return static_cast<std::size_t>(entries) * sizeof(double);
  }

 private:
  /// Everything at one (x, y).
  struct Place {
    Table rows, targets;
    Vec y;
    NetworkBlock<double> block;
    Table target_slope;  // gradient in the targets times the count of rows, where they are learned
  };

  class Products;

  bool soft_targets() const { return options_.learn_targets && network_.loss == NetworkLoss::cross_entropy; }
  double scale() const { return 1.0 / static_cast<double>(rows_.rows()); }

  std::unique_ptr<Place> place(const Vec& x, const Vec& y) const {
    auto result = std::make_unique<Place>();
    const Index row_entries = options_.learn_rows ? rows_.size() : 0;
    result->rows = options_.learn_rows ? Table(as_table(x, 0, rows_.rows(), rows_.cols())) : rows_;
    result->targets = targets_;
    if (options_.learn_targets) {
      const auto entries = as_table(x, row_entries, targets_.rows(), targets_.cols());
      result->targets = soft_targets() ? softmax_rows(entries) : Table(entries);
    }
    result->y = y;
    const ConstNetworkWeights weights(result->y.data(), network_);
    const Units<double> below = result->rows * weights.lowest.transpose();
    result->block = network_forward<double>(network_, UpperLayers<double>(weights.upper), below, result->targets);
    if (options_.learn_targets) result->target_slope = target_gradient(network_, result->block);
    return result;
  }

  /// Rows and targets put one after the other, each scaled and only if it is learned.
  Vec leader_vector(const Table& rows, const Table& targets) const {
    Vec x(dim_x());
    Index at = 0;
    if (options_.learn_rows) {
      x.head(rows.size()) = scale() * Eigen::Map<const Vec>(rows.data(), rows.size());
      at = rows.size();
    }
    if (options_.learn_targets) x.tail(dim_x() - at) = scale() * Eigen::Map<const Vec>(targets.data(), targets.size());
    return x;
  }

  Evaluation evaluate_at(OracleSet want, const Place& at) const {
    Evaluation result;
    const ConstNetworkWeights weights(at.y.data(), network_);
    const double c = options_.regularization;
    const auto errors = want.has(Oracle::grad_y) || want.has(Oracle::grad_x)
                            ? network_errors(UpperLayers<double>(weights.upper), at.block)
                            : Units<double>();
    if (want.has(Oracle::value)) {
      result.value = scale() * network_loss_sum<double>(network_, at.block, at.targets) + c * at.y.squaredNorm();
    }
    if (want.has(Oracle::grad_y)) {
      result.grad_y = 2 * c * at.y;
      MutableNetworkWeights gradient(result.grad_y->data(), network_);
      gradient.lowest.noalias() += scale() * errors.transpose() * at.rows;
      add_upper_gradient(at.block, errors, scale(), gradient.upper);
    }
    if (want.has(Oracle::grad_x)) {
      const Table rows = options_.learn_rows ? Table(errors * weights.lowest) : Table();
      const Table targets = soft_targets() ? softmax_pull_back(at.targets, at.target_slope) : at.target_slope;
      result.grad_x = leader_vector(rows, targets);
    }
    return result;
  }

  OracleSet do_provides() const override { return OracleSet::all(); }
  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch) const override {
    return evaluate_at(want, *place(x, y));
  }
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override;

  NetworkOptions network_;
  Table rows_, targets_;
  SyntheticOptions options_;
};

class SyntheticTraining::Products final : public Linearization::Implementation {
 public:
  Products(const SyntheticTraining& objective, std::unique_ptr<const Place> at)
      : objective_(objective),
        at_(std::move(at)),
        weights_(at_->y.data(), objective.network_),
        upper_(weights_.upper) {}

  Vec hess_yy(const Vec& v) const override { return along_weights(v, true, false).hess_yy; }
  Vec hess_xy(const Vec& v) const override { return along_weights(v, false, true).hess_xy; }
  bilevel::Products both(const Vec& v) const override { return along_weights(v, true, true); }

  Vec hess_yx(const Vec& u) const override {
    const auto& o = objective_.network_;
    const auto& options = objective_.options_;
    const Index row_entries = options.learn_rows ? at_->rows.size() : 0;
    Units<double> rows, targets;
    Units<double> below = Units<double>::Zero(at_->rows.rows(), lowest_size(o));
    if (options.learn_rows) {
      rows = as_table(u, 0, at_->rows.rows(), at_->rows.cols());
      below.noalias() = rows * weights_.lowest.transpose();
    }
    if (options.learn_targets) {
      targets = as_table(u, row_entries, at_->targets.rows(), at_->targets.cols());
      if (objective_.soft_targets()) targets = softmax_pull_back(at_->targets, targets);
    }
    const auto tangent =
        network_tangent<double>(o, upper_, at_->block, below, nullptr, options.learn_targets ? &targets : nullptr);
    Vec result = Vec::Zero(objective_.dim_y());
    MutableNetworkWeights parts(result.data(), o);
    add_weights_tangent(tangent, parts);
    if (options.learn_rows) {
      parts.lowest.noalias() += objective_.scale() * network_errors(upper_, at_->block).transpose() * rows;
    }
    return result;
  }

 private:
  /// Adds the derivative of the gradient in y along `tangent`, the rows themselves at rest.
  void add_weights_tangent(const NetworkTangent<double>& tangent, MutableNetworkWeights& parts) const {
    parts.lowest.noalias() += objective_.scale() * tangent.errors.transpose() * at_->rows;
    add_upper_gradient_tangent(at_->block, tangent, objective_.scale(), parts.upper);
  }

  bilevel::Products along_weights(const Vec& v, bool in_weights, bool in_leader) const {
    const auto& o = objective_.network_;
    const ConstNetworkWeights direction(v.data(), o);
    const UpperLayers<double> moved(direction.upper);
    const Units<double> below = at_->rows * direction.lowest.transpose();
    const auto tangent = network_tangent<double>(o, upper_, at_->block, below, &moved, nullptr);
    bilevel::Products result;
    if (in_weights) {
      result.hess_yy = 2 * objective_.options_.regularization * v;
      MutableNetworkWeights parts(result.hess_yy.data(), o);
      add_weights_tangent(tangent, parts);
    }
    if (in_leader) {
      Table rows;
      if (objective_.options_.learn_rows) {
        rows = tangent.errors * weights_.lowest;
        rows.noalias() += network_errors(upper_, at_->block) * direction.lowest;
      }
      Table targets;
      if (objective_.options_.learn_targets) {
        targets = target_gradient_tangent(o, at_->block, tangent);
        if (objective_.soft_targets()) targets = softmax_pull_back(at_->targets, targets);
      }
      result.hess_xy = objective_.leader_vector(rows, targets);
    }
    return result;
  }

  const SyntheticTraining& objective_;
  std::unique_ptr<const Place> at_;
  ConstNetworkWeights weights_;
  UpperLayers<double> upper_;
};

std::unique_ptr<const Linearization::Implementation> SyntheticTraining::do_linearize(const Vec& x, const Vec& y, Batch,
                                                                                     OracleSet also,
                                                                                     Evaluation& evaluation) const {
  auto at = place(x, y);
  evaluation = evaluate_at(also, *at);
  return std::make_unique<Products>(*this, std::move(at));
}

}  // namespace

std::shared_ptr<const Objective> synthetic_training(const Network& network, Table rows, Table targets,
                                                    const SyntheticOptions& options) {
  if (!(options.regularization >= 0) || !std::isfinite(options.regularization)) {
    throw InvalidOption(
        fmt::format("the regularization of {} must be a number >= 0, but is {}", kName, options.regularization));
  }
  check_rows(network.options(), rows, targets, kName);
  const Index dim_x = (options.learn_rows ? rows.size() : 0) + (options.learn_targets ? targets.size() : 0);
  return std::make_shared<SyntheticTraining>(network, std::move(rows), std::move(targets), options, dim_x);
}

}  // namespace bilevel
