// Game files: what they may say, and a sentence with line and column for everything else.
#include "bilevel/game.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "bilevel/random.hpp"
#include "bilevel/status.hpp"
#include "message_of.hpp"
#include "taylor.hpp"

namespace {

using bilevel::Game;
using bilevel::parse_game;
using bilevel::Vec;
using bilevel::testing::message_of;

Vec vec(std::initializer_list<double> entries) {
  Vec v(static_cast<bilevel::Index>(entries.size()));
  std::copy(entries.begin(), entries.end(), v.data());
  return v;
}

constexpr const char* kFull = R"toml(# a game with everything
[problem]
name = "two wells"
description = "The follower has two wells."
source = "an example"
upper = "(x - a)^2 + sum(i, 1, 2, (y[i] - b[i])^2)"
lower = """
huber(y1^2 - 1 - 0.2*x) +
  y2^2/2 - x*y2"""

[parameters]
a = 0.5
b = [1, 2.5]

[start]
x = 0.25
y = [1.2, -1]

[box]
x = [-1, 1]
y = [[-2, 2], [0, 3.5]]

[solution]
x = [0.5]
y = [1, 2]
upper = 0.25

[[point]]
x = [0]
y = [1, 0]
verdict = "follower saddle"
[[point]]
x = 0.5
y = [1, 1]
verdict = "undecided"

[solve]
method = "smbg"
steps = 200
step = 0.5
adaptive = true
)toml";

TEST(Game, EverythingThatAFileCanSay) {
  const Game game = parse_game(kFull, "wells.toml");
  EXPECT_EQ(game.problem.name, "two wells");
  EXPECT_EQ(game.description, "The follower has two wells.");
  EXPECT_EQ(game.origin, "an example");
  EXPECT_EQ(game.upper_text, "(x - a)^2 + sum(i, 1, 2, (y[i] - b[i])^2)");
  EXPECT_EQ(game.lower_text, "huber(y1^2 - 1 - 0.2*x) +\n  y2^2/2 - x*y2");
  EXPECT_EQ(game.problem.x0, vec({0.25}));
  EXPECT_EQ(game.problem.y0, vec({1.2, -1}));
  EXPECT_EQ(game.problem.dim_x(), 1);
  EXPECT_EQ(game.problem.dim_y(), 2);
  EXPECT_EQ(game.problem.upper->value(vec({1.5}), vec({2, 2})), 1 + 1 + 0.25);
  EXPECT_EQ(game.problem.lower->value(vec({0}), vec({1, 2})), 2);
  EXPECT_TRUE(game.box_is_given);
  EXPECT_EQ(game.box_x.low, vec({-1}));
  EXPECT_EQ(game.box_x.high, vec({1}));
  EXPECT_EQ(game.box_y.low, vec({-2, 0}));
  EXPECT_EQ(game.box_y.high, vec({2, 3.5}));
  ASSERT_TRUE(game.problem.known);
  EXPECT_EQ(game.problem.known->x, vec({0.5}));
  EXPECT_EQ(game.problem.known->y, vec({1, 2}));
  EXPECT_EQ(game.problem.known->upper, 0.25);
  ASSERT_EQ(game.points.size(), 2u);
  EXPECT_EQ(game.points[0].verdict, "follower saddle");
  EXPECT_EQ(game.points[1].x, vec({0.5}));
  EXPECT_EQ(game.points[1].y, vec({1, 1}));
  const std::map<std::string, std::string> settings{
      {"method", "smbg"}, {"steps", "200"}, {"step", "0.5"}, {"adaptive", "true"}};
  EXPECT_EQ(game.settings, settings);
  bilevel::testing::expect_consistent_oracles(*game.problem.lower, vec({0.3}), vec({0.4, 0.2}), 1);
}

constexpr const char* kShort = "[problem]\nupper = \"x^2 + y\"\nlower = \"(y - x)^2\"\n[start]\nx = 1\ny = -2\n";

TEST(Game, WhatIsNotSaidHasDefaults) {
  const Game game = parse_game(kShort, "some/folder/mine.toml");
  EXPECT_EQ(game.problem.name, "mine");
  EXPECT_EQ(game.problem.x0, vec({1}));
  EXPECT_FALSE(game.box_is_given);
  EXPECT_EQ(game.box_x.low, vec({-2}));
  EXPECT_EQ(game.box_x.high, vec({4}));
  EXPECT_EQ(game.box_y.low, vec({-8}));  // 3 |start| around -2
  EXPECT_EQ(game.box_y.high, vec({4}));
  EXPECT_FALSE(game.problem.known);
  EXPECT_TRUE(game.points.empty());
  EXPECT_TRUE(game.settings.empty());
}

TEST(Game, OneBoxAloneIsNotBoth) {
  const Game game = parse_game(std::string(kShort) + "[box]\nx = [[0, 2]]\n", "g");
  EXPECT_FALSE(game.box_is_given);
  EXPECT_EQ(game.box_x.high, vec({2}));
  EXPECT_EQ(game.box_y.high, vec({4}));
}

std::string error(const std::string& toml) {
  return message_of<bilevel::InvalidInput>([&] { parse_game(toml, "g.toml"); });
}

TEST(Game, FormulaErrorsPointIntoTheFile) {
  const std::string start = "[start]\nx = 1\ny = 1\n";
  EXPECT_EQ(error("[problem]\nupper = \"x + 2y\"\nlower = \"y\"\n" + start),
            "g.toml:2:15: an operator is missing here: for the product write 2*y\n"
            "    upper = \"x + 2y\"\n"
            "                  ^");
  EXPECT_EQ(error("[problem]\nupper = 'x'\n  lower = '''x +\n y**2'''\n" + start),
            "g.toml:4:3: a power is not written **: write ^\n"
            "     y**2'''\n"
            "      ^");
  EXPECT_EQ(error("[problem]\nupper = 'x'\nlower = \"\"\"\nx +\n  zeta\"\"\"\n" + start).substr(0, 35),
            "g.toml:5:3: unknown name 'zeta'; a ");
  EXPECT_EQ(error("[problem]\r\nupper = 'x'\r\nlower = \"\"\"\r\nx + $\"\"\"\r\n" + start).substr(0, 18),
            "g.toml:4:5: '$' ha");
  // The value has a character less than the file shows: the place in the formula is said instead.
  EXPECT_EQ(error("[problem]\nupper = \"x +\\t$\"\nlower = \"y\"\n" + start),
            "g.toml:2:9: at line 1, column 5 of this formula: '$' has no place in a formula: a formula has + - * / ^ ( "
            ") [ ] and commas beside numbers and names\n"
            "    upper = \"x +\\t$\"\n"
            "            ^");
  EXPECT_EQ(error("[problem]\nupper = \"\"\nlower = \"y\"\n" + start).substr(0, 36),
            "g.toml:2:10: the formula is empty: w");
}

TEST(Game, Sentences) {
  const std::string problem = "[problem]\nupper = 'x'\nlower = 'y'\n", start = "[start]\nx = 1\ny = 1\n";
  const std::string good = problem + start;  // 6 lines
  ASSERT_NO_THROW(parse_game(good, "g"));
  const struct {
    std::string toml;
    const char* expected;
  } cases[] = {
      {"", "g.toml:1:1: a game needs a table [problem]"},
      {problem, "g.toml:1:1: a game needs a table [start]"},
      {"problem = 3", "g.toml:1:11: 'problem' must be a table, written [problem]"},
      {"[problem]\nupper = 'x'\n" + start, "g.toml:1:1: [problem] needs the key 'lower'"},
      {"[problem]\nupper = 3\nlower = 'y'\n" + start, "g.toml:2:9: [problem] upper must be a text in quotes"},
      {problem + "[start]\nx = 1\n", "g.toml:4:1: [start] needs the key 'y'"},
      {problem + "[start]\nx = []\ny = 1\n", "g.toml:5:5: a game has a leader: [start] x needs at least one number"},
      {problem + "[start]\nx = 1\ny = []\n", "g.toml:6:5: a game has a follower: [start] y needs at least one number"},
      {problem + "[start]\nx = 'a'\ny = 1\n", "g.toml:5:5: [start] x must be a number or a list of numbers"},
      {problem + "[start]\nx = [1, [2]]\ny = 1\n", "g.toml:5:9: [start] x must be a number or a list of numbers"},
      {problem + "[start]\nx = [1, inf]\ny = 1\n", "g.toml:5:9: [start] x must be finite, but here it is inf"},
      {problem + "[start]\nx = nan\ny = 1\n", "g.toml:5:5: [start] x must be finite, but here it is nan"},
      {"[problm]\n" + good,
       "g.toml:1:2: a game has no key 'problm' (did you mean 'problem'?); its keys are problem, parameters, start, "
       "box, "
       "solution, point, solve"},
      {problem + "uper = 'x'\n" + start,
       "g.toml:4:1: [problem] has no key 'uper' (did you mean 'upper'?); its keys are name, upper, lower, description, "
       "source"},
      {good + "z0000000 = 1\n", "g.toml:7:1: [start] has no key 'z0000000'; its keys are x, y"},
      {good + "[parameters]\nsin = 1\n", "g.toml:8:1: 'sin' cannot name a parameter: it is a function of formulas"},
      {good + "[parameters]\nx2 = 1\n", "g.toml:8:1: 'x2' cannot name a parameter: it is a variable of formulas"},
      {good + "[parameters]\n'a b' = 1\n",
       "g.toml:8:1: 'a b' cannot name a parameter: a name is a letter followed by letters, digits and _"},
      {good + "[parameters]\na = 'b'\n", "g.toml:8:5: the parameter 'a' must be a number or a list of numbers"},
      {good + "[parameters]\na = [1, nan]\n", "g.toml:8:9: the parameter 'a' must be finite, but here it is nan"},
      {good + "[box]\nx = [1]\n", "g.toml:8:5: [box] x must consist of pairs [low, high]"},
      {good + "[box]\nx = []\n", "g.toml:8:5: [box] x must be a pair [low, high] or a list of pairs"},
      {good + "[box]\nx = 3\n", "g.toml:8:5: [box] x must be a pair [low, high] or a list of pairs"},
      {good + "[box]\nx = [2, 1]\n", "g.toml:8:5: [box] x has low 2 above high 1"},
      {good + "[box]\nx = [[0, 1], 2]\n", "g.toml:8:14: [box] x must consist of pairs [low, high]"},
      {good + "[box]\nx = [0, inf]\n", "g.toml:8:9: [box] x must be finite, but here it is inf"},
      {good + "[solution]\nx = 1\ny = 1\n", "g.toml:7:1: [solution] needs the key 'upper'"},
      {good + "[solution]\nx = 1\ny = 1\nupper = 1.00001\n",
       "g.toml:10:9: [solution] upper is 1.00001, but the upper formula is 1 there"},
      {good + "[point]\nx = 1\n", "g.toml:7:1: 'point' must be tables, each written [[point]]"},
      {good + "[[point]]\nx = 1\ny = 1\n", "g.toml:7:1: [[point]] needs the key 'verdict'"},
      {good + "[[point]]\nx = 1\ny = 1\nverdict = 'good'\n",
       "g.toml:10:11: 'good' is no verdict; verdicts are 'certified local bilevel solution', 'equilibrium with "
       "degenerate follower', 'kink suspected', 'follower saddle', 'stationary, but no minimum of the leader', 'fake "
       "stationary point', 'not converged', 'undecided'"},
      {good + "[solve]\nsteps = [1]\n", "g.toml:8:9: [solve] steps must be a number, a text in quotes, true or false"},
      {good + "[solve]\nsteps = inf\n", "g.toml:8:9: [solve] steps must be finite, but here it is inf"},
  };
  for (const auto& each : cases) EXPECT_EQ(error(each.toml), each.expected) << each.toml;
  EXPECT_EQ(error("[problem\n").substr(0, 28), "g.toml:1:9: not valid TOML: ");
}

TEST(Game, AllMisfitsOfDimensionsAreNamedAtOnce) {
  EXPECT_EQ(
      error("[problem]\nupper = 'x2 + y'\nlower = 'sum(i, 1, 4, y[i])*x3'\n[start]\nx = 1\ny = [1, 2]\n"
            "[box]\nx = [[0, 1], [0, 1]]\ny = [[0, 1]]\n[solution]\nx = [1, 2]\ny = [1, 2]\nupper = 1\n"
            "[[point]]\nx = 1\ny = 1\nverdict = 'undecided'\n"),
      "g.toml:4:1: [start] gives x 1 entry and y 2 entries, but 'upper' uses x[2]; 'lower' uses x[3]; 'lower' uses "
      "y[4]; [box] x has 2 pairs; [box] y has 1 pair; [solution] x has 2 entries; [[point]] y has 1 entry");
}

TEST(Game, ANumberNearTheKnownValueIsAccepted) {
  EXPECT_NO_THROW(parse_game(std::string(kShort) + "[solution]\nx = 10\ny = 0\nupper = 100.00001\n", "g"));
}

TEST(Game, AbsurdFilesAreRefused) {
  EXPECT_EQ(error(std::string(1'000'001, ' ')), "g.toml:1:1: too long for a game, which has at most 1000000 bytes");
  std::string dots = "a";
  for (int i = 0; i < 20000; ++i) dots += ".a";
  EXPECT_EQ(error(dots + " = 1"), "g.toml:1:130: not a game: nested more than 64 levels deep");
  EXPECT_EQ(error("# ' \" '''\n" + dots + " = 1"), "g.toml:2:130: not a game: nested more than 64 levels deep")
      << "a quote in a comment hides nothing";
  std::string quoted = "\"a,=\"";
  for (int i = 0; i < 20000; ++i) quoted += ".'a,='";
  EXPECT_EQ(error(quoted + " = 1"), "g.toml:1:390: not a game: nested more than 64 levels deep");
  EXPECT_EQ(error("a = " + std::string(100000, '[')), "g.toml:1:69: not a game: nested more than 64 levels deep");
  EXPECT_LT(error("[problem]\n" + std::string(300'000, 'a') + " = 1").size(), 300U);
}

TEST(Game, ManyNumbersWithPointsAreNoAbsurdFile) {
  std::string list = "0.5";
  for (int i = 0; i < 20000; ++i) list += ", 0.5";
  const auto game = parse_game(
      "[problem]\nupper = 'x*c[20001]'\nlower = 'y^2'\n[start]\nx = 1\ny = 1\n[parameters]\nc = [" + list + "]\n", "g");
  EXPECT_EQ(game.problem.upper->value(vec({3}), vec({1})), 1.5);
}

TEST(Game, MutatedFilesNeitherCrashNorHang) {
  bilevel::Random random(1);
  int good = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string text = kFull;
    for (std::uint64_t change = 1 + random.below(3); change > 0; --change) {
      const auto at = static_cast<std::size_t>(random.below(text.size()));
      switch (random.below(3)) {
        case 0: text[at] = static_cast<char>(random.below(256)); break;
        case 1: text.erase(at, 1 + random.below(8)); break;
        default: text.insert(at, text.substr(random.below(text.size()), random.below(20)));
      }
    }
    try {
      parse_game(text, "g.toml");
      ++good;
    } catch (const bilevel::InvalidInput& refused) {
      EXPECT_EQ(std::string(refused.what()).rfind("g.toml:", 0), 0u) << refused.what();
    }
  }
  EXPECT_GT(good, 50);  // comments and texts may change
}

TEST(Game, ReadsFilesAndSaysWhyNot) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "bilevel_game_test";
  std::filesystem::create_directories(folder);
  const auto file = folder / "wells.toml";
  std::ofstream(file) << kShort;
  EXPECT_EQ(bilevel::read_game(file).problem.name, "wells");
  const auto refused = [](const std::filesystem::path& path) {
    return message_of<bilevel::InvalidInput>([&] { bilevel::read_game(path); });
  };
  EXPECT_EQ(refused(folder), folder.string() + ":1:1: cannot read the game: it is a folder");
  EXPECT_EQ(refused(folder / "no.toml"),
            (folder / "no.toml").string() + ":1:1: cannot read the game: No such file or directory");
  std::ofstream(file) << std::string(1'000'001, '#');
  EXPECT_EQ(refused(file), file.string() + ":1:1: too long for a game, which has at most 1000000 bytes");
  std::filesystem::remove_all(folder);
}

}  // namespace
