// Everything that `bilevel solve` can be told, in one table of options.
#pragma once

#include <string>

#include "bilevel/options.hpp"
#include "bilevel/run.hpp"
#include "game_input.hpp"
#include "method_options.hpp"

namespace bilevel::cli {

struct SolveSettings {
  std::string method = "auto";
  bool global = false;
  GameSettings game;
  MethodOptions method_options;
  StopRule stop = {.tolerance = 1e-9, .max_iterations = 2000};
  double certificate_tolerance = 1e-6;
  std::string plot;  // a picture's file; empty: none
  std::string picture = "auto";
  std::string out;  // run directory; empty: no files
  bool overwrite = false;
  bool json = false;
  bool quiet = false;
};
void describe(OptionTable& table, SolveSettings& settings);

}  // namespace bilevel::cli
