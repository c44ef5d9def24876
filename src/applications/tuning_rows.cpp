#include "applications/tuning_rows.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <type_traits>

#include <fmt/format.h>

#include "applications/folds.hpp"
#include "bilevel/random.hpp"

namespace bilevel {

namespace {

using Rows = std::vector<std::uint32_t>;

Rows all_rows(std::size_t count) {
  Rows rows(count);
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

std::vector<Rows> deal(const Targets& targets, std::size_t rows_in_all, std::size_t folds, std::uint64_t seed) {
  const auto* labels = std::get_if<std::vector<std::int32_t>>(&targets);
  return deal_folds(rows_in_all, labels ? std::span<const std::int32_t>(*labels) : std::span<const std::int32_t>(),
                    folds, seed);
}

void check_folds(std::size_t folds, std::size_t rows, const std::string& source) {
  if (folds <= rows) return;
  throw InvalidOption(
      fmt::format("option 'folds' is {}, but {} has only {} rows: a fold needs at least one", folds, source, rows));
}

Rows hold_out(const TargetTable& read, double share, std::uint64_t seed) {
  const auto wanted = std::llround(share * static_cast<double>(read.table.rows));
  if (wanted >= static_cast<long long>(read.table.rows)) {
    throw InvalidOption(fmt::format("option 'hold-out' ({}) leaves none of the {} rows of {} to train on", share,
                                    read.table.rows, read.table.source));
  }
  if (const auto* labels = std::get_if<std::vector<std::int32_t>>(&read.targets)) {
    return data::hold_out_fraction(*labels, share, seed).held_out;
  }
  auto order = Random(seed).permutation(read.table.rows);
  order.resize(static_cast<std::size_t>(std::max(1LL, wanted)));
  std::sort(order.begin(), order.end());
  return order;
}

RowPlan draw(const TuningInputOptions& options, const TargetTable& read) {
  const std::size_t rows = read.table.rows;
  if (options.train_rows > rows || options.valid_rows > rows - options.train_rows) {
    throw InvalidOption(
        fmt::format("options 'train-rows' ({}) and 'valid-rows' ({}) ask for more rows than the {} of {}",
                    options.train_rows, options.valid_rows, rows, options.dataset));
  }
  RowPlan plan{Random(options.seed).permutation(rows), {all_rows(options.valid_rows)}};
  plan.pool.resize(options.train_rows + options.valid_rows);
  if (options.folds) {
    check_folds(*options.folds, plan.pool.size(), options.dataset);
    plan.validation = deal(pick(read.targets, plan.pool), plan.pool.size(), *options.folds, options.seed);
    return plan;
  }
  for (auto& position : plan.validation.front()) position += static_cast<std::uint32_t>(options.train_rows);
  return plan;
}

}  // namespace

Targets pick(const Targets& targets, const Rows& rows) {
  return std::visit(
      [&](const auto& values) -> Targets {
        std::decay_t<decltype(values)> picked;
        picked.reserve(rows.size());
        for (const auto row : rows) picked.push_back(values[row]);
        return picked;
      },
      targets);
}

RowPlan plan_rows(const TuningInputOptions& options, const TargetTable& read, std::optional<std::size_t> folds) {
  const std::size_t rows = read.table.rows;
  if (!options.dataset.empty()) return draw(options, read);
  RowPlan plan{all_rows(rows), {}};
  if (folds) {
    check_folds(*folds, rows, read.table.source);
    plan.validation = deal(read.targets, rows, *folds, options.seed);
  } else if (options.hold_out) {
    plan.validation = {hold_out(read, *options.hold_out, options.seed)};
  }
  return plan;
}

}  // namespace bilevel
