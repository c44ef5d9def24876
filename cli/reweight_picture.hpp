// The sources' weights as bars, and what models trained with them are worth.
#pragma once

#include <vector>

#include "pictures/script.hpp"
#include "reweight_report.hpp"

namespace bilevel::cli {

/// Left: a bar for each source with its deviation over the seeds, and its share of the rows. Right: the accuracy on the
/// target of the learned weights and of the comparators; of the test rows, else of the validation rows.
Script reweight_picture_script(const ReweightingInput& input, const std::vector<Repetition>& repetitions);

}  // namespace bilevel::cli
