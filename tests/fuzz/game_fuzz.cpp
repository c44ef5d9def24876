// Game files: read or refused, and what is read can be evaluated at its start.
#include "bilevel/game.hpp"
#include "bilevel/status.hpp"
#include "fuzz/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto game = bilevel::parse_game(bilevel::testing::text_of(data, size), "fuzz.toml");
    const auto& problem = game.problem;
    problem.upper->value(problem.x0, problem.y0);
    problem.lower->grad_y(problem.x0, problem.y0);
  } catch (const bilevel::InvalidInput& refusal) {
    bilevel::testing::demand(std::string_view(refusal.what()).starts_with("fuzz.toml:"),
                             "a refusal begins with the place");
  }
  return 0;
}
