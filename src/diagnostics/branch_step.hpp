// One step along a curve of critical points: the predictor, the corrector, and the tests that it is still the same
// curve.
#pragma once

#include <optional>
#include <vector>

#include "diagnostics/branch_path.hpp"

namespace bilevel {

/// The searches that were made along the line: steps end at their t, and their points say how near other branches are.
struct Landmarks {
  const std::vector<double>& ts;
  const std::vector<CriticalPoints>& searches;

  /// Where a step from t of this length in direction `sign` ends: on a landmark or an end of the line if it is there
  /// but for rounding.
  double target(double t, double sign, double length) const;
  /// Distance in t to the next landmark in direction `sign`.
  double ahead(double t, double sign) const;
  /// Distance from y to the next but one critical point of the search nearest to t: another branch. At most `farthest`.
  double gap(double t, const Vec& y, double farthest) const;
};

struct Advance {
  PathPoint point;
  double share = 0;  // of the predicted change that the corrector had to add
};

/// The point of the curve through `here` over t; empty if the step is too long to be sure of it, or the eigenvalue
/// nearest to 0 all but vanishes there. Its index differs from that of `here` by one at most.
std::optional<Advance> advance(const BranchTask& task, const Landmarks& landmarks, const PathPoint& here, double t);

}  // namespace bilevel
