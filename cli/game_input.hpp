// A game as a command gets it: the file, its [solve] settings under the command line, and a generic perturbation.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "bilevel/game.hpp"

namespace bilevel::cli {

/// What every command about a game can be told.
struct GameSettings {
  double perturb = 0;      // size of a in g - <a, y>; 0: none
  std::uint64_t seed = 1;  // of the perturbation and of searches
};
void describe(OptionTable& table, GameSettings& settings);

/// g - <a, y> in place of g, if settings.perturb is not 0. [BLPV25, Prop. 3.4] Returns the sentence that says so, or
/// "".
std::string perturb(Game& game, const GameSettings& settings);

/// Sets the game's own [solve] settings. Throws InvalidOption that names the file.
void apply_settings(OptionTable& table, const Game& game, const std::string& file);

}  // namespace bilevel::cli
