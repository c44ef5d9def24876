// `bilevel solve`: the solution of a game of formulas, with its certificate.
#pragma once

#include "command.hpp"

namespace bilevel::cli {

Command solve_command();

}  // namespace bilevel::cli
