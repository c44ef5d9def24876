// What the commands that work on data sets do alike: where a run's files go, and what its end tells the shell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bilevel/run_directory.hpp"
#include "bilevel/status.hpp"

namespace bilevel::cli {

/// `out` if it is given, else the next free "runs/COMMAND-DATASET-NNN", with "files" for no data set. `own_files` are
/// what a run of this command may replace there.
RunDirectory open_run_directory(const std::string& out, bool overwrite, const std::vector<std::string>& own_files,
                                std::string_view command, std::string_view dataset);

/// Removes these files, and the directory if nothing else is in it.
void take_back(const RunDirectory& directory, const std::vector<std::string>& own_files);

/// A step size that cannot work is the user's input; the automatic ones do not get there.
int exit_code(Status status);

/// A CSV field, quoted where it must be.
std::string csv_field(const std::string& text);

}  // namespace bilevel::cli
