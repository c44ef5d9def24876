// From traced pieces to branches: joining both directions, merging the events at one place, ids.
#pragma once

#include <vector>

#include "diagnostics/branch_trace.hpp"

namespace bilevel {

/// A maximal piece without singular H; points with t ascending.
struct RawBranch {
  std::vector<PathPoint> points;
  PieceEnd begin, end;

  Index index() const { return points.front().index; }
  /// y at t by interpolation, if t is within the points.
  std::optional<Vec> at(double t) const;
};

/// The curve through one start, from its pieces towards t = 0 and towards t = 1.
std::vector<RawBranch> joined(std::vector<TracedPiece> backward, std::vector<TracedPiece> forward);

/// Whether two ends are one event, up to what is known of their places.
bool same_place(const PieceEnd& a, const PieceEnd& b, double size);

/// Sorts (minimisers first, then by index, t and y), numbers, and merges ends at one place into events that know the
/// branches that meet there. Fills branches and events of `map`.
void assemble(const BranchTask& task, std::vector<RawBranch> raw, const Objective* upper, BranchMap& map);

/// A sentence for an event, with its numbers.
std::string describe(const BranchEvent& event);

}  // namespace bilevel
