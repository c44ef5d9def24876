#include "bilevel/run_directory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "bilevel/atomic_file.hpp"
#include "bilevel/status.hpp"
#include "run_directory/temporary.hpp"

namespace {

namespace fs = std::filesystem;
using bilevel::InvalidInput;
using bilevel::RunDirectory;
using bilevel::testing::content_of;
using bilevel::testing::TemporaryDirectory;

std::ptrdiff_t files_in(const fs::path& path) {
  return std::distance(fs::directory_iterator(path), fs::directory_iterator());
}

TEST(RunDirectory, CreatesMissingParentsAndWrites) {
  const TemporaryDirectory temporary;
  const auto path = temporary.path() / "a" / "b";
  {
    const auto directory = RunDirectory::create(path, false, {});
    directory.write("result.json", "{}\n");
    EXPECT_EQ(content_of(directory.file("result.json")), "{}\n");
  }
  EXPECT_EQ(files_in(path), 1) << "no temporary file and no lock is left";
}

TEST(RunDirectory, AcceptsAnEmptyDirectory) {
  const TemporaryDirectory temporary;
  EXPECT_NO_THROW(RunDirectory::create(temporary.path(), false, {}));
}

TEST(RunDirectory, RefusesADirectoryWithFilesAndLeavesThemAlone) {
  const TemporaryDirectory temporary;
  bilevel::write_atomically(temporary.path() / "result.json", "earlier");
  try {
    RunDirectory::create(temporary.path(), false, {"result.json"});
    FAIL() << "was not refused";
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find("--overwrite"), std::string::npos) << error.what();
  }
  EXPECT_EQ(content_of(temporary.path() / "result.json"), "earlier");
}

TEST(RunDirectory, OverwriteRemovesARunsOwnFilesAndNothingElse) {
  const TemporaryDirectory temporary;
  bilevel::write_atomically(temporary.path() / "result.json", "earlier");
  bilevel::write_atomically(temporary.path() / "thesis.tex", "mine");
  RunDirectory::create(temporary.path(), true, {"result.json", "weights.csv"}).deliver();
  EXPECT_FALSE(fs::exists(temporary.path() / "result.json"));
  EXPECT_EQ(content_of(temporary.path() / "thesis.tex"), "mine");
}

TEST(RunDirectory, RefusesAFileInTheWay) {
  const TemporaryDirectory temporary;
  const auto file = temporary.path() / "file";
  bilevel::write_atomically(file, "x");
  EXPECT_THROW(RunDirectory::create(file, true, {}), InvalidInput);
  EXPECT_THROW(RunDirectory::create(file / "below", false, {}), InvalidInput);
  EXPECT_THROW(RunDirectory::create_next(file, "run"), InvalidInput);
}

TEST(RunDirectory, NextTakesTheFirstFreeNumber) {
  const TemporaryDirectory temporary;
  const auto name = [&] { return RunDirectory::create_next(temporary.path() / "runs", "clean").path().filename(); };
  EXPECT_EQ(name(), "clean-001");
  EXPECT_EQ(name(), "clean-002");
  fs::remove(temporary.path() / "runs" / "clean-001");
  EXPECT_EQ(name(), "clean-001");
  bilevel::write_atomically(temporary.path() / "runs" / "clean-003", "a file takes its number too");
  EXPECT_EQ(name(), "clean-004");
}

TEST(AtomicFile, ReplacesTheWholeContent) {
  const TemporaryDirectory temporary;
  const auto file = temporary.path() / "f";
  bilevel::write_atomically(file, std::string(100000, 'a'));
  bilevel::write_atomically(file, "b");
  EXPECT_EQ(content_of(file), "b");
}

TEST(AtomicFile, FailureNamesThePathAndLeavesNothing) {
  const TemporaryDirectory temporary;
  fs::create_directories(temporary.path() / "directory" / "inside");
  try {
    bilevel::write_atomically(temporary.path() / "directory", "cannot replace a directory that is not empty");
    FAIL() << "was written";
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find("directory"), std::string::npos) << error.what();
  }
  EXPECT_EQ(files_in(temporary.path()), 1) << "the temporary file is gone";
  EXPECT_THROW(bilevel::write_atomically(temporary.path() / "absent" / "f", "x"), InvalidInput);
}

}  // namespace
