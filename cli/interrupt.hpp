// Ctrl-C: the first asks the run to stop after the step in hand, the second ends the program at once.
#pragma once

#include <atomic>

namespace bilevel::cli {

/// Catches SIGINT, SIGTERM and, unless it is ignored (nohup), SIGHUP. The flag becomes true at the first of them; a
/// second SIGINT or SIGTERM ends the program with status 130. May be called again: the flag is the same one and is not
/// reset.
std::atomic<bool>& catch_interrupts();

}  // namespace bilevel::cli
