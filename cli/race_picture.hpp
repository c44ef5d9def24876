// The curves of a race against seconds and against passes over the data.
#pragma once

#include "pictures/script.hpp"
#include "race_problems.hpp"

namespace bilevel::cli {

/// Above phi minus the lowest value that any method reached on the seed, below, where there are scores, the first of
/// them; left against seconds, right against passes. A line is the median over the seeds, the band around it from the
/// lowest to the highest.
Script race_picture_script(const RaceField& field, const RaceOptions& options, const RaceResult& result);

}  // namespace bilevel::cli
