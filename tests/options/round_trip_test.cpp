// What is written to config.toml is read back as it was, for the defaults and for any values.
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <cmath>

#include "example_options.hpp"

namespace bilevel::testing {
namespace {

ExampleOptions read_back(const ExampleOptions& written) {
  ExampleOptions copy = written;
  const auto toml = to_toml(described(copy), "A title\nof two lines");
  ExampleOptions read;
  read.steps = 999;  // something else than what is written, so that a key left out shows
  read.seed = 999;
  read.label = "other";
  read.drop = {"other"};
  read.stride = 999;
  read.step_size = 999;
  read.tolerance = 0.999;
  read.warm_start = !written.warm_start;
  read.plan = written.plan == Plan::store ? Plan::checkpoint : Plan::store;
  read.solver = written.solver == "cg" ? "minres" : "cg";
  read.time_limit = 999;
  OptionTable table = described(read);
  set_from_toml(table, toml, "written.toml");
  return read;
}

TEST(RoundTrip, Defaults) {
  const ExampleOptions defaults;
  EXPECT_EQ(option_texts(read_back(defaults)), option_texts(defaults));
}

TEST(RoundTrip, EveryKeyStandsWithItsHelp) {
  ExampleOptions options;
  options.steps = 7;
  const auto toml = to_toml(described(options), "A title");
  EXPECT_EQ(toml.substr(0, 10), "# A title\n");
  EXPECT_NE(toml.find("# ---- Follower ----\n"), toml.npos);
  EXPECT_NE(toml.find("# steps of the follower (an integer from 1 to 1000; default 20)\nsteps = 7\n"), toml.npos);
  EXPECT_NE(toml.find("stride = \"auto\"\n"), toml.npos);
  EXPECT_NE(toml.find("time-limit = inf\n"), toml.npos);
}

TEST(RoundTrip, HardTexts) {
  ExampleOptions options;
  options.label = "quote \" backslash \\ tab \t newline \n ünïcode # = [x] '''";
  options.drop = {"a,b", "c\\", "\\,", " ", "x=\"1\""};
  EXPECT_EQ(read_back(options).label, options.label);
  EXPECT_EQ(read_back(options).drop, options.drop);
}

RC_GTEST_PROP(RoundTrip, AnyValues, ()) {
  ExampleOptions options;
  options.steps = *rc::gen::inRange(1, 1001);
  options.seed = *rc::gen::arbitrary<std::uint64_t>();
  options.tolerance = std::exp(-*rc::gen::inRange(1, 700) - 0.1);
  const auto step = std::abs(*rc::gen::arbitrary<double>());
  if (step > 0) options.step_size = step;
  options.warm_start = *rc::gen::arbitrary<bool>();
  options.plan = *rc::gen::element(Plan::store, Plan::checkpoint);
  const auto sign = rc::gen::inRange<char>(1, 127);
  options.label = *rc::gen::container<std::string>(sign);
  options.drop =
      *rc::gen::container<std::vector<std::string>>(rc::gen::nonEmpty(rc::gen::container<std::string>(sign)));
  const auto read = read_back(options);
  RC_ASSERT(option_texts(read) == option_texts(options));
  RC_ASSERT(read.tolerance == options.tolerance);  // to the last bit
  RC_ASSERT(read.step_size == options.step_size);
  RC_ASSERT(read.drop == options.drop);

  // The text form of each option alone sets the same value too.
  ExampleOptions set;
  OptionTable table = described(set);
  for (const auto& [name, text] : option_texts(options)) table.set(name, text);
  RC_ASSERT(option_texts(set) == option_texts(options));
  RC_ASSERT(set.drop == options.drop);
}

}  // namespace
}  // namespace bilevel::testing
