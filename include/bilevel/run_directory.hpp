// Where a run's files go: created once, written atomically, never overwriting what somebody else put there.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bilevel {

class RunDirectory {
 public:
  /// Creates `path` and its parents. A directory that is not empty is refused (InvalidInput) unless `overwrite`, which
  /// removes the files named in `own_files` and nothing else. InvalidInput also if the path is a file or not writable.
  static RunDirectory create(const std::filesystem::path& path, bool overwrite,
                             const std::vector<std::string>& own_files);

  /// Throws what create() would throw of a path that exists, without creating anything: to ask before long work.
  static void check(const std::filesystem::path& path, bool overwrite);

  /// Creates the first of base/prefix-001, base/prefix-002, ... that does not exist, also when two programs try at
  /// once.
  static RunDirectory create_next(const std::filesystem::path& base, const std::string& prefix);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(std::string_view name) const { return path_ / name; }

  /// The file appears complete or not at all.
  void write(std::string_view name, std::string_view content) const;

 private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace bilevel
