// A game whose follower has more than one best answer: the leader anticipates the one that the follower would move to.
// A dog on a leash of length 1 is as content on one side of its owner as on the other; a bone lies at (3, 1).
#include <iomanip>
#include <iostream>
#include <memory>

#include "bilevel/autodiff.hpp"
#include "bilevel/check_selection.hpp"
#include "bilevel/selection.hpp"

using bilevel::Vec;

int main() {
  // [snippet game]
  // Follower: the dog y wants the leash to be tight. Its best answers form a circle around the owner x.
  const auto leash = bilevel::make_objective(
      "leash", 2, 2, [](auto x, auto y) { return 0.25 * square(square(y[0] - x[0]) + square(y[1] - x[1]) - 1.0); });
  // Leader: the owner wants the dog at the bone, without a long walk.
  const auto walk = bilevel::make_objective("walk", 2, 2, [](auto x, auto y) {
    return 0.5 * (square(y[0] - 3.0) + square(y[1] - 1.0)) + 0.05 * (square(x[0]) + square(x[1]));
  });
  // [/snippet game]

  // [snippet selection]
  // The dog goes to a best answer near the place where it stands; the derivative of that is -B H+.
  const bilevel::SolverSelection nearest(leash, std::make_shared<bilevel::Lbfgs>(), {.tolerance = 1e-11},
                                         std::make_shared<bilevel::Minres>());
  const auto report = check_selection(nearest, *leash, Vec::Zero(2), Vec::Unit(2, 0), {.spread_y = 0.2});
  std::cout << report.text();
  // [/snippet selection]

  // [snippet play]
  // The owner walks downhill, the dog answers from where it was: an equilibrium, which depends on where the dog began.
  std::cout << std::fixed << std::setprecision(4);
  for (const double side : {1.0, -1.0}) {
    const Vec begin = Vec::Constant(2, side);
    Vec x = Vec::Zero(2), y = begin;
    bilevel::SelectionHypergradient now;
    for (int step = 0; step < 2000; ++step) {
      now = nearest.hypergradient(*walk, x, y);
      if (now.status != bilevel::Status::converged) break;
      y = now.answer.y;
      x -= 0.2 * now.gradient;
    }
    std::cout << "dog from (" << begin[0] << ", " << begin[1] << "): owner (" << x[0] << ", " << x[1] << "), dog ("
              << y[0] << ", " << y[1] << "), f = " << now.upper << ", "
              << (bilevel::norm(now.gradient) < 1e-8 ? "an equilibrium" : now.message) << '\n';
  }
  // [/snippet play]
}
