// A branch that leaves the box: does it go to infinity at a finite t, or only out of the box?
#pragma once

#include <optional>
#include <vector>

#include "diagnostics/branch_path.hpp"

namespace bilevel {

struct Escape {
  double t = 0;         // where |y| becomes infinite, as far as the points tell
  double accuracy = 0;  // how much the estimate moved when |y| last doubled
};

/// The last of `points` lie ever farther from the centre of the box. A law |y| = C |t* - t|^-p has |y| / (d|y|/dt) =
/// |t* - t| / p, which is linear in t and vanishes at t*. Empty if the points do not follow such a law, if |y| did not
/// grow to at least ten times the box, or if t* is beyond the line's end.
std::optional<Escape> escape_of(const BranchTask& task, const std::vector<PathPoint>& points, double sign);

}  // namespace bilevel
