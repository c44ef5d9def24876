// From pieces to branches: merging the events at one place, ids, sentences.
#pragma once

#include <vector>

#include "diagnostics/branch_pieces.hpp"

namespace bilevel {

/// Whether two ends are one event, up to what is known of their places.
bool same_place(const PieceEnd& a, const PieceEnd& b, double size);

/// Sorts (minimisers first, then by index, t and y), numbers, and merges ends at one place into events that know the
/// branches that meet there. Fills branches and events of `map`.
void assemble(const BranchTask& task, std::vector<RawBranch> raw, const Objective* upper, BranchMap& map);

/// A sentence for an event, with its numbers.
std::string describe(const BranchEvent& event);

}  // namespace bilevel
