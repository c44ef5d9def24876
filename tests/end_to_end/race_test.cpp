// `bilevel race` as a user runs it.
#include "end_to_end/program.hpp"

namespace bilevel::end_to_end {
namespace {

class Race : public EndToEnd {
 protected:
  Race() {
    write("game.toml",
          "[problem]\nname = \"pricing\"\nupper = \"-x*y1\"\n"
          "lower = \"(y1 - 4)^2 + (y2 - 3)^2 + y1*y2 + x*y1\"\n[start]\nx = [1]\ny = [0, 0]\n");
  }

  void expect_refused(Words words, const std::string& part) const { expect_refused_by("race", std::move(words), part); }
};

TEST_F(Race, PrintsValuesTargetsWinsAndVerdicts) {
  const auto ended = bilevel({"race", "game.toml", "--methods", "smbg,bgs_opt,hoag", "--passes", "2000", "--seeds", "2",
                              "--quiet", "--plot", "race.svg", "--out", "o"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  for (const char* part : {"pricing", "(medians over 2 seeds)", "to target", "certified local bilevel solution",
                           "Wins against each other", "a seed decides where a run starts"}) {
    EXPECT_NE(ended.out.find(part), std::string::npos) << part << " in:\n" << ended.out;
  }
  EXPECT_EQ(listing("o"), "config.toml points.csv result.json");
  EXPECT_EQ(lines_of(content("o/points.csv")).front(), "method,seed,seconds,passes,iteration,value");
  EXPECT_NE(content("race.svg").find("passes over the data"), std::string::npos);
}

TEST_F(Race, TheResultSaysWhatTheTableSays) {
  const auto ended = bilevel({"race", "game.toml", "--methods", "hoag", "--methods", "smbg", "--passes", "3000",
                              "--seeds", "2", "--quiet", "--json"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto json = Json::parse(ended.out);
  ASSERT_EQ(json["methods"].size(), 2U);
  // y1 = (10 - 2 x) / 3 at the follower's answer, so that -x y1 is least at x = 5/2 with -25/6.
  for (const auto& method : json["methods"]) EXPECT_NEAR(method["median_value"].get<double>(), -25.0 / 6, 1e-6);
  for (std::size_t s = 0; s < 2; ++s) {
    const auto& first = json["methods"][0]["runs"][s]["points"][0];
    EXPECT_EQ(first["value"], json["methods"][1]["runs"][s]["points"][0]["value"]) << "the same start for all";
    EXPECT_EQ(first["seconds"], 0.0);
  }
  EXPECT_TRUE(json["methods"][0]["runs"][0]["certificate"]["verdict"].is_string());
}

TEST_F(Race, RefusesInOneSentence) {
  expect_refused({}, "no problem: give a game file");
  expect_refused({"game.toml", "--dataset", "fashion-mnist"}, "not both");
  expect_refused({"game.toml", "--methods", "smbgg"}, "did you mean 'smbg'?");
  expect_refused({"absent.toml"}, "absent.toml");
  expect_refused({"game.toml", "--time", "0"}, "time");
  expect_refused({"game.toml", "--plot", "race.jpeg"}, ".png");
}

}  // namespace
}  // namespace bilevel::end_to_end
