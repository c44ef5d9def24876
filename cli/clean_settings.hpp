// Everything that `bilevel clean` can be told, in one table of options.
#pragma once

#include <string>

#include "bilevel/cleaning.hpp"
#include "bilevel/cleaning_input.hpp"
#include "bilevel/options.hpp"

namespace bilevel::cli {

struct CleanSettings {
  CleaningInputOptions input;
  CleaningOptions cleaning;
  std::string out;         // run directory; empty: the next free one under runs/
  bool overwrite = false;  // replace an earlier run's files
  bool json = false;       // result.json alone on standard output
  bool quiet = false;      // no progress
};
void describe(OptionTable& table, CleanSettings& settings);

}  // namespace bilevel::cli
