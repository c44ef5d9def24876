// The command line: every way to give a value, and the sentence for every mistake.
#include "arguments.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "bilevel/status.hpp"
#include "terminal/text.hpp"

namespace bilevel::cli {
namespace {

struct ExampleOptions {
  std::string train;
  int inner_steps = 20;
  std::optional<double> step_size;
  double shift = 0;
  bool warm_start = true;
  std::vector<std::string> drop;
};

void describe(OptionTable& table, ExampleOptions& o) {
  table.group("Data")
      .add("train", o.train, "the training rows", "a CSV file")
      .add("drop", o.drop, "columns to leave out");
  table.group("Follower")
      .add("inner-steps", o.inner_steps, "steps k of the follower", at_least(1))
      .add("step-size", o.step_size, "length of a step", greater_than(0))
      .add("shift", o.shift, "added to every number")
      .add("warm-start", o.warm_start, "start the follower from its last answer instead of from its first guess");
}

const CommandText kText{"clean", "Finds mislabelled rows.\n\nA second paragraph.", "  bilevel clean --train rows.csv"};

struct ArgumentsTest : ::testing::Test {
  ExampleOptions options;
  OptionTable table = described(options);

  Arguments parse(const std::vector<std::string>& words) { return parse_arguments(kText, table, words); }
  std::string refusal(const std::vector<std::string>& words) {
    try {
      parse(words);
    } catch (const InvalidOption& error) {
      return error.what();
    }
    return "no refusal";
  }
};

TEST_F(ArgumentsTest, BothFormsOfAValue) {
  const auto given = parse({"--train", "rows.csv", "--inner-steps=50"});
  EXPECT_EQ(options.train, "rows.csv");
  EXPECT_EQ(options.inner_steps, 50);
  EXPECT_EQ(given.given, (std::set<std::string>{"inner-steps", "train"}));
  EXPECT_TRUE(given.has("train"));
  EXPECT_FALSE(given.has("shift"));
  EXPECT_FALSE(given.help_requested);
}

TEST_F(ArgumentsTest, NegativeNumbersAreValues) {
  parse({"--shift", "-1e-3"});
  EXPECT_EQ(options.shift, -1e-3);
  parse({"--shift=-2"});
  EXPECT_EQ(options.shift, -2);
  EXPECT_EQ(refusal({"--inner-steps", "-3"}), "option 'inner-steps' cannot be '-3': it must be an integer >= 1");
}

TEST_F(ArgumentsTest, TextsAreTakenAsTheyAre) {
  for (const auto* text : {"[a,b]", "a b", "a=b", "-", "{}", "%%", "\"quoted\"", "'", "--x"}) {
    parse({"--train=" + std::string(text)});
    EXPECT_EQ(options.train, text);
    if (std::string(text).substr(0, 2) == "--") continue;
    options.train = "";
    parse({"--train", text});
    EXPECT_EQ(options.train, text);
  }
}

TEST_F(ArgumentsTest, EmptyValues) {
  options.train = "rows.csv";
  parse({"--train=", "--shift", "1"});
  EXPECT_EQ(options.train, "");
  EXPECT_EQ(options.shift, 1);
  options.train = "rows.csv";
  parse({"--train", "", "--shift=2"});
  EXPECT_EQ(options.train, "");
  EXPECT_EQ(options.shift, 2);
  EXPECT_EQ(refusal({"--shift="}), "option 'shift' cannot be '': it must be a number");
  EXPECT_EQ(refusal({"--warm-start="}), "option 'warm-start' cannot be '': it must be true or false");
}

TEST_F(ArgumentsTest, Flags) {
  parse({"--no-warm-start"});
  EXPECT_FALSE(options.warm_start);
  parse({"--warm-start"});
  EXPECT_TRUE(options.warm_start);
  parse({"--warm-start=false"});
  EXPECT_FALSE(options.warm_start);
  parse({"--no-warm-start", "--warm-start"});
  EXPECT_TRUE(options.warm_start);
  EXPECT_EQ(refusal({"--warm-start=maybe"}), "option 'warm-start' cannot be 'maybe': it must be true or false");
  EXPECT_EQ(refusal({"--warm-start", "false"}),
            "unexpected argument 'false': every value stands behind its option, as in --name false");
}

TEST_F(ArgumentsTest, ListsGather) {
  parse({"--drop", "id", "--shift", "1", "--drop=name,age", "--drop", R"(a\,b)"});
  EXPECT_EQ(options.drop, (std::vector<std::string>{"id", "name", "age", "a,b"}));
  parse({"--drop", R"(C:\)", "--drop", "[x]"});
  EXPECT_EQ(options.drop, (std::vector<std::string>{R"(C:\)", "[x]"}));
  parse({"--drop="});
  EXPECT_TRUE(options.drop.empty());
  EXPECT_NE(refusal({"--drop", "a", "--drop", ""}).find("no item may be empty"), std::string::npos);
}

TEST_F(ArgumentsTest, TheLastOfSeveralValuesWinsButAllAreChecked) {
  parse({"--inner-steps", "5", "--inner-steps", "6"});
  EXPECT_EQ(options.inner_steps, 6);
  EXPECT_EQ(refusal({"--inner-steps", "x", "--inner-steps", "6"}),
            "option 'inner-steps' cannot be 'x': it must be an integer >= 1");
}

TEST_F(ArgumentsTest, UnknownOptions) {
  EXPECT_EQ(refusal({"--inner-stepz", "5"}), "unknown option '--inner-stepz'; did you mean '--inner-steps'?");
  EXPECT_EQ(refusal({"--inner-stepz=5"}), "unknown option '--inner-stepz'; did you mean '--inner-steps'?");
  EXPECT_EQ(refusal({"--inner_steps=5"}), "unknown option '--inner_steps'; did you mean '--inner-steps'?");
  EXPECT_EQ(refusal({"-train", "x"}), "unknown option '-train'; did you mean '--train'?");
  EXPECT_EQ(refusal({"--no-warm-strat"}), "unknown option '--no-warm-strat'; did you mean '--no-warm-start'?");
  EXPECT_EQ(refusal({"--frobnicate"}), "unknown option '--frobnicate'");
  EXPECT_EQ(refusal({"-z"}).substr(0, 19), "unknown option '-z'");
  EXPECT_EQ(refusal({"--confg", "x"}), "unknown option '--confg'; did you mean '--config'?");
  EXPECT_EQ(refusal({"--no-train"}).substr(0, 27), "unknown option '--no-train'");
  EXPECT_EQ(options.inner_steps, 20);
}

TEST_F(ArgumentsTest, MissingValues) {
  EXPECT_EQ(refusal({"--inner-steps"}), "option '--inner-steps' needs a value: an integer >= 1");
  EXPECT_EQ(refusal({"--train", "--inner-steps", "5"}), "option '--train' needs a value: a CSV file");
  EXPECT_EQ(refusal({"--train", "-h"}), "option '--train' needs a value: a CSV file");
  EXPECT_EQ(refusal({"--train", "--"}), "option '--train' needs a value: a CSV file");
  EXPECT_EQ(refusal({"--config"}), "option '--config' needs a value: a TOML file");
}

TEST_F(ArgumentsTest, WordsThatBelongToNoOption) {
  EXPECT_EQ(refusal({"rows.csv"}),
            "unexpected argument 'rows.csv': every value stands behind its option, as in --name rows.csv");
  EXPECT_EQ(refusal({"--shift", "1", "2"}).substr(0, 23), "unexpected argument '2'");
  EXPECT_EQ(refusal({"--", "rows.csv"}).substr(0, 30), "unexpected argument 'rows.csv'");
  EXPECT_EQ(refusal({"-"}).substr(0, 23), "unexpected argument '-'");
  EXPECT_EQ(refusal({""}).substr(0, 22), "unexpected argument ''");
}

TEST_F(ArgumentsTest, HelpSetsNothing) {
  EXPECT_TRUE(parse({"--inner-steps", "5", "-h"}).help_requested);
  EXPECT_TRUE(parse({"--inner-stepz", "5", "--help"}).help_requested);
  EXPECT_EQ(options.inner_steps, 20);
}

TEST_F(ArgumentsTest, HelpTellsEachOptionItsDefaultAndRange) {
  options.inner_steps = 7;  // help tells the default, not the present value
  const auto help = help_text(kText, table, 80);
  for (const auto* part : {"Usage: bilevel clean", "Finds mislabelled rows.\n\nA second paragraph.\n", "\nData\n",
                           "\nFollower\n", "  --train TEXT", "(a CSV file)", "  --drop TEXT ...", "  --inner-steps N",
                           "(an integer >= 1; default 20)", "  --step-size X", "(a number > 0, or auto; default auto)",
                           "  --shift X", "(a number; default 0)", "  --[no-]warm-start", "default true)",
                           "  --config FILE", "  -h, --help", "\nExamples\n  bilevel clean --train rows.csv\n"}) {
    EXPECT_NE(help.find(part), help.npos) << part << "\n" << help;
  }
}

TEST_F(ArgumentsTest, HelpFitsItsWidth) {
  for (const std::size_t width : {40U, 60U, 100U}) {
    std::istringstream lines(help_text(kText, table, width));
    for (std::string line; std::getline(lines, line);) {
      // The usage line and the examples stay as they are, to be copied.
      if (line.find("bilevel clean") != line.npos) continue;
      EXPECT_LE(display_width(line), width) << line;
    }
  }
}

TEST_F(ArgumentsTest, OwnOptionsCannotBeDeclaredAgain) {
  std::string file;
  table.add("config", file, "clashes");
  EXPECT_THROW(parse({}), std::logic_error);
}

struct ConfigTest : ArgumentsTest {
  std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("bilevel_arguments_" + std::to_string(getpid()) + ".toml");

  void write(const std::string& toml) { std::ofstream(file) << toml; }
  void TearDown() override { std::filesystem::remove(file); }
};

TEST_F(ConfigTest, TheCommandLineWinsWhereverConfigStands) {
  write("inner-steps = 5\nshift = 3\nwarm-start = false\ndrop = ['a', 'b']\n");
  const auto given = parse({"--inner-steps", "6", "--drop", "c", "--config", file.string()});
  EXPECT_EQ(options.inner_steps, 6);
  EXPECT_EQ(options.shift, 3);
  EXPECT_FALSE(options.warm_start);
  EXPECT_EQ(options.drop, std::vector<std::string>{"c"});
  EXPECT_EQ(given.given, (std::set<std::string>{"drop", "inner-steps"}));
  EXPECT_EQ(given.config_files, std::vector<std::filesystem::path>{file});
  parse({"--config=" + file.string(), "--warm-start"});
  EXPECT_TRUE(options.warm_start);
  EXPECT_EQ(options.inner_steps, 5);
}

TEST_F(ConfigTest, WhatWasWrittenIsReadBack) {
  options = {.train = "[x].csv", .inner_steps = 3, .step_size = 0.1, .shift = -1, .warm_start = false, .drop = {"a,b"}};
  write(to_toml(table, "Options of a run"));
  const auto texts = table.all_texts();
  options = {};
  parse({"--config", file.string()});
  EXPECT_EQ(table.all_texts(), texts);
}

TEST_F(ConfigTest, Mistakes) {
  write("seed = 1\n");
  EXPECT_EQ(refusal({"--config", file.string()}), file.string() + ":1:1: unknown option 'seed'");
  EXPECT_THROW(parse({"--config", file.string() + ".missing"}), InvalidInput);
  EXPECT_THROW(parse({"--config="}), InvalidInput);
}

struct OperandTest : ArgumentsTest {
  const CommandText text{.name = "solve", .description = "", .examples = "", .operand = "GAME.toml"};

  std::string refusal(const std::vector<std::string>& words) {
    try {
      parse_arguments(text, table, words);
    } catch (const InvalidOption& error) {
      return error.what();
    }
    return "no refusal";
  }
};

TEST_F(OperandTest, StandsAnywhereBetweenTheOptions) {
  using Words = std::vector<std::string>;
  for (const auto& words : {Words{"game.toml", "--shift", "2"},
                            {"--shift", "2", "game.toml"},
                            {"--no-warm-start", "game.toml", "--shift=2"}}) {
    EXPECT_EQ(parse_arguments(text, table, words).operand, "game.toml");
    EXPECT_EQ(options.shift, 2);
  }
}

TEST_F(OperandTest, ExactlyOneIsNeeded) {
  EXPECT_EQ(refusal({}), "`bilevel solve` needs a GAME.toml, as in `bilevel solve GAME.toml`");
  EXPECT_EQ(refusal({"--shift", "2"}), "`bilevel solve` needs a GAME.toml, as in `bilevel solve GAME.toml`");
  EXPECT_EQ(refusal({"a.toml", "b.toml"}), "`bilevel solve` takes one GAME.toml, but got 'a.toml' and 'b.toml'");
  EXPECT_EQ(refusal({"a.toml", "--shft", "2"}), "unknown option '--shft'; did you mean '--shift'?");
  EXPECT_TRUE(parse_arguments(text, table, {"--help"}).help_requested);
  EXPECT_NE(help_text(text, table, 80).find("Usage: bilevel solve GAME.toml [--option value ...]"), std::string::npos);
}

}  // namespace
}  // namespace bilevel::cli
