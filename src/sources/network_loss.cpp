#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "bilevel/network.hpp"
#include "kernels/thread_team.hpp"
#include "sources/network_checks.hpp"
#include "sources/network_pass.hpp"

namespace bilevel {

namespace {

constexpr Index kBlockRows = 256;  // activations of a block stay in the second-level cache

class NetworkObjective final : public Objective {
 public:
  NetworkObjective(const Network& network, Table rows, Table targets, Index dim_x, std::size_t threads)
      : Objective("network loss", dim_x, network.dim_y(), static_cast<std::size_t>(rows.rows())),
        network_(network.options()),
        rows_(std::move(rows)),
        targets_(std::move(targets)),
        team_(std::make_unique<kernels::ThreadTeam>(threads)) {}

  std::size_t linearization_bytes() const override {
    return static_cast<std::size_t>(rows_.rows() * (2 * network_.hidden + 4 * network_.outputs)) * sizeof(double);
  }

 private:
  class Products;

  template <class Use>
  void with_rows(Batch batch, std::size_t begin, std::size_t end, const Use& use) const {
    const auto first = static_cast<Index>(begin), count = static_cast<Index>(end - begin);
    if (batch.is_full()) {
      use(rows_.middleRows(first, count), targets_.middleRows(first, count));
      return;
    }
    Table rows(count, rows_.cols()), targets(count, targets_.cols());
    for (Index i = 0; i < count; ++i) {
      const auto source = static_cast<Index>(batch.indices()[begin + static_cast<std::size_t>(i)]);
      rows.row(i) = rows_.row(source);
      targets.row(i) = targets_.row(source);
    }
    use(Eigen::Ref<const Table>(rows), Eigen::Ref<const Table>(targets));
  }

  /// use(block index, begin, end) for each block of the batch, and a sum in R^m that each thread adds to; the threads'
  /// sums are added in order.
  template <class Use>
  Vec in_blocks(std::size_t count, const Use& use) const {
    const std::size_t blocks = (count + kBlockRows - 1) / kBlockRows;
    std::vector<Vec> sums(team_->size(), Vec::Zero(dim_y() + 1));
    team_->run([&](std::size_t thread) {
      const std::size_t from = blocks * thread / team_->size(), to = blocks * (thread + 1) / team_->size();
      for (std::size_t b = from; b < to; ++b) {
        use(b, b * kBlockRows, std::min<std::size_t>(count, (b + 1) * kBlockRows), sums[thread]);
      }
    });
    for (std::size_t i = 1; i < sums.size(); ++i) sums[0] += sums[i];
    return sums[0] / static_cast<double>(count);
  }

  Evaluation finish(OracleSet want, const Vec& sum) const {
    Evaluation result;
    if (want.has(Oracle::value)) result.value = sum[dim_y()];
    if (want.has(Oracle::grad_y)) result.grad_y = sum.head(dim_y());
    if (want.has(Oracle::grad_x)) result.grad_x = Vec::Zero(dim_x());
    return result;
  }

  /// Adds a block's loss, and its gradient if asked for, to `sum`.
  template <class RowTable>
  void add_block(OracleSet want, const NetworkBlock& block, const RowTable& rows, const RowTable& targets,
                 Vec& sum) const {
    sum[dim_y()] += network_loss_sum(network_, block, targets);
    if (!want.has(Oracle::grad_y)) return;
    MutableNetworkWeights gradient(sum.data(), network_);
    add_weight_gradient(network_, block, rows, 1, gradient);
  }

  OracleSet do_provides() const override { return OracleSet::all(); }

  Evaluation do_evaluate(OracleSet want, const Vec&, const Vec& y, Batch batch) const override {
    if (!want.has(Oracle::value) && !want.has(Oracle::grad_y)) return finish(want, {});
    const ConstNetworkWeights weights(y.data(), network_);
    const Vec sum = in_blocks(batch.size(samples()), [&](std::size_t, std::size_t begin, std::size_t end, Vec& mine) {
      with_rows(batch, begin, end, [&](const auto& rows, const auto& targets) {
        add_block(want, network_forward(network_, weights, rows, targets), rows, targets, mine);
      });
    });
    return finish(want, sum);
  }

  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec& x, const Vec& y, Batch batch,
                                                                    OracleSet also,
                                                                    Evaluation& evaluation) const override;

  NetworkOptions network_;
  Table rows_, targets_;
  std::unique_ptr<kernels::ThreadTeam> team_;
};

class NetworkObjective::Products final : public Linearization::Implementation {
 public:
  Products(const NetworkObjective& objective, const Vec& y, Batch batch, OracleSet also, Evaluation& evaluation)
      : objective_(objective), y_(y), batch_(batch), blocks_((count() + kBlockRows - 1) / kBlockRows) {
    const ConstNetworkWeights weights(y_.data(), objective.network_);
    const Vec sum = objective.in_blocks(count(), [&](std::size_t b, std::size_t begin, std::size_t end, Vec& mine) {
      objective.with_rows(batch_, begin, end, [&](const auto& rows, const auto& targets) {
        blocks_[b] = network_forward(objective.network_, weights, rows, targets);
        if (also.has(Oracle::value) || also.has(Oracle::grad_y)) {
          objective.add_block(also, blocks_[b], rows, targets, mine);
        }
      });
    });
    evaluation = objective.finish(also, sum);
  }

  Vec hess_yy(const Vec& v) const override {
    const auto& o = objective_.network_;
    const ConstNetworkWeights weights(y_.data(), o), moved(v.data(), o);
    const NetworkDirection direction{&moved, nullptr, nullptr};
    const Vec sum = objective_.in_blocks(count(), [&](std::size_t b, std::size_t begin, std::size_t end, Vec& mine) {
      objective_.with_rows(batch_, begin, end, [&](const auto& rows, const auto&) {
        const auto tangent = network_tangent(o, weights, blocks_[b], rows, direction);
        MutableNetworkWeights parts(mine.data(), o);
        add_weight_gradient_tangent(o, blocks_[b], tangent, rows, direction, 1, parts);
      });
    });
    return sum.head(objective_.dim_y());
  }
  Vec hess_xy(const Vec&) const override { return Vec::Zero(objective_.dim_x()); }
  Vec hess_yx(const Vec&) const override { return Vec::Zero(objective_.dim_y()); }

 private:
  std::size_t count() const { return batch_.size(objective_.samples()); }

  const NetworkObjective& objective_;
  Vec y_;
  Batch batch_;
  std::vector<NetworkBlock> blocks_;
};

std::unique_ptr<const Linearization::Implementation> NetworkObjective::do_linearize(const Vec&, const Vec& y,
                                                                                    Batch batch, OracleSet also,
                                                                                    Evaluation& evaluation) const {
  return std::make_unique<Products>(*this, y, batch, also, evaluation);
}

}  // namespace

std::shared_ptr<const Objective> network_loss(const Network& network, Table rows, Table targets, Index dim_x,
                                              std::size_t threads) {
  check_rows(network.options(), rows, targets, "network loss");
  return std::make_shared<NetworkObjective>(network, std::move(rows), std::move(targets), dim_x, threads);
}

}  // namespace bilevel
