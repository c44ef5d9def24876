// Everything that `bilevel reweight` can be told, in one table of options.
#pragma once

#include <string>

#include "bilevel/options.hpp"
#include "bilevel/reweighting_input.hpp"

namespace bilevel::cli {

struct ReweightSettings {
  ReweightingInputOptions input;
  ReweightingOptions reweighting;
  std::size_t seeds = 5;   // repetitions
  std::string out;         // run directory; empty: the next free one under runs/
  std::string plot;        // picture of the weights; empty: none
  bool overwrite = false;  // replace an earlier run's files
  bool json = false;       // result.json alone on standard output
  bool quiet = false;      // no progress
};
void describe(OptionTable& table, ReweightSettings& settings);

}  // namespace bilevel::cli
