// Two runs and one directory, and an earlier run's files until the new ones are whole.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <set>
#include <string>

#include "bilevel/atomic_file.hpp"
#include "bilevel/run_directory.hpp"
#include "bilevel/status.hpp"
#include "run_directory/temporary.hpp"

namespace {

namespace fs = std::filesystem;
using bilevel::InvalidInput;
using bilevel::RunDirectory;
using bilevel::testing::content_of;
using bilevel::testing::TemporaryDirectory;

std::string refusal(const fs::path& path, bool overwrite) {
  try {
    RunDirectory::create(path, overwrite, {"result.json"});
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "";
}

std::string names_in(const fs::path& path) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(path)) names.insert(entry.path().filename().string());
  std::string joined;
  for (const auto& name : names) joined += (joined.empty() ? "" : " ") + name;
  return joined;
}

TEST(RunDirectoryLock, TheSecondRunIsRefusedWithTheFirstsPid) {
  const TemporaryDirectory temporary;
  const auto path = temporary.path() / "o";
  {
    const auto first = RunDirectory::create(path, false, {"result.json"});
    for (const bool overwrite : {false, true}) {
      const auto sentence = refusal(path, overwrite);
      EXPECT_NE(sentence.find("(process " + std::to_string(getpid()) + ")"), std::string::npos) << sentence;
      EXPECT_THROW(RunDirectory::check(path, overwrite), InvalidInput);
    }
  }
  EXPECT_EQ(names_in(path), "") << "the lock is gone with the run";
  EXPECT_EQ(refusal(path, false), "");
}

TEST(RunDirectoryLock, ARunThatWasKilledHoldsNobodyOff) {
  const TemporaryDirectory temporary;
  const auto path = temporary.path() / "o";
  const pid_t child = fork();
  if (child == 0) {
    const auto directory = RunDirectory::create(path, false, {});
    raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(names_in(path), ".bilevel-lock");
  EXPECT_EQ(refusal(path, false), "") << "a lock alone is no file of a run";
}

TEST(RunDirectoryLock, ALinkInItsPlaceIsNotFollowed) {
  const TemporaryDirectory temporary;
  const auto path = temporary.path() / "o";
  fs::create_directory(path);
  bilevel::write_atomically(temporary.path() / "mine", "mine");
  fs::create_symlink(temporary.path() / "mine", path / ".bilevel-lock");
  EXPECT_NE(refusal(path, true), "");
  EXPECT_EQ(content_of(temporary.path() / "mine"), "mine");
}

TEST(RunDirectoryReplaced, TheEarlierFilesStayUntilTheNewOnesAreDelivered) {
  const TemporaryDirectory temporary;
  const auto path = temporary.path() / "o";
  fs::create_directory(path);
  bilevel::write_atomically(path / "result.json", "earlier");
  bilevel::write_atomically(path / "points.csv", "earlier, of no use to the new run");
  bilevel::write_atomically(path / "thesis.tex", "mine");
  {
    const auto directory = RunDirectory::create(path, true, {"config.toml", "result.json", "points.csv"});
    EXPECT_EQ(directory.path(), path);
    EXPECT_EQ(directory.working_path().filename(), "o.unfinished-001");
    directory.write("config.toml", "new");
    directory.write("result.json", "new");
    EXPECT_EQ(content_of(path / "result.json"), "earlier");
    EXPECT_FALSE(fs::exists(path / "config.toml"));
    directory.deliver();
    EXPECT_EQ(content_of(directory.file("result.json")), "new");
  }
  EXPECT_EQ(names_in(path), "config.toml result.json thesis.tex");
  EXPECT_EQ(content_of(path / "result.json"), "new");
  EXPECT_EQ(content_of(path / "thesis.tex"), "mine");
  EXPECT_EQ(names_in(temporary.path()), "o");
}

TEST(RunDirectoryReplaced, WhatWasNotDeliveredIsFoundBesideTheEarlierRun) {
  const TemporaryDirectory temporary;
  const auto path = temporary.path() / "o";
  fs::create_directory(path);
  bilevel::write_atomically(path / "result.json", "earlier");
  for (int i = 0; i < 2; ++i) RunDirectory::create(path, true, {"result.json"}).write("result.json", "new");
  EXPECT_EQ(names_in(path), "result.json");
  EXPECT_EQ(content_of(path / "result.json"), "earlier");
  EXPECT_EQ(names_in(temporary.path()), "o o.unfinished-001 o.unfinished-002");
  EXPECT_EQ(content_of(temporary.path() / "o.unfinished-001" / "result.json"), "new");
}

TEST(RunDirectoryReplaced, ARefusedRunLeavesNothing) {
  const TemporaryDirectory temporary;
  const auto path = temporary.path() / "o";
  {
    const auto directory = RunDirectory::create(path, false, {"result.json"});
    directory.write("result.json", "new");
    directory.take_back();
  }
  EXPECT_EQ(names_in(temporary.path()), "") << "the directory was made for this run";
  fs::create_directory(path);
  bilevel::write_atomically(path / "result.json", "earlier");
  {
    const auto directory = RunDirectory::create(path, true, {"result.json"});
    directory.write("result.json", "new");
    directory.take_back();
  }
  EXPECT_EQ(names_in(temporary.path()), "o");
  EXPECT_EQ(content_of(path / "result.json"), "earlier");
}

TEST(RunDirectoryReplaced, ALinkAmongTheEarlierFilesIsReplacedNotFollowed) {
  const TemporaryDirectory temporary;
  const auto path = temporary.path() / "o";
  fs::create_directory(path);
  bilevel::write_atomically(temporary.path() / "mine", "mine");
  fs::create_symlink(temporary.path() / "mine", path / "result.json");
  const auto directory = RunDirectory::create(path, true, {"result.json"});
  directory.write("result.json", "new");
  directory.deliver();
  EXPECT_EQ(content_of(temporary.path() / "mine"), "mine");
  EXPECT_EQ(content_of(path / "result.json"), "new");
  EXPECT_FALSE(fs::is_symlink(path / "result.json"));
}

TEST(RunDirectoryReplaced, AFolderUnderTheNameOfAFileIsRefusedBeforeTheWork) {
  const TemporaryDirectory temporary;
  fs::create_directories(temporary.path() / "result.json" / "inside");
  EXPECT_NE(refusal(temporary.path(), true).find("is a folder"), std::string::npos);
  EXPECT_EQ(names_in(temporary.path() / "result.json"), "inside");
}

TEST(RunDirectory, ADirectoryThatWasRemovedMeanwhileIsMadeAgain) {
  const TemporaryDirectory temporary;
  const auto path = temporary.path() / "o";
  const auto directory = RunDirectory::create(path, false, {});
  fs::remove_all(path);
  directory.write("result.json", "kept");
  EXPECT_EQ(content_of(path / "result.json"), "kept");
}

TEST(RunDirectory, NamesThatLeaveTheDirectoryAreRefused) {
  const TemporaryDirectory temporary;
  const auto directory = RunDirectory::create(temporary.path() / "o", false, {});
  for (const std::string name : {"../x", "a/x", "/x", "..", ".", ""}) {
    EXPECT_THROW(directory.write(name, "x"), InvalidInput) << name;
    EXPECT_THROW(directory.file(name), InvalidInput) << name;
    EXPECT_THROW(RunDirectory::create(temporary.path() / "p", false, {name}), InvalidInput) << name;
  }
  EXPECT_EQ(names_in(temporary.path()), "o");
}

TEST(AtomicFile, ALinkIsReplacedAndWhatItPointsAtStays) {
  const TemporaryDirectory temporary;
  bilevel::write_atomically(temporary.path() / "mine", "mine");
  fs::create_symlink(temporary.path() / "mine", temporary.path() / "f");
  fs::create_symlink(temporary.path() / "mine", temporary.path() / ("f." + std::to_string(getpid()) + ".part"));
  bilevel::write_atomically(temporary.path() / "f", "new");
  EXPECT_EQ(content_of(temporary.path() / "mine"), "mine");
  EXPECT_EQ(content_of(temporary.path() / "f"), "new");
  EXPECT_FALSE(fs::is_symlink(temporary.path() / "f"));
}

TEST(AtomicFile, WhatAKilledWriterLeftIsRemovedAndNothingElse) {
  const TemporaryDirectory temporary;
  const std::string digits = "0123456789abcdef";
  for (const auto& name : {"f." + digits + ".part", "g." + digits + ".part", std::string("f.backup.part"),
                           std::string("f.0123456789abcdeX.part")}) {
    bilevel::write_atomically(temporary.path() / name, "left");
    fs::last_write_time(temporary.path() / name, fs::file_time_type::clock::now() - std::chrono::hours(1));
  }
  bilevel::write_atomically(temporary.path() / ("f.aaaaaaaaaaaaaaaa.part"), "young: its writer may live");
  bilevel::write_atomically(temporary.path() / "f", "new");
  EXPECT_EQ(names_in(temporary.path()),
            "f f.0123456789abcdeX.part f.aaaaaaaaaaaaaaaa.part f.backup.part g." + digits + ".part");
}

TEST(AtomicFile, AFileThatMayNotGrowLeavesNoPart) {
  const TemporaryDirectory temporary;
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      bilevel::write_atomically(temporary.path() / "f", std::string(5000, 'x'));
    } catch (const InvalidInput&) {
      _exit(7);
    }
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_EQ(names_in(temporary.path()), "");
}

}  // namespace
