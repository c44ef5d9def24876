// A game as formulas, solved on every branch of the follower's minimisers, with a certificate and an audit.
#include <iomanip>
#include <iostream>

#include "bilevel/audit.hpp"
#include "bilevel/game.hpp"
#include "bilevel/global.hpp"

int main() {
  // [snippet game]
  const auto game = bilevel::parse_game(R"toml(
    [problem]
    upper = "(x - 0.3)^2 + (y - 0.1)^2"
    lower = "huber(y^2 - 1 - 0.2*x)"
    [start]
    x = 0.5
    y = -1.2
    [box]
    x = [-1, 1]
    y = [-2, 2]
  )toml",
                                        "two wells");
  // [/snippet game]

  // [snippet solve]
  const auto result = bilevel::solve_global(game.problem, game.box_x, game.box_y);
  std::cout << std::fixed << std::setprecision(6);
  for (const auto& solution : result.solutions) {
    std::cout << "x = " << solution.x[0] << ", y = " << solution.y[0] << ", f = " << solution.upper << ": "
              << to_string(solution.certificate.verdict) << '\n';
  }
  // [/snippet solve]

  // [snippet audit]
  const auto audit = bilevel::audit(game.problem, game.problem.x0, game.problem.y0);
  std::cout << (audit.passed() ? "every derivative is right" : audit.text()) << '\n';
  // [/snippet audit]
}
