// Pieces of branches: both directions of a trace joined, and cut where an eigenvalue touches zero.
#pragma once

#include <optional>
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

/// The piece cut wherever an eigenvalue touches zero without changing its sign, which no step notices.
std::vector<RawBranch> cut_at_touches(const BranchTask& task, RawBranch piece);

}  // namespace bilevel
