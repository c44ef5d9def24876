// `bilevel tune`: choose a linear model's penalty weights by hypergradient.
#pragma once

#include "command.hpp"

namespace bilevel::cli {

Command tune_command();

}  // namespace bilevel::cli
