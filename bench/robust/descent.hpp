// Minimisation of phi(x) = f(x, answer(x)) in extended precision, from a point to the local minimum below it.
#pragma once

#include <functional>

#include "exact_game.hpp"

namespace bilevel::robust {

struct Point {
  RealVec x, y;    // y is the follower's answer
  Real value = 0;  // phi(x)
};

struct Descent {
  Point end;
  bool minimum = false;  // a further step could gain nothing that counts
};

struct DescentOptions {
  int max_steps = 300;
  Real radius = 0.1L;  // of the first step
  Real widest = 2;
  Real negligible = 0;  // gains up to this, or 1e-9 of what was gained before, end the descent
  /// Asked after each step: true ends the descent.
  std::function<bool(const Point&)> enough;
};

/// Newton's method in a trust region with the whole Hessian of phi, so that it leaves saddles and maxima. `start.y` is
/// the follower's answer there. Source: Nocedal and Wright, Numerical Optimization, Alg. 4.1, the subproblem by
/// eigenvalues.
Descent descend(const ExactGame& game, const Point& start, const DescentOptions& options = {});

}  // namespace bilevel::robust
