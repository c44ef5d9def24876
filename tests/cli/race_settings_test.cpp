// What `bilevel race` is told, and what it makes of it before anything is read.
#include "race_settings.hpp"

#include <gtest/gtest.h>

#include "bilevel/status.hpp"
#include "message_of.hpp"

namespace bilevel::cli {
namespace {

using bilevel::testing::message_of;

TEST(RaceSettings, EveryOptionAboutRowsIsTheOneOfCleaning) {
  RaceSettings settings;
  const auto race = described(settings);
  CleaningInputOptions input;
  const auto declared = described(input);
  for (const auto& entry : declared.entries()) {
    const auto* const taken = race.find(entry.name);
    ASSERT_NE(taken, nullptr) << entry.name;
    if (entry.name == "seed") continue;
    EXPECT_EQ(taken->allowed, entry.allowed) << entry.name;
    EXPECT_TRUE(taken->help.starts_with(entry.help)) << entry.name;
  }
  for (const char* name : {"regularization", "penalty-norm"}) EXPECT_NE(race.find(name), nullptr) << name;
}

TEST(RaceSettings, OfADataSetHalfOfTheLabelsAreMadeWrong) {
  RaceSettings settings;
  settings.input.dataset = "fashion-mnist";
  settings.race.first_seed = 7;
  settle(settings, {"dataset", "seed"}, "");
  EXPECT_EQ(settings.input.corrupt, 0.5);
  EXPECT_EQ(settings.input.train_rows, 5000U);
  EXPECT_EQ(settings.input.valid_rows, 2000U);
  EXPECT_EQ(settings.input.seed, 7U);

  settings.input.corrupt = 0;
  settle(settings, {"dataset", "corrupt"}, "");
  EXPECT_EQ(settings.input.corrupt, 0);
}

TEST(RaceSettings, OfFilesLabelsStayAsTheyAreAndAllRowsAreUsed) {
  RaceSettings settings;
  settings.input.train = "people.csv";
  settle(settings, {"train"}, "");
  EXPECT_FALSE(settings.input.corrupt.has_value());
  EXPECT_EQ(settings.input.train_rows, CleaningInputOptions{}.train_rows) << "the value that says nothing was asked";
  settings.input.train_rows = 5000;
  settle(settings, {"train", "train-rows"}, "");
  EXPECT_EQ(settings.input.train_rows, 5000U) << "asked for, so that reading refuses it";
}

TEST(RaceSettings, ARaceIsOnOneProblem) {
  const auto refusal = [](RaceSettings settings, const std::set<std::string>& given, const std::string& game) {
    return message_of<InvalidOption>([&] { settle(settings, given, game); });
  };
  EXPECT_NE(refusal({}, {}, "").find("no problem: give a game file"), std::string::npos);
  RaceSettings rows;
  rows.input.train = "people.csv";
  EXPECT_EQ(refusal(rows, {"train"}, "game.toml"), "give either a game file or --train, not both");
  EXPECT_EQ(refusal({}, {"penalty-norm"}, "game.toml"),
            "option 'penalty-norm' is about rows to be cleaned, but the problem is the game game.toml");
  RaceSettings game;
  EXPECT_NO_THROW(settle(game, {"methods", "seed", "time"}, "game.toml"));
}

}  // namespace
}  // namespace bilevel::cli
