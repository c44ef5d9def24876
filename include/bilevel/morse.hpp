// Whether the parametric Morse qualification condition holds over a box of leaders.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bilevel/branches.hpp"

namespace bilevel {

enum class MorseVerdict {
  holds_on_the_samples,  // constant count and indices, H invertible and critical points bounded at all that was looked
                         // at
  piecewise,             // it fails at isolated leaders: `failures`
  fails,                 // H is singular at critical points of every leader that was looked at, or none exist
  undecided,             // the searches did not settle, or branches left the box of y or stalled
};
std::string_view to_string(MorseVerdict verdict);

struct MorseOptions {
  Index samples = 24;  // leaders at which critical points are counted, n > 1
  Index lines = 6;     // lines between them that branches are followed on, n > 1; n = 1: the whole box is one line
  BranchOptions branches = {};
};

/// What was seen at one leader.
struct MorseSample {
  Vec x;
  Index critical_points = 0;
  Index minimisers = 0;
  Index degenerate = 0;
  double smallest = 0;  // least |eigenvalue| of H over the critical points; infinity if there are none
};

struct MorseReport {
  MorseVerdict verdict = MorseVerdict::undecided;
  std::vector<std::string> evidence;  // sentences with numbers
  std::vector<MorseSample> samples;
  std::vector<BranchEvent> failures;  // folds, pitchforks, escapes
  std::vector<BranchMap> maps;        // the lines that were followed
  /// Least |eigenvalue| / max(1, |H|) over everything looked at, 0 at a singular point; infinity without critical
  /// points.
  double distance_to_singularity = 0;
  bool bounded = true;  // no branch escaped to infinity
};

/// Judges "g parametric Morse with locally bounded critical sets" [BLPV25, Assumption Morse QC] on box_x. n = 1: along
/// the whole box, so that isolated failures are located. n > 1: at random leaders, seeded by branches.search.seed, and
/// on lines between them: failures of a set of leaders that no line meets are not seen. The box of y may be too small
/// to hold the branches; then the verdict is undecided and says so. Throws DimensionMismatch, InvalidOption, and
/// InvalidInput as follow_branches does.
MorseReport judge_morse(const Objective& lower, const Box& box_x, const Box& box_y, const MorseOptions& options = {},
                        const Objective* upper = nullptr);

}  // namespace bilevel
