// Every game of a folder solved by every method that applies: the share solved, and the share judged rightly.
//
//   bilevel_games [examples/games]
#include <fmt/format.h>

#include <exception>

#include "games/games_table.hpp"

int main(int argc, char** argv) {
  try {
    fmt::print("{}",
               bilevel::testing::games_text(bilevel::testing::judge_games(argc > 1 ? argv[1] : "examples/games")));
  } catch (const std::exception& error) {
    fmt::print(stderr, "bilevel_games: {}\n", error.what());
    return 1;
  }
}
