#include "data_run.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <system_error>
#include <utility>

#include "bilevel/spreadsheet.hpp"
#include "command.hpp"
#include "terminal/stream.hpp"

namespace bilevel::cli {

RunDirectory open_run_directory(const std::string& out, bool overwrite, const std::vector<std::string>& own_files,
                                std::string_view command, std::string_view dataset) {
  if (!out.empty()) return RunDirectory::create(out, overwrite, own_files);
  return RunDirectory::create_next("runs", fmt::format("{}-{}", command, dataset.empty() ? "files" : dataset),
                                   own_files);
}

RunFiles::RunFiles(RunDirectory directory, std::string config)
    : directory_(std::move(directory)), config_(std::move(config)) {
  try {
    directory_.write("config.toml", config_);
  } catch (...) {
    directory_.take_back();
    throw;
  }
  written_.emplace_back("config.toml");
}

RunFiles::~RunFiles() {
  std::error_code error;
  const auto steps = std::filesystem::file_size(directory_.working_path() / "trace.jsonl", error);
  if (finished_ || (!error && steps > 0)) return;
  directory_.take_back();
}

void RunFiles::write(std::string_view name, std::string_view content) {
  write(name, [&](const std::filesystem::path&) { directory_.write(name, content); });
}

void RunFiles::write(std::string_view name, const std::function<void(const std::filesystem::path&)>& writer) {
  try {
    writer(directory_.file(name));
    written_.emplace_back(name);
  } catch (const Error& error) {
    missing_.emplace_back(error.what());
  }
}

void RunFiles::finish(const TraceWriter* trace) {
  finished_ = true;
  std::error_code error;
  if (!std::filesystem::exists(file("config.toml"), error)) write("config.toml", config_);
  if (trace != nullptr) written_.emplace_back("trace.jsonl");
  for (const auto& name : written_) {
    if (std::filesystem::exists(file(name), error)) continue;
    missing_.push_back(fmt::format("{}: was removed during the run", file(name).string()));
  }
  if (trace != nullptr && !trace->problem().empty()) missing_.push_back(trace->problem());
  if (directory_.working_path() == directory_.path()) return;
  if (!missing_.empty()) {
    missing_.push_back(fmt::format("so the earlier run's files stay in {}, and the new ones are in {}",
                                   directory_.path().string(), directory_.working_path().string()));
    return;
  }
  try {
    directory_.deliver();
  } catch (const Error& failure) {
    missing_.emplace_back(failure.what());
  }
}

std::string draw_or_say(const std::function<void()>& draw) {
  try {
    draw();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

int code_with_missing(int code, std::vector<std::string> missing, const std::string& no_picture) {
  if (!no_picture.empty()) missing.push_back(no_picture);
  if (missing.empty()) return code;
  write_message(fmt::format("the result is whole, but not its files: {}", fmt::join(missing, "; ")));
  return kIncomplete;
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

std::string csv_field(const std::string& raw) {
  const auto text = data::spreadsheet_text(raw);
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace bilevel::cli
