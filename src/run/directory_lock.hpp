// One run at a time in a directory.
#pragma once

#include <filesystem>
#include <string_view>

namespace bilevel {

/// The file in a run's directory that is locked (flock) while the run works there; the run's pid stands in it. The lock
/// ends with the process, however that ends, so that a file left by a killed run holds nobody off.
inline constexpr std::string_view kLockFile = ".bilevel-lock";

class DirectoryLock {
 public:
  /// Takes the lock of an existing directory. Throws InvalidInput, with the other run's pid, if it is taken, and if
  /// something else lies under the lock file's name. Where the file system knows no locks, nothing is locked.
  explicit DirectoryLock(const std::filesystem::path& directory);
  /// Removes the file and gives the lock up.
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

  /// Throws what the constructor would, if another run works in the directory; takes nothing.
  static void check(const std::filesystem::path& directory);

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace bilevel
