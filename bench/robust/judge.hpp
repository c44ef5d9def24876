// Whether an answer is a solution, by values of the exact game alone.
#pragma once

#include <string>

#include "instance.hpp"

namespace bilevel::robust {

struct Verdict {
  bool leader = false;    // phi(x) is the reference's, or that of another local minimum where those count
  bool follower = false;  // y is the follower's answer to x
  bool worse = false;     // phi(x) is above phi at the start
  bool beaten = false;    // phi(x) is clearly below the reference, where there should be nothing
  Real value = 0;         // phi(x); NaN where the follower has no answer
  Real excess = 0;        // phi(x) - phi(reference), as a share of what there was to gain
  Real gap = 0;           // |f(x, y) - phi(x)|, as the same share
  Real residual = 0;      // |g_y| against its size at the start, in the game's units
  std::string why;        // what is wrong; empty if solved

  bool solved() const { return leader && follower; }
};

Verdict judge(const Instance& instance, const Vec& x, const Vec& y);

/// Whether there is no more to gain below `at`: the share that counts is 1e-6 of what was gained since the start.
bool is_local_minimum(const Instance& instance, const Point& at);

}  // namespace bilevel::robust
