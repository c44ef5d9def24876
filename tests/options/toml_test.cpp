// config.toml: what it sets and how its mistakes are reported.
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "example_options.hpp"

namespace bilevel::testing {
namespace {

struct Toml : ExampleTable {
  std::string refusal_of_text(const std::string& toml) {
    return refusal([&] { set_from_toml(table, toml, "my.toml"); });
  }
};

TEST_F(Toml, SetsEachKind) {
  set_from_toml(
      table,
      "steps = 7\nstride = \"auto\"\nseed = \"18446744073709551615\"\ntolerance = 1e-3\nstep-size = 0.5\n"
      "time-limit = inf\nwarm-start = false\nplan = \"checkpoint\"\nlabel = 'a \"b\"'\ndrop = [\"x\", \"a,b\"]\n",
      "my.toml");
  EXPECT_EQ(options.steps, 7);
  EXPECT_EQ(options.seed, 18446744073709551615U);
  EXPECT_EQ(options.tolerance, 1e-3);
  EXPECT_EQ(options.step_size, 0.5);
  EXPECT_TRUE(std::isinf(options.time_limit));
  EXPECT_FALSE(options.warm_start);
  EXPECT_EQ(options.plan, Plan::checkpoint);
  EXPECT_EQ(options.label, "a \"b\"");
  EXPECT_EQ(options.drop, (std::vector<std::string>{"x", "a,b"}));
}

TEST_F(Toml, OneTextForAListIsOneItem) {
  set_from_toml(table, "drop = 'a,b'", "my.toml");
  EXPECT_EQ(options.drop, (std::vector<std::string>{"a,b"}));
}

TEST_F(Toml, AWholeNumberIsARealButNotTheOtherWayRound) {
  set_from_toml(table, "step-size = 2", "my.toml");
  EXPECT_EQ(options.step_size, 2.0);
  EXPECT_EQ(refusal_of_text("steps = 20.0"),
            "my.toml:1:1: option 'steps' cannot be '20.0': it must be an integer from 1 to 1000");
}

TEST_F(Toml, MistakesNameTheirPlace) {
  EXPECT_EQ(refusal_of_text("# a comment\n\n  steps = 0\n"),
            "my.toml:3:3: option 'steps' cannot be '0': it must be an integer from 1 to 1000");
  EXPECT_EQ(refusal_of_text("seed = 1\nstep-sice = 2\n"),
            "my.toml:2:1: unknown option 'step-sice'; did you mean 'step-size'?");
  EXPECT_EQ(refusal_of_text("[follower]\nsteps = 2\n").substr(0, 10), "my.toml:1:");
  EXPECT_EQ(refusal_of_text("steps = [1, 2]"),
            "my.toml:1:1: option 'steps' cannot be a list: it must be an integer from 1 to 1000");
  EXPECT_EQ(refusal_of_text("seed = 2026-01-01"),
            "my.toml:1:1: option 'seed' cannot be a date or time: it must be an integer >= 0");
  EXPECT_EQ(refusal_of_text("drop = [[\"a\"]]"), "my.toml:1:1: option 'drop' must be a list of plain values");
  EXPECT_EQ(refusal_of_text("drop = [\"a\", \"\"]").substr(0, 12), "my.toml:1:1:");
  EXPECT_EQ(refusal_of_text("tolerance = nan").substr(0, 41), "my.toml:1:1: option 'tolerance' cannot be");
  EXPECT_EQ(refusal_of_text("steps = \"7\"\nsteps = 8\n").substr(0, 10), "my.toml:2:");
}

TEST_F(Toml, TheFirstMistakeInTheFileIsReported) {
  EXPECT_EQ(refusal_of_text("zzzzzzzz = 1\naaaaaaaa = 2\n"), "my.toml:1:1: unknown option 'zzzzzzzz'");
}

TEST_F(Toml, BrokenTextNamesItsPlace) {
  const auto sentence = refusal_of_text("seed = 1\nsteps = = 2\n");
  EXPECT_EQ(sentence.substr(0, 28), "my.toml:2:9: not valid TOML:") << sentence;
  EXPECT_EQ(sentence.find('\n'), sentence.npos);
  EXPECT_NE(refusal_of_text("label = \"open\n").find("my.toml:1:"), std::string::npos);
  EXPECT_NE(refusal_of_text("label = \"\xff\xfe\"\n").find("my.toml:1:"), std::string::npos);
  EXPECT_NE(refusal_of_text(std::string(5000, '[')).find("my.toml:1:"), std::string::npos);
}

TEST_F(Toml, TextsThatTheParserItselfMistakes) {
  EXPECT_EQ(refusal_of_text("[!x]\n").substr(0, 28), "my.toml:1:2: not valid TOML:");
  EXPECT_EQ(refusal_of_text("seed = 2\n[[[x]\n").substr(0, 28), "my.toml:2:3: not valid TOML:");
  set_from_toml(table, "label = \"übergröße \u00a0 \u3000\"  # ärger\n", "my.toml");
  EXPECT_EQ(options.label, "übergröße \u00a0 \u3000");
  EXPECT_EQ(refusal_of_text("stüps = 1\n").substr(0, 10), "my.toml:1:");
}

TEST_F(Toml, VeryLongTextsAreRefused) {
  std::string key;
  while (key.size() < 90'000) key += "a.";
  EXPECT_EQ(refusal_of_text(key + "a = 1"), "my.toml:1:130: not a file of options: nested more than 64 levels deep");
  const std::string word(90'000, 'a');
  EXPECT_EQ(refusal_of_text("# '\n" + word + " = 1"), "my.toml:2:1: unknown option '" + std::string(60, 'a') + "...'");
  EXPECT_EQ(refusal_of_text("steps = '" + word + "'").substr(0, 103),
            "my.toml:1:1: option 'steps' cannot be '" + std::string(60, 'a') + "...'");
  EXPECT_LT(refusal_of_text(word + " = 1\n" + word + " = 2\n").size(), 300U);
  EXPECT_EQ(refusal_of_text(std::string(100'001, '#')),
            "my.toml: too long for a file of options, which has at most 100000 bytes");
  // A file without an end must not be read to its end.
  EXPECT_THROW(load_toml(table, "/dev/zero"), InvalidInput);
}

TEST_F(Toml, FilesAreRead) {
  const auto folder = std::filesystem::temp_directory_path();
  const auto file = folder / ("bilevel_options_" + std::to_string(getpid()) + ".toml");
  std::ofstream(file) << "\xEF\xBB\xBFsteps = 9\r\nseed = 4\r\n";  // as a Windows editor writes it
  load_toml(table, file);
  EXPECT_EQ(options.steps, 9);
  EXPECT_EQ(options.seed, 4U);
  std::filesystem::remove(file);
  EXPECT_THROW(load_toml(table, file), InvalidInput);
  EXPECT_THROW(load_toml(table, folder), InvalidInput);
}

}  // namespace
}  // namespace bilevel::testing
