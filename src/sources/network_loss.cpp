#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "bilevel/network.hpp"
#include "bilevel/status.hpp"
#include "kernels/thread_team.hpp"
#include "sources/lowest_layer.hpp"
#include "sources/network_checks.hpp"
#include "sources/network_pass.hpp"

namespace bilevel {

namespace {

using kernels::kBlockRows;
using sources::BlockOfRows;
using sources::LowestLayer;

/// Targets of all rows as a table, or as the labels of one-hot targets.
using RowTargets = std::variant<Table, std::vector<std::int32_t>>;

/// Those of a block, R x outputs.
template <class Real>
Units<Real> targets_of(const RowTargets& all, Index outputs, const BlockOfRows& block) {
  Units<Real> targets = Units<Real>::Zero(static_cast<Index>(block.count), outputs);
  for (std::size_t r = 0; r < block.count; ++r) {
    const std::size_t i = block.indices ? block.indices[r] : block.begin + r;
    if (const auto* labels = std::get_if<std::vector<std::int32_t>>(&all)) {
      targets(static_cast<Index>(r), (*labels)[i]) = 1;
    } else {
      targets.row(static_cast<Index>(r)) = std::get<Table>(all).row(static_cast<Index>(i)).cast<Real>();
    }
  }
  return targets;
}

template <class Real>
class NetworkObjective final : public Objective {
 public:
  NetworkObjective(const Network& network, const FeatureMatrix& rows, RowTargets targets, Index dim_x,
                   std::size_t threads)
      : Objective("network loss", dim_x, network.dim_y(), rows.rows()),
        network_(network.options()),
        layer_(rows, lowest_size(network_)),
        targets_(std::move(targets)),
        team_(std::make_unique<kernels::ThreadTeam>(threads)) {}

  double rounding() const override { return std::numeric_limits<Real>::epsilon(); }
  std::size_t linearization_bytes() const override {
    const Index tables = network_.loss == NetworkLoss::cross_entropy ? 2 : 1;
    return samples() * static_cast<std::size_t>(network_.hidden + tables * network_.outputs) * sizeof(Real);
  }

 private:
  class Products;

  /// One thread's sums over its blocks, and its scratch.
  struct Sums {
    Sums(const NetworkObjective& objective, bool with_gradient)
        : layer(objective.layer_), block(layer.block_size()), upper(Vec::Zero(objective.upper_size())) {
      if (with_gradient) lowest.emplace(layer);
    }

    const LowestLayer<Real>& layer;
    /// Scores, then errors, of the block at hand in the lowest layer.
    typename LowestLayer<Real>::Buffer block;
    double loss = 0;
    Vec upper;  // gradient or product in the weights behind those of the lowest layer
    std::optional<typename LowestLayer<Real>::Sum> lowest;

    void add_lowest(const BlockOfRows& rows, const Units<Real>& errors) {
      layer.block(block, rows.count) = errors;
      lowest->add(rows, block);
    }
  };

  Index upper_size() const { return dim_y() - lowest_size(network_) * network_.inputs; }

  /// use(block of rows, sums) for each block of the batch, each thread with its own sums, which are returned in order.
  template <class Use>
  std::vector<std::unique_ptr<Sums>> in_blocks(Batch batch, bool with_gradient, const Use& use) const {
    const std::size_t count = batch.size(samples());
    const std::size_t parts = std::min(team_->size(), (count + kBlockRows - 1) / kBlockRows);
    std::vector<std::unique_ptr<Sums>> sums(parts);
    const auto work = [&](std::size_t part) {
      if (part >= parts) return;
      sums[part] = std::make_unique<Sums>(*this, with_gradient);
      const auto share = kernels::row_share(count, parts, part);
      for (std::size_t begin = share.begin; begin < share.end; begin += kBlockRows) {
        use(BlockOfRows{begin, std::min(kBlockRows, share.end - begin),
                        batch.is_full() ? nullptr : batch.indices().data() + begin},
            *sums[part]);
      }
    };
    if (parts == 1) {
      work(0);
    } else {
      team_->run(work);
    }
    return sums;
  }

  /// The average over `count` rows of what the threads have summed in y.
  Vec average(const std::vector<std::unique_ptr<Sums>>& sums, std::size_t count) const {
    const double scale = 1.0 / static_cast<double>(count);
    Vec result = Vec::Zero(dim_y());
    MutableNetworkWeights parts(result.data(), network_);
    for (const auto& part : sums) {
      part->lowest->add_to(scale, parts.lowest);
      result.tail(upper_size()) += scale * part->upper;
    }
    return result;
  }

  /// One pass at y. If wanted, keeps what products need of each block.
  Evaluation pass(OracleSet want, const Vec& y, Batch batch, std::vector<NetworkBlock<Real>>* kept) const {
    Evaluation result;
    if (want.has(Oracle::grad_x)) result.grad_x = Vec::Zero(dim_x());
    const bool value = want.has(Oracle::value), gradient = want.has(Oracle::grad_y);
    if (!value && !gradient && !kept) return result;
    const ConstNetworkWeights weights(y.data(), network_);
    const UpperLayers<Real> upper(weights.upper);
    const auto packed = layer_.pack(weights.lowest);
    const auto sums = in_blocks(batch, gradient, [&](const BlockOfRows& rows, Sums& mine) {
      const auto targets = targets_of<Real>(targets_, network_.outputs, rows);
      layer_.scores(rows, packed, mine.block);
      auto block = network_forward(network_, upper, layer_.block(mine.block, rows.count), targets);
      if (value) mine.loss += network_loss_sum(network_, block, targets);
      if (gradient) {
        const auto errors = network_errors(upper, block);
        UpperWeights<double> part(mine.upper.data(), network_);
        add_upper_gradient(block, errors, 1, part);
        mine.add_lowest(rows, errors);
      }
      if (!kept) return;
      block.log_probabilities.resize(0, 0);
      (*kept)[rows.begin / kBlockRows] = std::move(block);
    });
    const std::size_t count = batch.size(samples());
    if (value) {
      result.value = 0;
      for (const auto& part : sums) *result.value += part->loss / static_cast<double>(count);
    }
    if (gradient) result.grad_y = average(sums, count);
    return result;
  }

  OracleSet do_provides() const override { return OracleSet::all(); }
  Evaluation do_evaluate(OracleSet want, const Vec&, const Vec& y, Batch batch) const override {
    return pass(want, y, batch, nullptr);
  }
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec&, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override {
    auto products = std::make_unique<Products>(*this, y, batch);
    evaluation = pass(also, y, batch, &products->blocks);
    return products;
  }

  NetworkOptions network_;
  LowestLayer<Real> layer_;
  RowTargets targets_;
  std::unique_ptr<kernels::ThreadTeam> team_;
};

template <class Real>
class NetworkObjective<Real>::Products final : public Linearization::Implementation {
 public:
  Products(const NetworkObjective& objective, const Vec& y, Batch batch)
      : blocks((batch.size(objective.samples()) + kBlockRows - 1) / kBlockRows),
        objective_(objective),
        upper_(ConstNetworkWeights(y.data(), objective.network_).upper),
        batch_(batch) {}

  Vec hess_yy(const Vec& v) const override {
    const auto& o = objective_.network_;
    const ConstNetworkWeights direction(v.data(), o);
    const UpperLayers<Real> moved(direction.upper);
    const auto packed = objective_.layer_.pack(direction.lowest);
    const auto sums = objective_.in_blocks(batch_, true, [&](const BlockOfRows& rows, Sums& mine) {
      const auto& block = blocks[rows.begin / kBlockRows];
      objective_.layer_.scores(rows, packed, mine.block);
      const auto tangent =
          network_tangent<Real>(o, upper_, block, objective_.layer_.block(mine.block, rows.count), &moved, nullptr);
      UpperWeights<double> part(mine.upper.data(), o);
      add_upper_gradient_tangent(block, tangent, 1, part);
      mine.add_lowest(rows, tangent.errors);
    });
    return objective_.average(sums, batch_.size(objective_.samples()));
  }
  Vec hess_xy(const Vec&) const override { return Vec::Zero(objective_.dim_x()); }
  Vec hess_yx(const Vec&) const override { return Vec::Zero(objective_.dim_y()); }

  std::vector<NetworkBlock<Real>> blocks;

 private:
  const NetworkObjective& objective_;
  UpperLayers<Real> upper_;
  Batch batch_;
};

FeatureMatrix features_of(const Table& rows) {
  return FeatureMatrix::dense(static_cast<std::size_t>(rows.rows()), static_cast<std::size_t>(rows.cols()),
                              std::span<const double>(rows.data(), static_cast<std::size_t>(rows.size())));
}

std::shared_ptr<const Objective> make_objective(const Network& network, const FeatureMatrix& rows, RowTargets targets,
                                                Index dim_x, std::size_t threads) {
  const auto make = [&]<class Real>(Real) -> std::shared_ptr<const Objective> {
    return std::make_shared<NetworkObjective<Real>>(network, rows, std::move(targets), dim_x, threads);
  };
  return rows.precision() == Precision::float32 ? make(float{}) : make(double{});
}

}  // namespace

std::shared_ptr<const Objective> network_loss(const Network& network, Table rows, Table targets, Index dim_x,
                                              std::size_t threads) {
  check_rows(network.options(), rows, targets, "network loss");
  return make_objective(network, features_of(rows), std::move(targets), dim_x, threads);
}

std::shared_ptr<const Objective> network_loss(const Network& network, const FeatureMatrix& rows,
                                              std::vector<std::int32_t> labels, Index dim_x, std::size_t threads) {
  const auto& o = network.options();
  if (static_cast<Index>(rows.features()) != o.inputs || rows.rows() != labels.size()) {
    throw DimensionMismatch(
        fmt::format("network loss needs rows of {} inputs and one label for each, but got {} x {} and {} labels",
                    o.inputs, rows.rows(), rows.features(), labels.size()));
  }
  check_labels(labels, o.outputs);
  return make_objective(network, rows, std::move(labels), dim_x, threads);
}

}  // namespace bilevel
