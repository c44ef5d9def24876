// `bilevel check`: every derivative of a game, and the hypergradient against the re-solved value function.
#pragma once

#include "command.hpp"

namespace bilevel::cli {

Command check_command();

}  // namespace bilevel::cli
