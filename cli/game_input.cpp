#include "game_input.hpp"

#include <fmt/format.h>

#include "bilevel/perturbed.hpp"
#include "bilevel/status.hpp"
#include "game_report.hpp"

namespace bilevel::cli {

void describe(OptionTable& table, GameSettings& settings) {
  table.group("Game")
      .add("perturb", settings.perturb,
           "size of a in g - <a, y>, a random generic term that makes almost every follower Morse; 0: none",
           at_least(0))
      .add("seed", settings.seed, "of the perturbation and of random starts: same seed, same result");
}

std::string perturb(Game& game, const GameSettings& settings) {
  if (settings.perturb == 0) return "";
  const Vec a = random_perturbation(game.problem.dim_y(), settings.perturb, settings.seed);
  game.problem.lower = perturbed(game.problem.lower, a);
  game.problem.known.reset();  // it is another game now
  return fmt::format("the follower minimises g - <a, y> with a = {} (seed {})", point_text(a), settings.seed);
}

void apply_settings(OptionTable& table, const Game& game, const std::string& file) {
  for (const auto& [name, text] : game.settings) {
    try {
      table.set(name, text);
    } catch (const InvalidOption& error) {
      throw InvalidOption(fmt::format("{}: [solve]: {}", file, error.what()));
    }
  }
}

}  // namespace bilevel::cli
