// What a race is run on: a game from varied starts, or the cleaning of a data set with wrong labels.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bilevel/game.hpp"
#include "race_settings.hpp"

namespace bilevel::cli {

struct RaceField {
  std::string name;                      // "two wells", "cleaning fashion-mnist, 50 % of the labels wrong"
  std::string drawn;                     // what a seed decides, for people
  std::vector<std::string> score_names;  // of RaceProblem::scores
  std::function<RaceProblem(std::uint64_t seed)> problem;
};

/// The first seed starts where the file says, any other one at a random point of the game's boxes.
RaceField game_field(const Game& game, std::uint64_t first_seed);

/// Each seed draws its rows and wrong labels. Scores: test accuracy of the judge's follower, and F1 of the rows with
/// weights below 1/2. Throws as read_cleaning_input.
RaceField cleaning_field(const RaceSettings& settings);

}  // namespace bilevel::cli
