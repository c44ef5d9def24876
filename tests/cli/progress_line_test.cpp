// The living line, byte for byte, on a clock that the test turns.
#include "terminal/progress_line.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace bilevel::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct ProgressLineTest : ::testing::Test {
  char* written = nullptr;
  std::size_t bytes = 0;
  std::FILE* stream = open_memstream(&written, &bytes);
  std::chrono::steady_clock::time_point now{};

  ProgressLine line(ProgressLine::Mode mode) {
    return {stream, mode, 11, [this] { return now; }};
  }
  std::string text() {
    std::fflush(stream);
    return {written, bytes};
  }
  ~ProgressLineTest() override {
    std::fclose(stream);
    std::free(written);
  }
};

TEST_F(ProgressLineTest, LivingLineIsShownAtOnceThenTenTimesASecond) {
  {
    auto progress = line(ProgressLine::Mode::living);
    progress.update("one");
    EXPECT_EQ(text(), "\r\x1b[Kone");
    now += milliseconds(99);
    EXPECT_FALSE(progress.is_due());
    progress.update("two");
    EXPECT_EQ(text(), "\r\x1b[Kone");
    now += milliseconds(1);
    progress.update("three");
    EXPECT_EQ(text(), "\r\x1b[Kone\r\x1b[Kthree");
    progress.finish("done");
    EXPECT_EQ(text(), "\r\x1b[Kone\r\x1b[Kthree\r\x1b[Kdone\n");
  }
  EXPECT_EQ(text(), "\r\x1b[Kone\r\x1b[Kthree\r\x1b[Kdone\n");  // nothing left to clear
}

TEST_F(ProgressLineTest, LivingLineIsCutToTheScreen) {
  auto progress = line(ProgressLine::Mode::living);
  progress.update("0123456789");
  now += seconds(1);
  progress.update("αβγδεζηθικλμ");
  EXPECT_EQ(text(), "\r\x1b[K0123456789\r\x1b[Kαβγδεζηθι…");
  progress.finish();
}

TEST_F(ProgressLineTest, AnErrorFindsACleanLine) {
  {
    auto progress = line(ProgressLine::Mode::living);
    progress.update("one");
  }
  EXPECT_EQ(text(), "\r\x1b[Kone\r\x1b[K");
}

TEST_F(ProgressLineTest, NotesStandAboveTheLivingLine) {
  auto progress = line(ProgressLine::Mode::living);
  progress.update("one");
  progress.note("halved the step");
  progress.update("two");
  EXPECT_EQ(text(), "\r\x1b[Kone\r\x1b[Khalved the step\n\r\x1b[Ktwo");
}

TEST_F(ProgressLineTest, FilesGetALineEveryFiveSeconds) {
  auto progress = line(ProgressLine::Mode::lines);
  progress.update("at once");
  EXPECT_EQ(text(), "");
  now += seconds(5);
  progress.update("a text longer than the screen");
  progress.update("too soon");
  now += milliseconds(4999);
  progress.update("too soon");
  now += milliseconds(1);
  progress.update("two");
  progress.finish("done");
  EXPECT_EQ(text(), "a text longer than the screen\ntwo\ndone\n");
}

TEST_F(ProgressLineTest, SilentWritesNothing) {
  auto progress = line(ProgressLine::Mode::silent);
  progress.update("one");
  progress.note("note");
  progress.finish("done");
  EXPECT_FALSE(progress.is_due());
  EXPECT_EQ(text(), "");
}

TEST_F(ProgressLineTest, ModeFollowsTheStream) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(ProgressLine::mode_for(file, false), ProgressLine::Mode::lines);
  EXPECT_EQ(ProgressLine::mode_for(file, true), ProgressLine::Mode::silent);
  std::fclose(file);
}

}  // namespace
}  // namespace bilevel::cli
