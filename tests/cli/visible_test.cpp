#include "terminal/visible.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "pictures/script.hpp"
#include "terminal/stream.hpp"
#include "terminal/table.hpp"

namespace {

using namespace bilevel::cli;

TEST(Visible, WritesOutWhatATerminalWouldObey) {
  EXPECT_EQ(visible("größe 数据 🙂\n"), "größe 数据 🙂\n");
  EXPECT_EQ(visible("\x1b[31m\x07\x7f\r"), "\\u001b[31m\\u0007\\u007f\\u000d");
  EXPECT_EQ(visible("\xc2\x9b"
                    "31m \x9b"
                    "31m"),
            "\\u009b31m \\x9b31m")
      << "as UTF-8 and as a single byte";
  EXPECT_EQ(visible("a\u202eb\u2066c"), "a\\u202eb\\u2066c");
  EXPECT_EQ(visible("two\nlines\t."), "two\nlines\t.");
  EXPECT_EQ(visible("two\nlines", true), "two\\nlines");
}

TEST(Visible, ShortensInputAndKeepsTheSentence) {
  EXPECT_EQ(shortened("unknown option 'a b'; did you mean 'c'?"), "unknown option 'a b'; did you mean 'c'?");
  const std::string many(1000, 'x');
  EXPECT_EQ(shortened(many + ": is missing"), std::string(160, 'x') + "... is missing");
  std::string words;
  for (int i = 0; i < 200; ++i) words += "it's so ";
  const auto sentence = shortened("option 'label' cannot be '" + words + "': it must be a name");
  EXPECT_TRUE(sentence.starts_with("option 'label' cannot be 'it's so it's")) << sentence;
  EXPECT_TRUE(sentence.ends_with("...': it must be a name")) << sentence;
  EXPECT_LT(sentence.size(), 230U);
  std::string signs;
  for (int i = 0; i < 200; ++i) signs += "ö";
  EXPECT_EQ(visible(shortened(signs)).find("\\x"), std::string::npos) << "no sign is cut in two";
}

TEST(NarrowTable, TextsAreWrappedAndNumbersAreNot) {
  Table table({{"name"}, {"what it does", Align::left}, {"steps", Align::right}}, "A title");
  table.add_row({"smbg", "one step of a rather long description", "1,000,000"});
  EXPECT_EQ(table.to_string(0, 40),
            "A title\n"
            "name  what it does                 steps\n"
            "----  -----------------------  ---------\n"
            "smbg  one step of a rather     1,000,000\n"
            "      long description\n");
  EXPECT_EQ(table.to_string(2, 80),
            "  A title\n"
            "  name  what it does                               steps\n"
            "  ----  -------------------------------------  ---------\n"
            "  smbg  one step of a rather long description  1,000,000\n");
  EXPECT_EQ(table.to_string(0, 20),
            "A title\n"
            "name: smbg\n"
            "what it does: one\n"
            "step of a rather\n"
            "long description\n"
            "steps: 1,000,000\n");
}

TEST(NarrowTable, CellsAreMadeVisible) {
  Table table({{"label"}});
  table.add_row({"\x1b[2J"});
  EXPECT_EQ(table.to_string(0, 80), "label\n---------\n\\u001b[2J\n");
}

TEST(GnuplotText, TicsAreNoFormats) { EXPECT_EQ(gnuplot_tic("%n 50% 't"), "'%%n 50%% ’t'"); }

TEST(DumbTerminal, IsOneThatSaysSo) {
  const char* before = std::getenv("TERM");
  const std::string kept = before == nullptr ? "" : before;
  setenv("TERM", "dumb", 1);
  EXPECT_TRUE(is_dumb_terminal());
  setenv("TERM", "xterm", 1);
  EXPECT_FALSE(is_dumb_terminal());
  if (before == nullptr) {
    unsetenv("TERM");
  } else {
    setenv("TERM", kept.c_str(), 1);
  }
}

}  // namespace
