// What stands behind a standard stream, and writing to it.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string_view>

namespace bilevel::cli {

/// Whether a person reads `descriptor` (0 stdin, 1 stdout, 2 stderr) on a screen.
bool is_terminal(int descriptor);

/// is_terminal, and the user did not ask for no colour (NO_COLOR set and not empty, or TERM=dumb).
bool use_colour(int descriptor);

/// Columns of the screen behind stdout or stderr, else of the variable COLUMNS, else 80; at least 20.
std::size_t terminal_width();

/// Writes to stdout. A reader that has gone (`bilevel methods | head -1`) is no error: the text is dropped. Throws
/// std::system_error for all other failures, e.g. a full disk.
void write_out(std::string_view text);

/// Writes to stderr; failures have nowhere to be reported.
void write_error(std::string_view text);

}  // namespace bilevel::cli
