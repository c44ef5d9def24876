// The table itself: what it says about its options.
#include <stdexcept>

#include "example_options.hpp"

namespace bilevel::testing {
namespace {

struct Table : ExampleTable {};

TEST_F(Table, SaysWhatIsAllowed) {
  EXPECT_EQ(table.at("steps").allowed, "an integer from 1 to 1000");
  EXPECT_EQ(table.at("stride").allowed, "an integer >= 1, or auto");
  EXPECT_EQ(table.at("tolerance").allowed, "a number > 0 and < 1");
  EXPECT_EQ(table.at("time-limit").allowed, "a number >= 0, or inf");
  EXPECT_EQ(table.at("seed").allowed, "an integer >= 0");
  EXPECT_EQ(table.at("plan").allowed, "one of store, checkpoint");
  EXPECT_EQ(table.at("label").allowed, "a column");
  EXPECT_EQ(table.at("plan").choices, (std::vector<std::string>{"store", "checkpoint"}));
}

TEST_F(Table, KeepsGroupsAndOrder) {
  EXPECT_EQ(table.entries().front().name, "solver");
  EXPECT_EQ(table.at("solver").group, "");
  EXPECT_EQ(table.at("steps").group, "Follower");
  EXPECT_EQ(table.at("seed").group, "Run");
  EXPECT_EQ(table.names().size(), table.entries().size());
}

TEST_F(Table, DefaultsAreThoseOfAFreshStruct) {
  ExampleOptions changed;
  changed.steps = 7;
  changed.step_size = 0.5;
  const OptionTable other = described(changed);
  EXPECT_EQ(other.at("steps").text(), "7");
  EXPECT_EQ(other.at("steps").default_text, "20");
  EXPECT_EQ(other.at("step-size").default_text, "auto");
  EXPECT_EQ(other.at("warm-start").default_text, "true");
}

TEST_F(Table, TextsTellStructsApart) {
  ExampleOptions other;
  EXPECT_EQ(option_texts(options), option_texts(other));
  other.seed = 2;
  EXPECT_NE(option_texts(options), option_texts(other));
}

TEST_F(Table, WrongDeclarationsAreProgrammingErrors) {
  int field = 0;
  EXPECT_THROW(table.add("steps", field, "again"), std::logic_error);
  for (const auto* name : {"", "Steps", "two words", "-x", "x-", "a--b", "under_score", "9lives"}) {
    OptionTable fresh;
    EXPECT_THROW(fresh.add(name, field, "misnamed"), std::logic_error) << name;
  }
  Plan nameless = Plan::checkpoint;
  OptionTable fresh;
  EXPECT_THROW(fresh.add("plan", nameless, "", {{"store", Plan::store}}), std::logic_error);
}

TEST(Range, Intersects) {
  EXPECT_EQ((at_least(0) & less_than(1)).text(), ">= 0 and < 1");
  EXPECT_EQ((at_least(0) & greater_than(0)).text(), "> 0");
  EXPECT_EQ((greater_than(0) & at_least(0)).text(), "> 0");
  EXPECT_EQ((between(0, 5) & between(2, 9)).text(), "from 2 to 5");
  EXPECT_EQ(at_most(3).text(), "<= 3");
  EXPECT_EQ(Range{}.text(), "");
  EXPECT_TRUE(between(0, 1).contains(1));
  EXPECT_FALSE(less_than(1).contains(1));
}

TEST_F(Table, MarkdownHasARowForEachOption) {
  const auto markdown = options_markdown(table);
  EXPECT_NE(markdown.find("### Follower\n\n| option | default | allowed | what it does |\n|---|---|---|---|\n"),
            markdown.npos);
  EXPECT_NE(markdown.find("| `--steps` | `20` | an integer from 1 to 1000 | steps of the follower |\n"), markdown.npos);
  EXPECT_NE(markdown.find("| `--[no-]warm-start` | `true` |"), markdown.npos);
  // A bar or an opening angle would end the cell or begin a tag.
  EXPECT_NE(markdown.find("length of a step \\| below 1/L"), markdown.npos);
  EXPECT_NE(markdown.find("| a number > 0 and &lt; 1 |"), markdown.npos);
}

}  // namespace
}  // namespace bilevel::testing
