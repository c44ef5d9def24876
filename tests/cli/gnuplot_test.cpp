#include "pictures/gnuplot.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <iterator>
#include <limits>

#include "bilevel/status.hpp"
#include "message_of.hpp"
#include "pictures/child_process.hpp"
#include "run_directory/temporary.hpp"

namespace bilevel::cli {
namespace {

namespace fs = std::filesystem;
using bilevel::testing::content_of;
using bilevel::testing::message_of;
using bilevel::testing::TemporaryDirectory;
using std::chrono::milliseconds;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Four bytes of a PNG file, big end first: width at 16, height at 20.
unsigned png_number(const std::string& png, std::size_t at) {
  unsigned number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = 256 * number + static_cast<unsigned char>(png.at(at + i));
  return number;
}

Script small_script() {
  DataBlock block("line");
  block.row({0, 1});
  block.row({1, kNaN});
  block.row({2, kInfinity});
  block.row({3, 2});
  return {"set title 'small'\nplot $line using 1:2 with linespoints\n", {block}, 300, 200};
}

std::ptrdiff_t files_in(const fs::path& path) {
  return std::distance(fs::directory_iterator(path), fs::directory_iterator());
}

TEST(ChildProcess, GivesBackALongConversation) {
  const std::string input(3'000'000, 'a');  // more than any buffer between the two holds
  const auto result = run_child({"cat"}, input, milliseconds(30'000));
  EXPECT_EQ(result.end, ChildResult::End::exited);
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.output, input);
}

TEST(ChildProcess, SurvivesAChildThatDoesNotRead) {
  const std::string input(3'000'000, 'a');
  const auto result = run_child({"false"}, input, milliseconds(30'000));
  EXPECT_EQ(result.end, ChildResult::End::exited);
  EXPECT_EQ(result.code, 1);
}

TEST(ChildProcess, TellsErrorOutputAndSignals) {
  const auto loud = run_child({"sh", "-c", "echo out; echo err >&2; exit 3"}, "", milliseconds(30'000));
  EXPECT_EQ(loud.code, 3);
  EXPECT_EQ(loud.output, "out\n");
  EXPECT_EQ(loud.error, "err\n");
  const auto killed = run_child({"sh", "-c", "kill -9 $$"}, "", milliseconds(30'000));
  EXPECT_EQ(killed.end, ChildResult::End::signalled);
  EXPECT_EQ(killed.code, 9);
}

TEST(ChildProcess, StopsAChildAtTheTimeLimit) {
  const auto start = std::chrono::steady_clock::now();
  // One that stays silent, and one that has closed its output but lives on.
  EXPECT_EQ(run_child({"sleep", "60"}, "", milliseconds(50)).end, ChildResult::End::timed_out);
  EXPECT_EQ(run_child({"sh", "-c", "exec >&- 2>&- sleep 60"}, "", milliseconds(50)).end, ChildResult::End::timed_out);
  // The limit is 0.1 seconds; a busy machine may add some, but not a child's minute.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(ChildProcess, SaysThatAProgramIsMissing) {
  EXPECT_EQ(run_child({"bilevel-no-such-program"}, "", milliseconds(1000)).end, ChildResult::End::not_found);
}

TEST(Script, QuotesEveryText) {
  EXPECT_EQ(gnuplot_string("it's `x` @y $z \\n"), "'it’s `x` @y $z \\n'");
  EXPECT_EQ(gnuplot_string("two\nlines"), "'two lines'");
  EXPECT_EQ(gnuplot_string("größe φ 𝜑"), "'größe φ 𝜑'");
  // A lone continuation byte, a cut sequence, an overlong form, a surrogate.
  EXPECT_EQ(gnuplot_string("\x80|\xC3|\xC0\xAF|\xED\xA0\x80"),
            "'?|?|?"
            "?|?"
            "?"
            "?'")
      << "a string in pieces has no trigraphs";
}

TEST(Script, WritesWhatCannotBeDrawnAsMissing) {
  EXPECT_EQ(number(0.1), "0.1");
  for (const double value : {kNaN, kInfinity, -kInfinity, 1e200, -1e200}) EXPECT_EQ(number(value), "NaN");
  DataBlock block("rows");
  block.row({1, kNaN, -2.5});
  block.gap();
  EXPECT_EQ(block.text(), "1 NaN -2.5\n\n");
}

TEST(Script, RangesAreNeverEmpty) {
  const auto range = range_of({3, kNaN, 1, kInfinity});
  EXPECT_LT(range.low, 1);
  EXPECT_GT(range.high, 3);
  for (const auto& values : {std::vector<double>{}, {kNaN}, {0}, {5, 5}, {1e149, 1e149}, {-1e-300}}) {
    const auto [low, high] = range_of(values);
    EXPECT_LT(low, high);
    EXPECT_NE(number(low), number(high)) << "still two numbers when written";
  }
}

TEST(Gnuplot, PutsTerminalDataAndCommandsInOrder) {
  const std::string text = script_text(small_script(), PictureFormat::png);
  const auto terminal = text.find("set terminal pngcairo noenhanced size 300,200");
  const auto data = text.find("$line << END_OF_DATA\n0 1\n1 NaN\n2 NaN\n3 2\nEND_OF_DATA\n");
  const auto plot = text.find("plot $line");
  ASSERT_NE(plot, std::string::npos);
  EXPECT_LT(terminal, data);
  EXPECT_LT(data, plot);
}

TEST(Gnuplot, DrawsPngAndSvgOfTheSizeAskedFor) {
  const TemporaryDirectory temporary;
  draw(small_script(), temporary.path() / "picture.png");
  const auto png = content_of(temporary.path() / "picture.png");
  ASSERT_TRUE(png.starts_with("\x89PNG"));
  EXPECT_EQ(png_number(png, 16), 300u);
  EXPECT_EQ(png_number(png, 20), 200u);
  draw(small_script(), temporary.path() / "picture.SVG");
  const auto svg = content_of(temporary.path() / "picture.SVG");
  EXPECT_NE(svg.find("<svg"), std::string::npos);
  EXPECT_NE(svg.find("width=\"300\" height=\"200\""), std::string::npos);
  EXPECT_NE(svg.find(">small<"), std::string::npos);
  EXPECT_EQ(files_in(temporary.path()), 2);
}

TEST(Gnuplot, TakesAnyFileName) {
  const TemporaryDirectory temporary;
  for (const char* name : {"it's \"quoted\".png", "with spaces $HOME `x`.png", "größe φ 日本.png", "-d.png"}) {
    draw(small_script(), temporary.path() / name);
    EXPECT_TRUE(content_of(temporary.path() / name).starts_with("\x89PNG")) << name;
  }
  EXPECT_EQ(files_in(temporary.path()), 4);
}

TEST(Gnuplot, RunsNothingThatATextSays) {
  const TemporaryDirectory temporary;
  const auto victim = temporary.path() / "victim";
  auto script = small_script();
  script.commands = "set title " +
                    gnuplot_string("`touch " + victim.string() + "`'; system('touch " + victim.string() +
                                   "'); '\n!touch " + victim.string()) +
                    "\nplot $line using 1:2 with lines\n";
  draw(script, temporary.path() / "picture.png");
  EXPECT_FALSE(fs::exists(victim));
}

TEST(Gnuplot, RefusesOtherEndings) {
  EXPECT_EQ(message_of<InvalidInput>([] { draw(small_script(), "picture.pdf"); }),
            "picture.pdf: a picture's name must end with .png or .svg");
  EXPECT_EQ(message_of<InvalidInput>([] { draw(small_script(), "picture"); }),
            "picture: a picture's name must end with .png or .svg");
}

TEST(Gnuplot, SaysWhatToInstall) {
  const TemporaryDirectory temporary;
  EXPECT_EQ(message_of<InvalidInput>([&] {
              draw(small_script(), temporary.path() / "picture.png", {.program = "bilevel-no-such-gnuplot"});
            }),
            "pictures need gnuplot: install the package gnuplot-nox, or leave --plot out");
  EXPECT_EQ(files_in(temporary.path()), 0);
}

TEST(Gnuplot, AFailureLeavesTheEarlierPictureAlone) {
  const TemporaryDirectory temporary;
  const auto target = temporary.path() / "picture.png";
  draw(small_script(), target);
  const auto before = content_of(target);
  auto script = small_script();
  script.commands = "plot $nothing with lines\n";
  EXPECT_EQ(message_of<InvalidInput>([&] { draw(script, target); }),
            target.string() + ": gnuplot could not draw the picture: no datablock named $nothing");
  script.commands = "pause 60\n";
  EXPECT_EQ(message_of<InvalidInput>([&] { draw(script, target, {.time_limit = milliseconds(100)}); }),
            target.string() + ": gnuplot was not done after 0.1 seconds and was stopped");
  script.commands = "exit\n";  // success without a picture
  EXPECT_EQ(message_of<InvalidInput>([&] { draw(script, target); }),
            target.string() + ": gnuplot could not draw the picture: it gave no reason");
  EXPECT_EQ(content_of(target), before);
  EXPECT_EQ(files_in(temporary.path()), 1) << "no temporary file is left";
}

TEST(Gnuplot, NamesAFolderThatIsMissing) {
  const TemporaryDirectory temporary;
  const auto target = temporary.path() / "missing" / "picture.png";
  const auto message = message_of<InvalidInput>([&] { draw(small_script(), target); });
  EXPECT_TRUE(message.starts_with(target.string() + ": cannot be written (")) << message;
}

}  // namespace
}  // namespace bilevel::cli
