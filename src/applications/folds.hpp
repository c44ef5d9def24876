// Cross-validation: rows dealt into folds.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bilevel {

/// Deals the rows 0..count-1, shuffled with the seed, into `folds` lists, each ascending; with labels (one for each
/// row, or none at all) every fold holds each class in proportion.
std::vector<std::vector<std::uint32_t>> deal_folds(std::size_t count, std::span<const std::int32_t> labels,
                                                   std::size_t folds, std::uint64_t seed);

/// 0 .. count - 1 without `rows`, which are ascending.
std::vector<std::uint32_t> others(const std::vector<std::uint32_t>& rows, std::size_t count);

}  // namespace bilevel
