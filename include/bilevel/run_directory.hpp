// Where a run's files go: created once, held by one run at a time, written atomically, never overwriting what somebody
// else put there.
//
//   auto directory = RunDirectory::create("runs/people", overwrite, {"config.toml", "trace.jsonl", "result.json"});
//   TraceWriter trace(directory.file("trace.jsonl"));
//   ...
//   directory.write("result.json", json);
//   directory.deliver();
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bilevel {

/// Until the last copy of it is gone, no other run, of this process or another, gets the same directory.
class RunDirectory {
 public:
  /// Creates `path` and its parents. A directory that is not empty is refused (InvalidInput) unless `overwrite`, which
  /// lets deliver() replace the files named in `own_files` and nothing else. InvalidInput also if the path is a file or
  /// not writable, if one of `own_files` is a folder there, and if another run is at work in it, with its pid.
  ///
  /// Where an earlier run's files would be replaced, they stay until deliver(); till then the new ones lie in the first
  /// of path.unfinished-001, path.unfinished-002, ... that does not exist (inside `path`, as .unfinished-001, where its
  /// parent is another file system or not writable). There they also stay if the program is killed.
  static RunDirectory create(const std::filesystem::path& path, bool overwrite,
                             const std::vector<std::string>& own_files);

  /// Throws what create() would throw of a path that exists, without creating anything: to ask before long work.
  static void check(const std::filesystem::path& path, bool overwrite, const std::vector<std::string>& own_files = {});

  /// Creates the first of base/prefix-001, base/prefix-002, ... that does not exist, also when two programs try at
  /// once. `own_files` are what take_back() removes.
  static RunDirectory create_next(const std::filesystem::path& base, const std::string& prefix,
                                  const std::vector<std::string>& own_files = {});

  /// Where the files are after deliver().
  const std::filesystem::path& path() const;
  /// Where the files are now.
  const std::filesystem::path& working_path() const;
  /// A file of the run as it lies now; InvalidInput unless `name` is a plain file name, without a folder.
  std::filesystem::path file(std::string_view name) const;

  /// The file appears complete or not at all. A directory that was removed meanwhile is made again.
  void write(std::string_view name, std::string_view content) const;

  /// Puts the new files in the place of the earlier run's, all or none; does nothing where none were there.
  /// InvalidInput if that fails: then the earlier files are back, and the sentence says where the new ones are.
  void deliver() const;

  /// For a run that is refused after all: removes its own files, and the directory if create() made it and nothing else
  /// is in it. An earlier run's files stay.
  void take_back() const;

 private:
  struct Place;
  explicit RunDirectory(std::shared_ptr<Place> place);
  std::shared_ptr<Place> place_;
};

}  // namespace bilevel
