// Everything that `bilevel race` can be told, in one table of options.
#pragma once

#include <string>

#include "bilevel/cleaning_input.hpp"
#include "bilevel/options.hpp"
#include "bilevel/race.hpp"

namespace bilevel::cli {

struct RaceSettings {
  RaceOptions race;
  std::string dataset;            // a named data set to be cleaned, instead of a game
  double corrupt = 0.5;           // share of wrong labels
  std::size_t train_rows = 5000;  // N
  std::size_t valid_rows = 2000;  // M
  double penalty_norm = 2;        // p
  std::string out;                // run directory; empty: no files
  std::string plot;               // picture; empty: none
  bool overwrite = false;
  bool json = false;
  bool quiet = false;
};
void describe(OptionTable& table, RaceSettings& settings);

}  // namespace bilevel::cli
