// The program `bilevel`.
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <csignal>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "arguments.hpp"
#include "bilevel/registry.hpp"
#include "bilevel/status.hpp"
#include "check.hpp"
#include "clean.hpp"
#include "command.hpp"
#include "distill.hpp"
#include "inspect.hpp"
#include "race.hpp"
#include "reweight.hpp"
#include "solve.hpp"
#include "terminal/stream.hpp"
#include "terminal/table.hpp"
#include "tune.hpp"

namespace bilevel::cli {

namespace {

int run_methods(const std::vector<std::string>& arguments) {
  const CommandText text{"methods", "Lists the outer methods that --method takes, with the papers they are from.", ""};
  OptionTable no_options;
  if (parse_arguments(text, no_options, arguments).help_requested) {
    write_out(help_text(text, no_options));
    return kSuccess;
  }
  Table table({{"method"}, {"what it does"}, {"source"}});
  for (const auto& method : methods()) table.add_row({method.name, method.summary, method.source});
  write_out(table.to_string());
  return kSuccess;
}

std::vector<Command> commands();

int run_options(const std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  for (const auto& command : commands()) {
    if (!command.options) continue;
    if (arguments.size() == 1 && arguments.front() == command.name) {
      write_out(command.options());
      return kSuccess;
    }
    names.push_back(command.name);
  }
  const auto known = fmt::format("{}", fmt::join(names, ", "));
  if (arguments.size() == 1 && (arguments.front() == "--help" || arguments.front() == "-h")) {
    write_out(fmt::format(
        "Usage: bilevel options <command>\n\nPrints a command's options as Markdown tables. Commands: {}\n", known));
    return kSuccess;
  }
  if (arguments.size() != 1) {
    throw InvalidOption(fmt::format("`bilevel options` needs one command: {}", known));
  }
  const auto nearest = nearest_name(arguments.front(), names);
  throw InvalidOption(
      fmt::format("no options are known of a command '{}'; {}", arguments.front(),
                  nearest.empty() ? "known commands: " + known : fmt::format("did you mean '{}'?", nearest)));
}

std::vector<Command> commands() {
  return {
      clean_command(),
      distill_command(),
      race_command(),
      reweight_command(),
      solve_command(),
      inspect_command(),
      check_command(),
      tune_command(),
      {"methods", "the outer methods and their papers", run_methods},
      {"options", "a command's options as Markdown", run_options},
  };
}

/// The next file opened would take the place of a standard stream that is closed, and get what is printed.
void fill_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) < 0) [[maybe_unused]]
      const int lowest_free = open("/dev/null", O_RDWR);
  }
}

/// Vectors of a leader step are given back and taken again all the time: with glibc's thresholds their pages would go
/// to the system and come back as page faults in every step, which makes a short step half as long again.
void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kKept = 256 << 20, kOwnPages = 64 << 20;
  mallopt(M_TRIM_THRESHOLD, kKept);
  mallopt(M_MMAP_THRESHOLD, kOwnPages);
#endif
}

}  // namespace

}  // namespace bilevel::cli

int main(int count, char** words) {
  bilevel::cli::fill_closed_streams();
  bilevel::cli::keep_freed_memory();
  // Writing to a reader that has gone then fails, and write_out passes over it; results still reach their files.
  std::signal(SIGPIPE, SIG_IGN);
#ifdef SIGXFSZ
  std::signal(SIGXFSZ, SIG_IGN);  // writing beyond the allowed size fails, too, and says so like a full disk
#endif
  return bilevel::cli::dispatch(bilevel::cli::commands(), {words + (count > 0 ? 1 : 0), words + count});
}
