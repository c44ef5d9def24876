#include <algorithm>

#include <fmt/format.h>

#include "bilevel/soba.hpp"
#include "methods/soba_directions.hpp"

namespace bilevel {

namespace {

Saba::Blocks blocks_of(std::size_t samples, std::size_t block_size, std::uint64_t seed) {
  Saba::Blocks blocks;
  blocks.block_size = block_size;
  if (blocks.block_size == samples) return blocks;
  blocks.order = Random(seed).permutation(samples);
  blocks.sampler.emplace((samples + blocks.block_size - 1) / blocks.block_size, 1, seed + 1);
  return blocks;
}

void fill(Saba::Table& table, Index column, double share, const Vec& entry, Index columns) {
  if (column == 0) {
    table.entries.resize(entry.size(), columns);
    table.mean = Vec::Zero(entry.size());
  }
  table.entries.col(column) = entry;
  table.mean += share * entry;
}

/// SAGA's direction; `weight` is 1 for blocks of equal size, in general the block's share times their number.
Vec replace(Saba::Table& table, Index column, double share, const Vec& entry) {
  const double weight = share * static_cast<double>(table.entries.cols());
  const Vec change = entry - table.entries.col(column);
  Vec direction = weight * change + table.mean;
  table.entries.col(column) = entry;
  table.mean += share * change;
  return direction;
}

}  // namespace

Index Saba::Blocks::count() const {
  return order.empty() ? 1 : static_cast<Index>((order.size() + block_size - 1) / block_size);
}

Batch Saba::Blocks::block(Index which) const {
  if (order.empty()) return full;
  const auto start = static_cast<std::size_t>(which) * block_size;
  return Batch({order.data() + start, std::min(block_size, order.size() - start)});
}

double Saba::Blocks::share(Index which) const {
  if (order.empty()) return 1;
  return static_cast<double>(block(which).indices().size()) / static_cast<double>(order.size());
}

Index Saba::Blocks::draw() { return sampler ? static_cast<Index>(sampler->next().indices()[0]) : 0; }

Saba::State::State(const BilevelProblem& problem, const StochasticOptions& options)
    : CopiedState(problem, options),
      lower_blocks(blocks_of(problem.lower->samples(), options.batch(problem.lower->samples()), 5 * options.seed)),
      upper_blocks(blocks_of(problem.upper->samples(), options.batch(problem.upper->samples()), 5 * options.seed + 2)) {
}

Saba::Saba(SabaOptions options) : StochasticMethod(options) { check_options(options); }

OuterMethod::Needs Saba::needs() const { return {kImplicitUpper, kImplicitLower}; }

std::unique_ptr<OuterMethod::State> Saba::do_init(const BilevelProblem& problem) const {
  auto state = std::make_unique<State>(problem, sampling());
  const auto n = static_cast<double>(problem.dim_x()), m = static_cast<double>(problem.dim_y());
  const double bytes = sizeof(double) * (static_cast<double>(state->lower_blocks.count()) * (2 * m + n) +
                                         static_cast<double>(state->upper_blocks.count()) * (m + n));
  constexpr double kMiB = 1 << 20, kMost = 1024 * kMiB;
  if (bytes > kMost) {
    throw InvalidOption(fmt::format(
        "saba would remember {:.0f} MiB of gradients for problem '{}', more than the {:.0f} MiB allowed: use a larger "
        "batch-size, from {} on, or ma_soba",
        bytes / kMiB, problem.name, kMost / kMiB,
        static_cast<Index>(static_cast<double>(state->lower_blocks.block_size) * bytes / kMost) + 1));
  }
  return state;
}

void Saba::iterate(const BilevelProblem& problem, StochasticMethod::State& base) const {
  auto& s = static_cast<State&>(base);
  const Objective &g = *problem.lower, &f = *problem.upper;
  if (s.lower_gradient.entries.size() == 0) {
    for (Index j = 0; j < s.lower_blocks.count(); ++j) {
      const auto [at, products] = g.evaluate_along(Oracle::grad_y, s.x, s.y, s.v, s.lower_blocks.block(j));
      const double share = s.lower_blocks.share(j);
      fill(s.lower_gradient, j, share, *at.grad_y, s.lower_blocks.count());
      fill(s.lower_hessian, j, share, products.hess_yy, s.lower_blocks.count());
      fill(s.lower_cross, j, share, products.hess_xy, s.lower_blocks.count());
    }
    for (Index j = 0; j < s.upper_blocks.count(); ++j) {
      const auto at = f.evaluate(Oracle::grad_x | Oracle::grad_y, s.x, s.y, s.upper_blocks.block(j));
      fill(s.upper_y, j, s.upper_blocks.share(j), *at.grad_y, s.upper_blocks.count());
      fill(s.upper_x, j, s.upper_blocks.share(j), *at.grad_x, s.upper_blocks.count());
    }
  }

  const Index xi = s.lower_blocks.draw(), zeta = s.upper_blocks.draw();
  const auto [at, products] = g.evaluate_along(Oracle::grad_y, s.x, s.y, s.v, s.lower_blocks.block(xi));
  const auto upper = f.evaluate(Oracle::grad_x | Oracle::grad_y, s.x, s.y, s.upper_blocks.block(zeta));
  const double lower_share = s.lower_blocks.share(xi), upper_share = s.upper_blocks.share(zeta);
  const Vec g_y = replace(s.lower_gradient, xi, lower_share, *at.grad_y);
  const Vec Hv = replace(s.lower_hessian, xi, lower_share, products.hess_yy);
  const Vec Bv = replace(s.lower_cross, xi, lower_share, products.hess_xy);
  const Vec f_y = replace(s.upper_y, zeta, upper_share, *upper.grad_y);
  const Vec f_x = replace(s.upper_x, zeta, upper_share, *upper.grad_x);

  s.y -= s.a * g_y;
  s.v -= s.b * (Hv - f_y);
  s.x -= s.gamma * (f_x - Bv);
}

}  // namespace bilevel
