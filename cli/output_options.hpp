// The options about output that commands share.
#pragma once

#include <string>

#include "bilevel/options.hpp"

namespace bilevel::cli {

inline constexpr const char* kOverwriteHelp =
    "replace the files of an earlier run in --out once the new ones are whole, and any file that --plot names";

/// --out and --overwrite of a command whose runs always have a directory; opens the group Output.
void add_run_directory(OptionTable& table, std::string& out, bool& overwrite);

/// --plot; `what` is drawn into a file such as `example`.
void add_picture(OptionTable& table, std::string& plot, const std::string& what, const std::string& example);

/// --json and --quiet.
void add_printing(OptionTable& table, bool& json, bool& quiet);

}  // namespace bilevel::cli
