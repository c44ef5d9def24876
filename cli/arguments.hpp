// The command line of one command, read into its OptionTable:
//
//   CleaningOptions options;
//   OptionTable table = described(options);
//   const CommandText text{.name = "clean", .description = "Finds mislabelled rows.", .examples = "bilevel clean ..."};
//   const Arguments given = parse_arguments(text, table, arguments);
//   if (given.help_requested) return write_out(help_text(text, table)), kSuccess;
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "bilevel/options.hpp"

namespace bilevel::cli {

/// What help says about a command besides its options.
struct CommandText {
  std::string name;
  std::string description;  // paragraphs, separated by empty lines; wrapped to the terminal
  std::string examples;     // printed as it is, under "Examples"; may be empty
  /// The one word that stands without an option, as help calls it: "GAME.toml", or "[GAME.toml]" where it may be left
  /// out; empty: there is none.
  std::string operand = {};
};

struct Arguments {
  bool help_requested = false;  // then nothing was set
  /// The options named on the command line (not those that stand in a --config file).
  std::set<std::string> given;
  std::vector<std::filesystem::path> config_files;  // in the order in which they were loaded
  std::string operand;                              // not empty if the command has one

  bool has(const std::string& name) const { return given.count(name) > 0; }
};

/// Sets the table's options from --name value, --name=value, --flag and --no-flag. Options in --config FILE.toml are
/// set before, so that the command line wins. An option given twice takes its last value, except for a list: its values
/// are gathered, and each may hold several items joined by commas (`\,` is a comma inside an item). Throws
/// InvalidOption, with one sentence, for an unknown option (with the nearest known one), a missing or refused value, a
/// word that belongs to no option, or a missing operand; InvalidInput for a file that cannot be read.
Arguments parse_arguments(const CommandText& text, OptionTable& table, const std::vector<std::string>& arguments);

/// Usage, description, each option under its group with default and allowed values, examples. `width` 0 means the
/// terminal's, at most 100.
std::string help_text(const CommandText& text, const OptionTable& table, std::size_t width = 0);

}  // namespace bilevel::cli
