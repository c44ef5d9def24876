// Where a command writes, checked before it works: nothing that it reads may lie where it writes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "arguments.hpp"

namespace bilevel::cli {

/// What a command was told to write.
struct Outputs {
  std::string out;  // the run's directory; empty: none, or a new one
  bool overwrite = false;
  const std::vector<std::string>& own_files;  // that the run writes into `out`
  std::string plot = {};                      // the picture's file; empty: none
};

/// All files and folders that the command was told to read: its operand, the files of --config, and what the options
/// about data name. "a.csv", "images,labels", "ham:mail/ham,spam:mail/junk" and "web=web.csv" name what they are made
/// of, too.
std::vector<std::string> inputs_of(const OptionTable& table, const Arguments& words);

/// Throws InvalidInput, before anything is written, if
///   - an input, or a file in a folder that is an input, is what the run would replace in `out`, or is `plot` itself
///     (compared as files: links are followed, and a second name of the same file is found);
///   - RunDirectory::check refuses `out`;
///   - `plot` ends in neither .png nor .svg, its folder is missing or cannot be written to, or a file is there that is
///     no picture of this program's and `overwrite` is not given.
void check_outputs(const Outputs& outputs, const std::vector<std::string>& inputs);

}  // namespace bilevel::cli
