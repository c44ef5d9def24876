// Binomial checkpointing: reverse a chain of steps with a fixed number of kept states and the fewest recomputations.
#pragma once

#include <algorithm>
#include <utility>

#include "bilevel/vec.hpp"

namespace bilevel {

/// The longest chain that can be reversed when no step is taken more than `repeats` times: beta(s, t) = C(s + t, s)
/// with s = checkpoints + 1, since the start is kept too.  [Griewank and Walther (2000), Algorithm 799]
inline Index revolve_reach(Index checkpoints, Index repeats) {
  if (repeats < 0) return 0;
  double reach = 1;
  for (Index i = 1; i <= checkpoints + 1; ++i)
    reach = reach * static_cast<double>(repeats + i) / static_cast<double>(i);
  return static_cast<Index>(std::min(reach + 0.5, 1e15));
}

/// Smallest r with revolve_reach(checkpoints, r) >= steps.
inline Index revolve_repeats(Index steps, Index checkpoints) {
  Index repeats = 0;
  while (revolve_reach(checkpoints, repeats) < steps) ++repeats;
  return repeats;
}

/// Fewest advances that reverse `steps` steps with `checkpoints` kept states beside the start; recording a step for its
/// visit is not an advance.  [Griewank and Walther (2000): t(l, s) = r l - beta(s + 1, r - 1)]
inline Index revolve_cost(Index steps, Index checkpoints) {
  const Index repeats = revolve_repeats(steps, checkpoints);
  return repeats * steps - revolve_reach(checkpoints + 1, repeats - 1);
}

/// Calls visit(y_{steps-1}), ..., visit(y_0), where y_0 = start and y_{j+1} = advance(y_j), keeping at most
/// `checkpoints` states beside `start` and the running one. A State is copied when it is kept: Vec, outside tests.
template <class State, class Advance, class Visit>
void revolve(const State& start, Index steps, Index checkpoints, const Advance& advance, const Visit& visit) {
  if (steps == 1) return visit(start);
  if (checkpoints == 0) {
    for (Index j = steps - 1; j > 0; --j) {
      State y = start;
      for (Index i = 0; i < j; ++i) y = advance(y);
      visit(y);
    }
    return visit(start);
  }
  // Any split with the left part in [beta(c, r-2), beta(c, r-1)] and the right part in [beta(c-1, r-1), beta(c-1, r)]
  // is optimal; the shortest left part takes the fewest steps before the first visit.
  const Index repeats = revolve_repeats(steps, checkpoints);
  const Index left = std::clamp<Index>(
      std::max(revolve_reach(checkpoints, repeats - 2), steps - revolve_reach(checkpoints - 1, repeats)), 1, steps - 1);
  {
    State middle = start;
    for (Index i = 0; i < left; ++i) middle = advance(middle);
    revolve(middle, steps - left, checkpoints - 1, advance, visit);
  }
  revolve(start, left, checkpoints, advance, visit);
}

}  // namespace bilevel
