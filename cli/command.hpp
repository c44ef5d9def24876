// A command of the program: `bilevel clean ...`.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bilevel::cli {

/// What the program returns to the shell.
enum ExitCode : int {
  kSuccess = 0,
  kNoSuccess = 1,     // the run finished, but did not reach its goal; or an unexpected failure
  kBadInput = 2,      // usage, options or files that cannot be used
  kIncomplete = 3,    // the result was computed and printed, but a file of it (or its picture) could not be written
  kInterrupted = 130  // by the user: 128 + SIGINT
};

struct Command {
  std::string name;
  std::string summary;  // one line
  /// Takes what stands after the command's name; returns an ExitCode. A bilevel::Error that leaves it is bad input.
  std::function<int(const std::vector<std::string>& arguments)> run;
  /// The options as Markdown for `bilevel options <name>`; empty if the command has none.
  std::function<std::string()> options = {};
};

/// Runs the command that arguments[0] names (arguments without the program's own name), or prints the overview, the
/// version or a command's help. Errors become one sentence on stderr. Returns an ExitCode.
int dispatch(const std::vector<Command>& commands, const std::vector<std::string>& arguments);

}  // namespace bilevel::cli
