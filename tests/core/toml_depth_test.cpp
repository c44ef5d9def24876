#include "core/toml.hpp"
// toml++ comes first: it is compiled with settings of its own

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "core/toml_depth.hpp"

namespace bilevel {
namespace {

std::string repeated(std::string_view part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

/// The deepest level of the text.
std::size_t levels(std::string_view text) {
  std::size_t most = 0;
  while (deeper_than(text, most)) ++most;
  return most;
}

TEST(TomlDepth, CountsHeadersKeysListsAndInlineTables) {
  EXPECT_EQ(levels(""), 0U);
  EXPECT_EQ(levels("a = 1"), 0U);
  EXPECT_EQ(levels("a.b = 1"), 1U);
  EXPECT_EQ(levels("[a]\nb = 1"), 1U);
  EXPECT_EQ(levels("[a.b]\nc.d = [1, [2]]"), 5U);
  EXPECT_EQ(levels("[[a]]\nb = {c.d = {}}"), 5U) << "a list, its table, the table b, the table c, the table d";
  EXPECT_EQ(levels("a.b = 1\nc = 2\nd.e = [1]"), 2U) << "each key counts for itself";
  EXPECT_EQ(levels("a = {b.c.d = 1, e = [2], f.g = 3}"), 3U);
}

TEST(TomlDepth, StringsCommentsAndNumbersCountNothing) {
  EXPECT_EQ(levels("a = [0.5, 1.5, 2.5]"), 1U);
  EXPECT_EQ(levels("a = 1.5 # [[[[ a.a.a.a \" ' \nb = 2"), 0U);
  EXPECT_EQ(levels(R"("a.b.c".'d.e.f' = "[[[{" # {)"), 1U);
  EXPECT_EQ(levels(R"(a = "\"[[[" )"), 0U) << "an escaped quote does not close";
  EXPECT_EQ(levels(R"(a = '\' # '[[[)"), 0U) << "a literal string has no escapes";
  EXPECT_EQ(levels("a = \"\"\"\n[[[ \" \"\" [[[ \\\"\"\" [[[ \"\"\"\nb.c = 1"), 1U);
  EXPECT_EQ(levels("a = '''[[[ '' [[['''''\nb.c = 1"), 1U) << "two of the five quotes belong to the string";
  EXPECT_EQ(levels("a = \"\"\nb.c = ''"), 1U) << "empty strings open nothing";
  EXPECT_EQ(levels("a = '' # '\nb.c.d = 1"), 2U) << "a quote in a comment opens nothing";
}

TEST(TomlDepth, SaysWhere) {
  EXPECT_EQ(deeper_than("ü = 1\nä.b.c = 1", 1), (TomlPlace{2, 4}));
  EXPECT_EQ(deeper_than("a = 1\nb = [[1]]", 1), (TomlPlace{2, 6}));
  EXPECT_EQ(deeper_than("a = [1]", 1), std::nullopt);
}

/// What the parser makes of the text, deepest.
std::size_t parsed_levels(const toml::node& node) {
  std::size_t most = 0;
  if (const auto* table = node.as_table()) {
    for (const auto& [key, value] : *table) most = std::max(most, parsed_levels(value));
  } else if (const auto* list = node.as_array()) {
    for (const auto& value : *list) most = std::max(most, parsed_levels(value));
  } else {
    return 0;
  }
  return most + 1;
}

TEST(TomlDepth, IsWhatTheParserBuilds) {
  for (const std::string text :
       {"a = 1\n", "a.b = 1\n[c.d]\ne.f = {g.h = [1, {i = 2}]}\n", "[[a.b]]\nc = 1\n[a.b.d]\ne = 'x.y'\n",
        "a = [\n  [1.5, 2.5], # ]]\n  [\"]\", '''[''']\n]\nb.c = 1\n", "'a.b' . \"c\" = \"\"\"x\"\"\"\"\"\n",
        "a = {}\nb = []\n\"\" = {c = {}}\n", "a = 1.5\nb = 2020-01-01T00:00:00.5Z\n[c]\n"}) {
    // The root is a table, too; the tables of a list of tables are one level more than their header tells.
    const std::size_t built = parsed_levels(toml::parse(text)) - 1;
    EXPECT_LE(levels(text), built) << text;
    EXPECT_GE(levels(text) + 1, built) << text;
  }
}

// What took the program down: each form, and each with something before it that hides it from a scanner that is not
// exact.
TEST(TomlDepth, AbsurdNestingIsFoundBehindWhateverStandsBeforeIt) {
  constexpr int kDeep = 100'000;
  for (const std::string& absurd :
       {repeated("a.", kDeep) + "a = 1", "[" + repeated("a.", kDeep) + "a]\n", "a = " + repeated("[", kDeep),
        "a = " + repeated("{a = ", kDeep), repeated("'='.", kDeep) + "a = 1", "a = " + repeated("{a.a.a = [", kDeep)}) {
    for (const std::string before : {"", "# ' \" '''\n", "x = '\"'\n", "x = '''\n'\n'''\n",
                                     R"(x = """\""" ' """)"
                                     "\n",
                                     R"(x = "\"")"
                                     "\n",
                                     "x = '\\'\n", "x = \"\"\"\"\"\"\n", "x = \"\"\"\"\"\"\"\"\n", "x = '''''''' # '\n",
                                     "[x]\n", "x = [\n'#', # ]\n]\n", "x = {y = '}'}\n"}) {
      const auto place = deeper_than(before + absurd, kMostTomlLevels);
      ASSERT_TRUE(place) << before << absurd.substr(0, 20);
      EXPECT_EQ(place->line, static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1) << before;
    }
  }
}

}  // namespace
}  // namespace bilevel
