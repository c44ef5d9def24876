#include "bilevel/run_directory.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <system_error>

#include "bilevel/atomic_file.hpp"
#include "bilevel/status.hpp"

namespace bilevel {

namespace fs = std::filesystem;

namespace {

void create_parents(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    throw InvalidInput(fmt::format("the directory {} cannot be created ({}): choose another one with --out",
                                   path.string(), error.message()));
  }
}

void check_writable(const fs::path& path) {
  if (access(path.c_str(), W_OK | X_OK) != 0) {
    throw InvalidInput(fmt::format("the directory {} is not writable: choose another one with --out", path.string()));
  }
}

}  // namespace

void RunDirectory::check(const fs::path& path, bool overwrite) {
  std::error_code error;
  if (!fs::exists(path, error)) return;
  if (!fs::is_directory(path, error)) {
    throw InvalidInput(
        fmt::format("{} is a file, but the run's files need a directory: choose another --out", path.string()));
  }
  check_writable(path);
  if (!overwrite && !fs::is_empty(path, error)) {
    throw InvalidInput(
        fmt::format("the directory {} already holds files: choose another --out, or --overwrite to replace an "
                    "earlier run's files",
                    path.string()));
  }
}

RunDirectory RunDirectory::create(const fs::path& path, bool overwrite, const std::vector<std::string>& own_files) {
  check(path, overwrite);
  create_parents(path);
  check_writable(path);
  std::error_code ignored;
  for (const auto& name : own_files) fs::remove(path / name, ignored);
  return RunDirectory(path);
}

RunDirectory RunDirectory::create_next(const fs::path& base, const std::string& prefix) {
  constexpr int kMost = 100000;
  create_parents(base);
  check_writable(base);
  for (int number = 1; number < kMost; ++number) {
    const fs::path path = base / fmt::format("{}-{:03}", prefix, number);
    std::error_code error;
    // create_directory is the test and the claim in one: it is false if somebody else was first.
    if (fs::create_directory(path, error)) return RunDirectory(path);
    if (error && error != std::errc::file_exists) {
      throw InvalidInput(fmt::format("{} cannot be created ({})", path.string(), error.message()));
    }
  }
  throw InvalidInput(
      fmt::format("{} already holds {} runs named {}: choose another --out", base.string(), kMost - 1, prefix));
}

void RunDirectory::write(std::string_view name, std::string_view content) const {
  write_atomically(path_ / name, content);
}

}  // namespace bilevel
