#include "data_run.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "command.hpp"

namespace bilevel::cli {

RunDirectory open_run_directory(const std::string& out, bool overwrite, const std::vector<std::string>& own_files,
                                std::string_view command, std::string_view dataset) {
  if (!out.empty()) return RunDirectory::create(out, overwrite, own_files);
  return RunDirectory::create_next("runs", fmt::format("{}-{}", command, dataset.empty() ? "files" : dataset));
}

void take_back(const RunDirectory& directory, const std::vector<std::string>& own_files) {
  std::error_code ignored;
  for (const auto& name : own_files) std::filesystem::remove(directory.file(name), ignored);
  std::filesystem::remove(directory.path(), ignored);
}

int exit_code(Status status) {
  switch (status) {
    case Status::converged:
    case Status::stagnated:
    case Status::budget_reached: return kSuccess;
    case Status::interrupted: return kInterrupted;
    case Status::diverged:
    case Status::nonfinite: return kBadInput;
    case Status::breakdown:
    case Status::lower_failed:
    case Status::exception: return kNoSuccess;
  }
  return kNoSuccess;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace bilevel::cli
