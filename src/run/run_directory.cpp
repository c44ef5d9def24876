#include "bilevel/run_directory.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>
#include <system_error>
#include <utility>

#include "bilevel/atomic_file.hpp"
#include "bilevel/status.hpp"
#include "run/directory_lock.hpp"

namespace bilevel {

namespace fs = std::filesystem;

namespace {

constexpr int kMostNumbers = 100000;
constexpr const char* kEarlier = ".earlier";  // in the working place: the earlier run's files while they are replaced

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::symlink_status(path, error).type() != fs::file_type::not_found;
}

/// Returns whether the directory was made here.
bool create_with_parents(const fs::path& path) {
  std::error_code error;
  const bool made = fs::create_directories(path, error);
  if (error) {
    throw InvalidInput(fmt::format("the directory {} cannot be created ({}): choose another one with --out",
                                   path.string(), error.message()));
  }
  return made;
}

void check_writable(const fs::path& path) {
  if (access(path.c_str(), W_OK | X_OK) != 0) {
    throw InvalidInput(fmt::format("the directory {} is not writable: choose another one with --out", path.string()));
  }
}

void check_name(std::string_view name) {
  if (!name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
      name.find('\0') == std::string_view::npos) {
    return;
  }
  throw InvalidInput(fmt::format("'{}' cannot be a run's file: it must be a plain file name, without a folder", name));
}

/// Empty but for the lock of a run, this one or one that was killed.
bool holds_nothing(const fs::path& path) {
  std::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename() != kLockFile) return false;
  }
  return true;
}

void check_content(const fs::path& path, bool overwrite, const std::vector<std::string>& own_files) {
  if (!overwrite && !holds_nothing(path)) {
    throw InvalidInput(
        fmt::format("the directory {} already holds files: choose another --out, or --overwrite to replace an "
                    "earlier run's files",
                    path.string()));
  }
  for (const auto& name : own_files) {
    std::error_code error;
    if (fs::symlink_status(path / name, error).type() == fs::file_type::directory) {
      throw InvalidInput(
          fmt::format("{} is a folder, where the run writes a file: choose another --out", (path / name).string()));
    }
  }
}

bool same_file_system(const fs::path& a, const fs::path& b) {
  struct stat first {
  }, second{};
  return stat(a.c_str(), &first) == 0 && stat(b.c_str(), &second) == 0 && first.st_dev == second.st_dev;
}

/// The first of stem001, stem002, ... that could be made; an empty path and the error if none could.
fs::path make_numbered(const std::string& stem, std::error_code& error) {
  for (int number = 1; number < kMostNumbers; ++number) {
    fs::path path = fmt::format("{}{:03}", stem, number);
    // create_directory is the test and the claim in one: it is false if somebody else was first.
    if (fs::create_directory(path, error)) return path;
    if (error && error != std::errc::file_exists) return {};
  }
  return {};
}

fs::path make_working_place(const fs::path& path) {
  std::error_code error;
  const auto whole = fs::canonical(path, error);
  if (!error && whole.has_filename() && same_file_system(whole, whole.parent_path())) {
    if (auto beside = make_numbered(whole.string() + ".unfinished-", error); !beside.empty()) return beside;
  }
  auto inside = make_numbered((path / ".unfinished-").string(), error);
  if (!inside.empty()) return inside;
  throw InvalidInput(fmt::format("beside and in {} no directory can be created ({}): choose another --out",
                                 path.string(), error ? error.message() : "too many unfinished runs"));
}

/// Renames that can be taken back.
class Moves {
 public:
  bool move(const fs::path& from, const fs::path& to) {
    fs::rename(from, to, error_);
    if (!error_) done_.emplace_back(from, to);
    return !error_;
  }
  void undo() {
    for (; !done_.empty(); done_.pop_back()) {
      std::error_code ignored;
      fs::rename(done_.back().second, done_.back().first, ignored);
    }
  }
  std::string reason() const { return error_.message(); }

 private:
  std::vector<std::pair<fs::path, fs::path>> done_;
  std::error_code error_;
};

}  // namespace

struct RunDirectory::Place {
  Place(fs::path final_path, bool was_made, std::vector<std::string> files)
      : path(std::move(final_path)), working(path), own_files(std::move(files)), made(was_made), lock(path) {}

  fs::path path, working;
  std::vector<std::string> own_files;
  bool made;
  DirectoryLock lock;
};

RunDirectory::RunDirectory(std::shared_ptr<Place> place) : place_(std::move(place)) {}

void RunDirectory::check(const fs::path& path, bool overwrite, const std::vector<std::string>& own_files) {
  std::error_code error;
  if (!fs::exists(path, error)) return;
  if (!fs::is_directory(path, error)) {
    throw InvalidInput(
        fmt::format("{} is a file, but the run's files need a directory: choose another --out", path.string()));
  }
  check_writable(path);
  DirectoryLock::check(path);
  check_content(path, overwrite, own_files);
}

RunDirectory RunDirectory::create(const fs::path& path, bool overwrite, const std::vector<std::string>& own_files) {
  for (const auto& name : own_files) check_name(name);
  check(path, overwrite, own_files);
  const bool made = create_with_parents(path);
  check_writable(path);
  auto place = std::make_shared<Place>(path, made, own_files);
  check_content(path, overwrite, own_files);  // once more, now that nobody else is at work there
  for (const auto& name : own_files) {
    if (!is_there(path / name)) continue;
    place->working = make_working_place(path);
    break;
  }
  return RunDirectory(std::move(place));
}

RunDirectory RunDirectory::create_next(const fs::path& base, const std::string& prefix,
                                       const std::vector<std::string>& own_files) {
  create_with_parents(base);
  check_writable(base);
  std::error_code error;
  auto path = make_numbered((base / (prefix + "-")).string(), error);
  if (!path.empty()) return RunDirectory(std::make_shared<Place>(std::move(path), true, own_files));
  if (error) throw InvalidInput(fmt::format("{} cannot be created ({})", (base / prefix).string(), error.message()));
  throw InvalidInput(
      fmt::format("{} already holds {} runs named {}: choose another --out", base.string(), kMostNumbers - 1, prefix));
}

const fs::path& RunDirectory::path() const { return place_->path; }
const fs::path& RunDirectory::working_path() const { return place_->working; }

fs::path RunDirectory::file(std::string_view name) const {
  check_name(name);
  return place_->working / name;
}

void RunDirectory::write(std::string_view name, std::string_view content) const {
  const auto target = file(name);
  std::error_code error;
  if (!is_there(place_->working)) fs::create_directories(place_->working, error);
  write_atomically(target, content);
}

void RunDirectory::deliver() const {
  auto& [path, working, own_files, made, lock] = *place_;
  if (working == path) return;
  std::set<std::string> replaced(own_files.begin(), own_files.end());
  std::vector<std::string> added;
  std::error_code error;
  for (fs::directory_iterator entry(working, error), end; !error && entry != end; entry.increment(error)) {
    added.push_back(entry->path().filename().string());
    replaced.insert(added.back());
  }
  fs::create_directories(path, error);
  const auto earlier = working / kEarlier;
  fs::create_directories(earlier, error);

  Moves moves;
  bool complete = true;
  for (const auto& name : replaced) {
    if (complete && is_there(path / name)) complete = moves.move(path / name, earlier / name);
  }
  for (const auto& name : added) {
    if (complete) complete = moves.move(working / name, path / name);
  }
  if (!complete) {
    moves.undo();
    fs::remove(earlier, error);
    throw InvalidInput(fmt::format("the earlier run's files in {} cannot be replaced ({}): the new ones are in {}",
                                   path.string(), moves.reason(), working.string()));
  }
  fs::remove_all(working, error);
  working = path;
}

void RunDirectory::take_back() const {
  auto& [path, working, own_files, made, lock] = *place_;
  std::error_code ignored;
  if (working != path) {
    fs::remove_all(working, ignored);
    working = path;
    return;
  }
  for (const auto& name : own_files) fs::remove(path / name, ignored);
  if (!made || !holds_nothing(path)) return;
  fs::remove(path / kLockFile, ignored);
  fs::remove(path, ignored);
}

}  // namespace bilevel
