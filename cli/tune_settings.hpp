// Everything that `bilevel tune` can be told, in one table of options.
#pragma once

#include <string>

#include "bilevel/options.hpp"
#include "bilevel/tuning_input.hpp"

namespace bilevel::cli {

struct TuneSettings {
  TuningInputOptions input;
  TuningOptions tuning;
  std::string out;         // run directory; empty: the next free one under runs/
  std::string plot;        // picture of the losses; empty: none
  bool overwrite = false;  // replace an earlier run's files
  bool json = false;       // result.json alone on standard output
  bool quiet = false;      // no progress
};
void describe(OptionTable& table, TuneSettings& settings);

}  // namespace bilevel::cli
