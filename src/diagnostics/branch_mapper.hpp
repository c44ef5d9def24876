// All branches over a line: searches, traces from what they find, and what is left over.
#pragma once

#include "bilevel/branches.hpp"

namespace bilevel {

/// follow_branches without its checks of the arguments.
BranchMap map_branches(const Objective& lower, const LeaderLine& line, const Box& box, const BranchOptions& options,
                       const Objective* upper);

}  // namespace bilevel
