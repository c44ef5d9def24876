// What a race is run on: a game from varied starts, or the cleaning of rows with wrong labels.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bilevel/game.hpp"
#include "race_settings.hpp"

namespace bilevel::cli {

struct RaceField {
  std::string name;                      // "two wells", "cleaning fashion-mnist, 50 % of 5000 labels wrong, c = 0.012"
  std::string about;                     // what was read, in lines for people; may be empty
  std::string drawn;                     // what a seed decides, for people
  std::vector<std::string> score_names;  // of RaceProblem::scores
  std::function<RaceProblem(std::uint64_t seed)> problem;
};

/// The first seed starts where the file says, any other one at a random point of the game's boxes.
RaceField game_field(const Game& game, std::uint64_t first_seed);

/// Each seed draws rows, or what is held out to be trusted, and wrong labels; what nothing is drawn of is the same for
/// all seeds. Scores, where they can be had: test accuracy of the judge's follower, and F1 of the rows with weights
/// below 1/2. Throws as read_cleaning_input.
RaceField cleaning_field(const RaceSettings& settings);

}  // namespace bilevel::cli
