#include "bilevel/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <random>
#include <string>
#include <system_error>

#include "bilevel/status.hpp"

namespace bilevel {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kEnding = ".part";
constexpr std::size_t kDigits = 16;

// Random, so that nobody can lay a trap under the name; drawn from the system, not from a seeded stream.
std::string random_digits() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

fs::path folder_of(const fs::path& target) { return target.has_parent_path() ? target.parent_path() : fs::path("."); }

bool is_temporary_of(std::string_view target, std::string_view name) {
  if (name.size() != target.size() + 1 + kDigits + kEnding.size() || !name.starts_with(target) ||
      !name.ends_with(kEnding) || name[target.size()] != '.') {
    return false;
  }
  const auto digits = name.substr(target.size() + 1, kDigits);
  return digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Removes the file if its writer is gone: one that lives holds a lock on it.
void remove_if_abandoned(const fs::path& file) {
  constexpr std::time_t kOld = 60;  // seconds; covers the moment between a file's creation and its lock
  struct stat about {};
  if (lstat(file.c_str(), &about) != 0 || !S_ISREG(about.st_mode) || about.st_uid != geteuid()) return;
  if (std::time(nullptr) - about.st_mtime < kOld) return;
  const int descriptor = open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return;
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) unlink(file.c_str());
  close(descriptor);
}

void remove_abandoned(const fs::path& target) {
  const std::string name = target.filename().string();
  std::error_code error;
  for (fs::directory_iterator entry(folder_of(target), error), end; !error && entry != end; entry.increment(error)) {
    if (is_temporary_of(name, entry->path().filename().string())) remove_if_abandoned(entry->path());
  }
}

bool write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const auto written = write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      if (written == 0) errno = ENOSPC;
      return false;
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

void write_atomically(const fs::path& target, std::string_view content) {
  const auto fail = [&](int reason) {
    throw InvalidInput(fmt::format("{}: cannot be written ({})", target.string(), std::strerror(reason)));
  };
  remove_abandoned(target);
  fs::path temporary;
  int descriptor = -1;
  constexpr int kTries = 10;  // two names of 64 random bits are never the same but by a trap
  for (int i = 0; i < kTries && descriptor < 0; ++i) {
    temporary = target;
    temporary += fmt::format(".{}{}", random_digits(), kEnding);
    descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno != EEXIST) fail(errno);
  }
  if (descriptor < 0) fail(errno);
  flock(descriptor, LOCK_EX | LOCK_NB);  // says that the writer lives; where there are no locks, only age tells
  int reason = write_all(descriptor, content) && fsync(descriptor) == 0 ? 0 : errno;
  // Renamed before it is closed: closing gives up the lock.
  if (reason == 0 && std::rename(temporary.c_str(), target.c_str()) != 0) reason = errno;
  if (reason != 0) unlink(temporary.c_str());
  close(descriptor);
  if (reason != 0) fail(reason);
}

}  // namespace bilevel
