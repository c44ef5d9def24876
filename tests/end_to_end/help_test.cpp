// Help, and answers to what the program does not know.
#include "end_to_end/program.hpp"

namespace bilevel::end_to_end {
namespace {

class Help : public EndToEnd {};

TEST_F(Help, MentionsEachOptionAndTeaches) {
  const auto help = bilevel({"clean", "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.err, "");
  // Each row of `bilevel options clean` starts with | `--name`.
  const auto options = bilevel({"options", "clean"});
  EXPECT_EQ(options.code, 0);
  std::size_t count = 0;
  for (const auto& line : lines_of(options.out)) {
    if (!line.starts_with("| `--")) continue;
    ++count;
    const auto name = line.substr(5, line.find('`', 5) - 5);
    const bool mentioned =
        help.out.find("--" + name) != std::string::npos || help.out.find("--[no-]" + name) != std::string::npos;
    EXPECT_TRUE(mentioned) << name;
  }
  EXPECT_GT(count, 40U);
  for (const char* part : {"Usage: bilevel clean", "mislabelled", "weight", "trusted rows", "Examples", "--config"}) {
    EXPECT_NE(help.out.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(bilevel({"help", "clean"}).out, help.out);
}

TEST_F(Help, OfTheProgramListsItsCommands) {
  const auto ended = bilevel({});
  EXPECT_EQ(ended.code, 0);
  EXPECT_NE(ended.out.find("\n  clean "), std::string::npos);
  EXPECT_EQ(bilevel({"--version"}).code, 0);
}

TEST_F(Help, CleanWithoutInputSaysWhatItNeeds) {
  const auto ended = bilevel({"clean"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(lines_of(ended.err).size(), 1U);
  EXPECT_NE(ended.err.find("--train"), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("dataset"), std::string::npos) << ended.err;
}

TEST_F(Help, UnknownNamesAreAnsweredWithTheNearest) {
  const auto expect = [&](const Words& words, const std::string& nearest) {
    const auto ended = bilevel(words);
    EXPECT_EQ(ended.code, 2);
    EXPECT_EQ(ended.out, "");
    EXPECT_EQ(lines_of(ended.err).size(), 1U) << ended.err;
    EXPECT_NE(ended.err.find("did you mean '" + nearest + "'"), std::string::npos) << ended.err;
  };
  expect({"claen"}, "clean");
  expect({"clean", "--trian", "x"}, "--train");
  expect({"clean", "--train", "x", "--precision", "flaot64"}, "float64");
}

}  // namespace
}  // namespace bilevel::end_to_end
