// The command `bilevel reweight`.
#pragma once

#include "command.hpp"

namespace bilevel::cli {

Command reweight_command();

}  // namespace bilevel::cli
