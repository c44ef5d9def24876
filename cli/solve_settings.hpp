// Everything that `bilevel solve` can be told, in one table of options.
#pragma once

#include <string>

#include "bilevel/options.hpp"
#include "bilevel/run.hpp"
#include "game_input.hpp"
#include "game_pictures.hpp"
#include "method_options.hpp"

namespace bilevel::cli {

struct SolveSettings {
  std::string method = "auto";
  bool global = false;
  GameSettings game;
  MethodOptions method_options;
  StopRule stop = {.tolerance = 1e-9, .max_iterations = 2000};
  double certificate_tolerance = 1e-6;
  PictureSettings picture;
  std::string out;  // run directory; empty: no files
  bool overwrite = false;
  bool json = false;
  bool quiet = false;
};
void describe(OptionTable& table, SolveSettings& settings);

}  // namespace bilevel::cli
