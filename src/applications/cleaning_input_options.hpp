// Which options of the input make sense together.
#pragma once

#include "bilevel/cleaning_input.hpp"

namespace bilevel {

/// Throws InvalidOption for a number out of range, and for options that say nothing about the input that was chosen.
void check_cleaning_input(CleaningInputOptions options);

}  // namespace bilevel
