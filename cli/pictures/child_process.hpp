// A program run to its end: text in, text out, and never a hang.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace bilevel::cli {

struct ChildResult {
  enum class End {
    exited,      // `code` is its exit status
    signalled,   // `code` is the signal that ended it
    timed_out,   // killed at the time limit
    not_found,   // no such program
    not_started  // `error` is the system's reason
  };
  End end = End::not_started;
  int code = 0;
  std::string output;  // its standard output
  std::string error;   // its standard error
};

/// Runs command[0], looked up in PATH, with the rest as its arguments: no shell. `input` goes to its standard input;
/// a child that stops reading, or ends early, does no harm. Killed after `time_limit`, whatever it waits for.
ChildResult run_child(const std::vector<std::string>& command, std::string_view input,
                      std::chrono::milliseconds time_limit);

}  // namespace bilevel::cli
