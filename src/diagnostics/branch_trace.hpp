// Following one curve of critical points in one direction of t, through crossings, until it ends.
#pragma once

#include <vector>

#include "diagnostics/branch_step.hpp"

namespace bilevel {

/// Where a piece of a branch ends.
struct PieceEnd {
  BranchEventKind kind = BranchEventKind::line_end;
  double t = 0;
  Vec y;
  double eigenvalue = 0;  // nearest to 0
  double accuracy = 0;    // of t
  bool through = false;   // the curve goes on smoothly on the other side, as another branch
};

/// A piece without singular H; points in the order of travel.
struct TracedPiece {
  std::vector<PathPoint> points;
  PieceEnd end;
};

/// Pieces in the order of travel, at least one, each but the first beginning where the one before ended. `sign` is +1
/// towards t = 1 and -1 towards t = 0.
std::vector<TracedPiece> trace(const BranchTask& task, const Landmarks& landmarks, const PathPoint& start, double sign);

}  // namespace bilevel
