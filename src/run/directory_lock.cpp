#include "run/directory_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>

#include "bilevel/status.hpp"

namespace bilevel {

namespace fs = std::filesystem;

namespace {

std::string pid_in(int descriptor) {
  std::array<char, 20> text{};
  const auto read = pread(descriptor, text.data(), text.size(), 0);
  std::string_view digits(text.data(), read > 0 ? static_cast<std::size_t>(read) : 0);
  digits = digits.substr(0, digits.find_first_not_of("0123456789"));
  return digits.empty() ? "" : fmt::format(" (process {})", digits);
}

[[noreturn]] void refuse_second(const fs::path& directory, int descriptor) {
  const auto other = pid_in(descriptor);
  close(descriptor);
  throw InvalidInput(fmt::format("another run{} is at work in {}: wait for its end, or choose another --out", other,
                                 directory.string()));
}

/// Whether the open file still stands under its name: the run before may have removed it meanwhile.
bool is_current(int descriptor, const fs::path& file) {
  struct stat open_one {
  }, named{};
  return fstat(descriptor, &open_one) == 0 && lstat(file.c_str(), &named) == 0 && open_one.st_dev == named.st_dev &&
         open_one.st_ino == named.st_ino;
}

/// check() holds a shared lock for an instant, which must not turn a run away.
bool lock_with_patience(int descriptor, int kind) {
  constexpr int kTries = 5;
  for (int i = 0; i < kTries; ++i) {
    if (flock(descriptor, kind | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK && errno != EINTR) return true;  // no locks on this file system
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

int open_lock_file(const fs::path& file, int flags) {
  const int descriptor = open(file.c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0666);
  if (descriptor < 0 && errno == ENOENT) return -1;
  struct stat about {};
  if (descriptor < 0 || fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) {
    const std::string reason = descriptor < 0 ? std::strerror(errno) : "it is no regular file";
    if (descriptor >= 0) close(descriptor);
    throw InvalidInput(fmt::format("{}: cannot be used as the run's lock ({}); remove it, or choose another --out",
                                   file.string(), reason));
  }
  return descriptor;
}

}  // namespace

DirectoryLock::DirectoryLock(const fs::path& directory) : file_(directory / kLockFile) {
  for (;;) {
    descriptor_ = open_lock_file(file_, O_RDWR | O_CREAT);
    if (descriptor_ < 0) {
      throw InvalidInput(fmt::format("{}: cannot be created (the directory is gone)", file_.string()));
    }
    if (!lock_with_patience(descriptor_, LOCK_EX)) refuse_second(directory, descriptor_);
    if (is_current(descriptor_, file_)) break;
    close(descriptor_);
  }
  // On a full disk the lock holds without the pid.
  const auto pid = fmt::format("{}\n", getpid());
  [[maybe_unused]] const bool written =
      ftruncate(descriptor_, 0) == 0 && pwrite(descriptor_, pid.data(), pid.size(), 0) > 0;
}

DirectoryLock::~DirectoryLock() {
  if (is_current(descriptor_, file_)) unlink(file_.c_str());
  close(descriptor_);
}

void DirectoryLock::check(const fs::path& directory) {
  const int descriptor = open_lock_file(directory / kLockFile, O_RDONLY);
  if (descriptor < 0) return;
  if (!lock_with_patience(descriptor, LOCK_SH)) refuse_second(directory, descriptor);
  close(descriptor);
}

}  // namespace bilevel
