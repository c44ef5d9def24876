// What stands behind a standard stream, and writing to it.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string_view>

namespace bilevel::cli {

/// Whether a person reads `descriptor` (0 stdin, 1 stdout, 2 stderr) on a screen.
bool is_terminal(int descriptor);

/// Whether TERM says that the terminal obeys no escape sequences.
bool is_dumb_terminal();

/// is_terminal, and the user did not ask for no colour (NO_COLOR set and not empty, or TERM=dumb).
bool use_colour(int descriptor);

/// Columns of the screen behind stdout or stderr, else of the variable COLUMNS, else 80; at least 20.
std::size_t terminal_width();

/// Columns that a table on stdout may take: the screen's, else those of COLUMNS; a file or pipe has no limit.
std::size_t table_width();

/// Writes to stdout, made visible(): no text from outside commands the terminal. A reader that has gone (`bilevel
/// methods | head -1`) is no error: the text is dropped. Throws std::system_error for all other failures, e.g. a full
/// disk.
void write_out(std::string_view text);

/// Writes to stderr, made visible(); failures have nowhere to be reported.
void write_error(std::string_view text);

/// Writes "bilevel: sentence" to stderr as one line, long input in it shortened().
void write_message(std::string_view sentence);

}  // namespace bilevel::cli
