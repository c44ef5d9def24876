// `bilevel race`: methods on the same problem with the same budget.
#pragma once

#include "command.hpp"

namespace bilevel::cli {

Command race_command();

}  // namespace bilevel::cli
