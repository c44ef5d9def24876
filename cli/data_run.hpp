// What the commands that work on data sets do alike: where a run's files go, and what its end tells the shell.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/run_directory.hpp"
#include "bilevel/status.hpp"
#include "bilevel/trace.hpp"

namespace bilevel::cli {

/// `out` if it is given, else the next free "runs/COMMAND-DATASET-NNN", with "files" for no data set. `own_files` are
/// what a run of this command may replace there.
RunDirectory open_run_directory(const std::string& out, bool overwrite, const std::vector<std::string>& own_files,
                                std::string_view command, std::string_view dataset);

/// The files of a run, from its first to its last. What cannot be written is named at the end; it costs neither the
/// result nor the other files.
class RunFiles {
 public:
  /// Writes config.toml; what is refused here is refused before the work, and throws.
  RunFiles(RunDirectory directory, std::string config);
  /// Without finish() the run was refused: its files are taken back. But finished steps in trace.jsonl are kept.
  ~RunFiles();
  RunFiles(const RunFiles&) = delete;
  RunFiles& operator=(const RunFiles&) = delete;

  /// The directory as it is called after the run.
  std::string path() const { return directory_.path().string(); }
  /// A file as it lies during the run.
  std::filesystem::path file(std::string_view name) const { return directory_.file(name); }

  void write(std::string_view name, std::string_view content);
  /// The same for what writes its file by itself: `writer` gets the path, and may throw Error.
  void write(std::string_view name, const std::function<void(const std::filesystem::path&)>& writer);

  /// After the last file: says which are missing, and puts the rest in the place of an earlier run's. That is left
  /// alone if a file is missing: then the sentences say where the new ones are.
  void finish(const TraceWriter* trace = nullptr);

  /// A sentence for each file that is missing and why. Empty: all are there.
  const std::vector<std::string>& missing() const { return missing_; }

 private:
  RunDirectory directory_;
  std::string config_;
  std::vector<std::string> written_;
  std::vector<std::string> missing_;
  bool finished_ = false;
};

/// Draws a picture; returns the sentence of one that could not be drawn, or "": the answer must not be lost with it.
std::string draw_or_say(const std::function<void()>& draw);

/// `code`, or kIncomplete where files or the picture are missing, then with one sentence on standard error that names
/// them: a caller of the program must not take the run's files for whole.
int code_with_missing(int code, std::vector<std::string> missing, const std::string& no_picture = "");

/// A step size that cannot work is the user's input; the automatic ones do not get there.
int exit_code(Status status);

/// A CSV field, quoted where it must be, that no spreadsheet runs: data::spreadsheet_text.
std::string csv_field(const std::string& text);

}  // namespace bilevel::cli
