#include "end_to_end/program.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

namespace bilevel::end_to_end {

namespace fs = std::filesystem;

namespace {

std::string in_quotes(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

/// Output goes to files beside the folder, not into it: a test may list the folder.
fs::path beside(const fs::path& folder, const char* ending) { return folder.string() + ending; }

/// What a process may allocate; 0: no limit. Beyond it an allocation fails.
void limit_memory(std::size_t megabytes) {
#ifdef __SANITIZE_ADDRESS__
  (void)megabytes;  // the sanitizer reserves terabytes for itself
#else
  if (megabytes == 0) return;
  const rlimit limit{megabytes << 20, megabytes << 20};
  setrlimit(RLIMIT_DATA, &limit);
#endif
}

pid_t launch(const Words& arguments, const fs::path& folder, const fs::path& out, const fs::path& err,
             const std::string& redirection, std::size_t megabytes) {
  std::string line = in_quotes(BILEVEL_PROGRAM);
  for (const auto& argument : arguments) line += " " + in_quotes(argument);
  // Without a redirection the shell becomes the program, so that signals reach it.
  line = redirection.empty() ? "exec " + line : line + " " + redirection;
  const pid_t process = fork();
  if (process != 0) return process;
  signal(SIGINT, SIG_DFL);
  limit_memory(megabytes);
  signal(SIGHUP, SIG_DFL);
  if (chdir(folder.c_str()) != 0 || freopen(out.c_str(), "w", stdout) == nullptr ||
      freopen(err.c_str(), "w", stderr) == nullptr) {
    _exit(126);
  }
  execl("/bin/sh", "sh", "-c", line.c_str(), static_cast<char*>(nullptr));
  _exit(127);
}

fs::path folder_of_test() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  return fs::temp_directory_path() /
         (std::string("bilevel-") + test->test_suite_name() + "-" + test->name() + "-" + std::to_string(getpid()));
}

}  // namespace

Running::Running(const Words& arguments, const fs::path& folder, const std::string& shell_redirection,
                 std::size_t megabytes)
    : out_(beside(folder_of_test(), ".out")),
      err_(beside(folder_of_test(), ".err")),
      process_(launch(arguments, folder, out_, err_, shell_redirection, megabytes)) {}

Running::~Running() {
  if (!has_ended()) {
    send(SIGKILL);
    waitpid(process_, &status_, 0);
  }
  std::error_code ignored;
  fs::remove(out_, ignored);
  fs::remove(err_, ignored);
}

void Running::send(int signal) const { kill(process_, signal); }

std::string Running::said() const { return content_of(out_); }

bool Running::has_ended() {
  if (!ended_) ended_ = waitpid(process_, &status_, WNOHANG) == process_;
  return ended_;
}

Ended Running::wait() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!has_ended()) {
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "the program still runs after 30 s";
      send(SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  const int code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  return {code, content_of(out_), content_of(err_)};
}

std::string content_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

EndToEnd::EndToEnd() : folder_(folder_of_test()) { fs::create_directories(folder_); }

EndToEnd::~EndToEnd() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void EndToEnd::write(const std::string& name, std::string_view content) const {
  std::ofstream(path(name), std::ios::binary) << content;
}

std::string EndToEnd::listing(const std::string& name) const {
  if (!fs::exists(path(name))) return "none";
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path(name))) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  std::string joined;
  for (const auto& one : names) joined += (joined.empty() ? "" : " ") + one;
  return joined;
}

Ended EndToEnd::bilevel(const Words& arguments, const std::string& redirection) const {
  return Running(arguments, folder_, redirection).wait();
}

Ended EndToEnd::bilevel_within(std::size_t megabytes, const Words& arguments) const {
  return Running(arguments, folder_, "", megabytes).wait();
}

Ended EndToEnd::bilevel_in(const fs::path& folder, const Words& arguments) const {
  return Running(arguments, folder, "").wait();
}

Json EndToEnd::json_of(const std::string& command, Words arguments, int code) const {
  arguments.insert(arguments.begin(), {command, "--json", "--quiet"});
  const auto ended = bilevel(arguments);
  EXPECT_EQ(ended.code, code) << ended.err;
  auto json = Json::parse(ended.out, nullptr, false);
  EXPECT_TRUE(json.is_object()) << "not one JSON object: " << ended.out << ended.err;
  return json;
}

void EndToEnd::expect_refused_by(const std::string& command, Words arguments, const std::string& part) const {
  arguments.insert(arguments.begin(), command);
  arguments.insert(arguments.end(), {"--out", "refused", "--quiet"});
  const auto ended = bilevel(arguments);
  EXPECT_EQ(ended.code, 2) << ended.out << ended.err;
  EXPECT_EQ(lines_of(ended.err).size(), 1U) << ended.err;
  EXPECT_NE(ended.err.find(part), std::string::npos) << ended.err;
  EXPECT_EQ(listing("refused"), "none");
}

}  // namespace bilevel::end_to_end
