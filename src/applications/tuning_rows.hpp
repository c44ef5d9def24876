// Which rows of the training file train, and which validate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bilevel/tuning_input.hpp"

namespace bilevel {

/// A table and its targets: labels as they are, or real ones.
struct TargetTable {
  data::Table table;
  Targets targets;
};

Targets pick(const Targets& targets, const std::vector<std::uint32_t>& rows);

struct RowPlan {
  std::vector<std::uint32_t> pool;  // the rows of the table in use
  /// Positions in the pool that validate, ascending, one list for each fold; none: the rows have a file of their own.
  std::vector<std::vector<std::uint32_t>> validation;
};

/// Draws, deals into `folds` (each class in proportion) or holds out, with the seed. Throws InvalidOption for more rows
/// or folds than there are.
RowPlan plan_rows(const TuningInputOptions& options, const TargetTable& read, std::optional<std::size_t> folds);

}  // namespace bilevel
