// Everything that `bilevel race` can be told, in one table of options.
#pragma once

#include <set>
#include <string>

#include "bilevel/cleaning.hpp"
#include "bilevel/cleaning_input.hpp"
#include "bilevel/options.hpp"
#include "bilevel/race.hpp"

namespace bilevel::cli {

struct RaceSettings {
  RaceSettings();

  RaceOptions race;
  CleaningInputOptions input;  // rows to be cleaned, instead of a game; its seed is that of the race
  CleaningOptions cleaning;    // of which a race takes the model
  std::string out;             // run directory; empty: no files
  std::string plot;            // picture; empty: none
  bool overwrite = false;
  bool json = false;
  bool quiet = false;
};
void describe(OptionTable& table, RaceSettings& settings);

/// Fills in what depends on the problem, which is the game in the file of this name, or rows where it is empty. `given`
/// are the options named on the command line. Throws InvalidOption without a problem, with two of them, and for options
/// about rows where the problem is a game.
void settle(RaceSettings& settings, const std::set<std::string>& given, const std::string& game);

}  // namespace bilevel::cli
