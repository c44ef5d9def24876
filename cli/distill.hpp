// `bilevel distill`: a few images that train as well as thousands.
#pragma once

#include "command.hpp"

namespace bilevel::cli {

Command distill_command();

}  // namespace bilevel::cli
