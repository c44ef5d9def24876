// The validation loss of a tuning run beside that of the grid over one weight.
#pragma once

#include "bilevel/tuning.hpp"
#include "pictures/script.hpp"

namespace bilevel::cli {

/// Left: the grid's losses over its weight. Right: the losses of the steering rows and of the guard rows along the
/// leader's steps, with the step that was kept. Each panel has an axis of its own.
Script tuning_picture_script(const TuningResult& result);

}  // namespace bilevel::cli
