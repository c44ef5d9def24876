// What rows, targets and labels of a network must be.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "bilevel/network.hpp"

namespace bilevel {

/// Throws DimensionMismatch unless rows are R x inputs and targets R x outputs with R >= 1, InvalidInput for an entry
/// that is not finite and, for cross entropy, for targets that are no distribution. `what` names the objective.
void check_rows(const NetworkOptions& options, const Table& rows, const Table& targets, std::string_view what);

/// Throws InvalidInput for a label outside 0..classes-1.
void check_labels(std::span<const std::int32_t> labels, Index classes);

}  // namespace bilevel
