// Texts that options take, and the sentences for those that they do not take.
#include <cmath>

#include "example_options.hpp"

namespace bilevel::testing {
namespace {

struct Parse : ExampleTable {};

TEST_F(Parse, NumbersAreRead) {
  table.set("steps", "50");
  table.set("tolerance", "1e-3");
  table.set("step-size", ".5");
  table.set("seed", "18446744073709551615");
  EXPECT_EQ(options.steps, 50);
  EXPECT_EQ(options.tolerance, 1e-3);
  EXPECT_EQ(options.step_size, 0.5);
  EXPECT_EQ(options.seed, 18446744073709551615U);
}

TEST_F(Parse, TheWholeTextMustBeTheNumber) {
  for (const auto* text : {"", " ", "5x", "x5", " 5", "5 ", "5 6", "1,000", "0x10", "5.0", "1e2", "--5", "five", "٥"}) {
    EXPECT_EQ(refusal_of("steps", text),
              "option 'steps' cannot be '" + std::string(text) + "': it must be an integer from 1 to 1000")
        << text;
  }
  for (const auto* text : {"", "1e-3x", "1e", "0.1.2", "nan", "NaN", "-nan", "inf", "1/2", "0,5", "0x1p-3"}) {
    EXPECT_EQ(refusal_of("tolerance", text),
              "option 'tolerance' cannot be '" + std::string(text) + "': it must be a number > 0 and < 1")
        << text;
  }
  EXPECT_EQ(options.steps, 20);
  EXPECT_EQ(options.tolerance, 1e-6);
}

TEST_F(Parse, RangesKeepTheirEnds) {
  table.set("steps", "1");
  table.set("steps", "1000");
  EXPECT_NE(refusal_of("steps", "0"), "no refusal");
  EXPECT_NE(refusal_of("steps", "1001"), "no refusal");
  EXPECT_NE(refusal_of("tolerance", "0"), "no refusal");
  EXPECT_NE(refusal_of("tolerance", "1"), "no refusal");
  EXPECT_EQ(refusal_of("step-size", "-1"), "option 'step-size' cannot be '-1': it must be a number > 0, or auto");
}

TEST_F(Parse, NumbersBeyondTheTypeAreRefused) {
  EXPECT_NE(refusal_of("steps", "99999999999999999999"), "no refusal");
  EXPECT_NE(refusal_of("seed", "18446744073709551616"), "no refusal");
  EXPECT_NE(refusal_of("seed", "-1"), "no refusal");
  EXPECT_NE(refusal_of("step-size", "1e999"), "no refusal");
  EXPECT_EQ(options.seed, 1U);
}

TEST_F(Parse, InfinityOnlyWhereAllowed) {
  table.set("time-limit", "30");
  EXPECT_EQ(options.time_limit, 30);
  table.set("time-limit", "inf");
  EXPECT_TRUE(std::isinf(options.time_limit));
  EXPECT_EQ(refusal_of("time-limit", "-inf"), "option 'time-limit' cannot be '-inf': it must be a number >= 0, or inf");
}

TEST_F(Parse, AutoIsTheEmptyOptional) {
  table.set("step-size", "0.25");
  table.set("step-size", "auto");
  EXPECT_FALSE(options.step_size.has_value());
  EXPECT_EQ(table.at("step-size").text(), "auto");
  EXPECT_NE(refusal_of("steps", "auto"), "no refusal");
}

TEST_F(Parse, FlagsAreTrueOrFalse) {
  table.set("warm-start", "false");
  EXPECT_FALSE(options.warm_start);
  table.set("warm-start", "true");
  EXPECT_TRUE(options.warm_start);
  for (const auto* text : {"1", "yes", "True", ""}) {
    EXPECT_EQ(refusal_of("warm-start", text),
              "option 'warm-start' cannot be '" + std::string(text) + "': it must be true or false");
  }
}

TEST_F(Parse, ChoicesOfferTheNearest) {
  table.set("plan", "checkpoint");
  EXPECT_EQ(options.plan, Plan::checkpoint);
  table.set("solver", "minres");
  EXPECT_EQ(options.solver, "minres");
  EXPECT_EQ(refusal_of("plan", "chekpoint"),
            "option 'plan' cannot be 'chekpoint': it must be one of store, checkpoint; did you mean 'checkpoint'?");
  EXPECT_EQ(refusal_of("solver", "multigrid"), "option 'solver' cannot be 'multigrid': it must be one of cg, minres");
}

TEST_F(Parse, ListsAreSplitAtCommas) {
  table.set("drop", "id,name");
  EXPECT_EQ(options.drop, (std::vector<std::string>{"id", "name"}));
  table.set("drop", R"(a\,b,c\\d)");
  EXPECT_EQ(options.drop, (std::vector<std::string>{"a,b", R"(c\d)"}));
  EXPECT_EQ(table.at("drop").text(), R"(a\,b,c\\d)");
  EXPECT_NE(refusal_of("drop", "id,,name"), "no refusal");
  table.set("drop", "");
  EXPECT_TRUE(options.drop.empty());
}

TEST_F(Parse, UnknownNamesOfferTheNearest) {
  EXPECT_EQ(refusal_of("step-sice", "1"), "unknown option 'step-sice'; did you mean 'step-size'?");
  EXPECT_EQ(refusal_of("frobnicate", "1"), "unknown option 'frobnicate'");
  EXPECT_EQ(table.find("frobnicate"), nullptr);
}

}  // namespace
}  // namespace bilevel::testing
