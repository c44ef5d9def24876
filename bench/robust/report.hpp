// The table, the failures and the JSON of a contest.
#pragma once

#include <string>
#include <vector>

#include "contest.hpp"

namespace bilevel::robust {

/// A row for each family, a column for each method: share solved in percent and median oracle calls; below, over all
/// families, how many claim to have converged without a solution, and how many are worse than their start.
std::string table_text(const std::vector<Cell>& cells);

/// A paragraph for each attempt of `cell` that is not solved: what came back and what is right.
std::string failures_text(const Cell& cell, std::uint64_t seed);

/// One instance: sizes, start, reference.
std::string instance_text(const Instance& instance);

void write_json(const std::vector<Cell>& cells, std::uint64_t seed, const std::string& path);

}  // namespace bilevel::robust
