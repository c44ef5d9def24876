// Whether the options of `bilevel tune` about its input make sense together.
#pragma once

#include "bilevel/tuning_input.hpp"

namespace bilevel {

/// Throws InvalidOption with one sentence.
void check_tuning_input(const TuningInputOptions& options);

}  // namespace bilevel
