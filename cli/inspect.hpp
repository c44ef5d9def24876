// `bilevel inspect`: the follower's critical points, branches, Morse verdict, and which method fits.
#pragma once

#include "command.hpp"

namespace bilevel::cli {

Command inspect_command();

}  // namespace bilevel::cli
