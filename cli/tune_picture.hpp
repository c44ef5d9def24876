// The validation loss of a tuning run beside that of the grid over one weight.
#pragma once

#include "bilevel/tuning.hpp"
#include "pictures/script.hpp"

namespace bilevel::cli {

/// Left: the grid's losses over its weight. Right: the loss along the leader's steps, the best single weight's as a
/// line. Both share their vertical axis.
Script tuning_picture_script(const TuningResult& result);

}  // namespace bilevel::cli
