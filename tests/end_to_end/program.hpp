// Runs the built program as a user does, in a folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bilevel::end_to_end {

using Words = std::vector<std::string>;
using Json = nlohmann::json;

/// How a run ended and what it said. A run killed by signal s has the code 128 + s, as in a shell.
struct Ended {
  int code;
  std::string out, err;
};

/// A started program; killed if it still runs at the end of the test.
class Running {
 public:
  /// `megabytes`: the most memory that the program may allocate; 0: no limit.
  Running(const Words& arguments, const std::filesystem::path& folder, const std::string& shell_redirection,
          std::size_t megabytes = 0);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void send(int signal) const;
  /// What stands on standard output by now.
  std::string said() const;
  bool has_ended();
  Ended wait();  // fails the test, and kills, after half a minute

 private:
  std::filesystem::path out_, err_;
  pid_t process_;
  int status_ = 0;
  bool ended_ = false;
};

std::string content_of(const std::filesystem::path& file);
std::vector<std::string> lines_of(const std::string& text);

/// A folder for each test, removed at its end; runs start in it.
class EndToEnd : public testing::Test {
 protected:
  EndToEnd();
  ~EndToEnd() override;

  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, std::string_view content) const;
  std::string content(const std::string& name) const { return content_of(path(name)); }
  /// Names of the files in a folder, sorted, joined by blanks; "none" if there is no such folder.
  std::string listing(const std::string& name) const;

  /// Runs to the end. `redirection` is appended to the shell's command line, e.g. "| head -n 1".
  Ended bilevel(const Words& arguments, const std::string& redirection = "") const;
  /// The same in another working folder.
  Ended bilevel_in(const std::filesystem::path& folder, const Words& arguments) const;
  /// The same with a limit on the memory that it may allocate (none under the address sanitizer).
  Ended bilevel_within(std::size_t megabytes, const Words& arguments) const;
  Running start(const Words& arguments) const { return {arguments, folder_, ""}; }

  /// Runs a command with --json; must end with `code`. The object that it prints.
  Json json_of(const std::string& command, Words arguments, int code = 0) const;
  Json clean(Words arguments, int code = 0) const { return json_of("clean", std::move(arguments), code); }

  /// Must be refused with exit code 2 in one sentence that holds `part`, and leave no folder --out behind.
  void expect_refused_by(const std::string& command, Words arguments, const std::string& part) const;

 private:
  std::filesystem::path folder_;
};

inline constexpr std::string_view kAllFiles = "cleaned.csv config.toml result.json trace.jsonl weights.csv";

}  // namespace bilevel::end_to_end
