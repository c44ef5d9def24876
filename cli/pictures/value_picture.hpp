// The value function after k steps of the follower: phi^k(z) = f(x, A^k(x, z)).  [BLPV25, figures 2 and 3]
#pragma once

#include <string>
#include <vector>

#include "bilevel/lower.hpp"
#include "bilevel/objective.hpp"
#include "pictures/script.hpp"

namespace bilevel::cli {

/// phi^k at one iteration of a method that moves z.
struct TracedValue {
  Vec z = {};        // R^m; empty: not drawn on the left
  double value = 0;  // phi^k
};

/// A value worth a horizontal line, e.g. f at a solution.
struct ReferenceValue {
  double value = 0;
  std::string label = {};
};

struct ValuePicture {
  std::string title = {};
  const Objective* upper = nullptr;  // f, with values
  const Objective* lower = nullptr;  // g, with values
  const StepMap* map = nullptr;      // A
  Index steps = 1;                   // k
  Vec x = {};                        // R^n, the leader on the left
  double low = -1, high = 1;         // of the coordinate of z across
  Index coordinate = 0;              // which one, from 0
  Vec z = {};                        // R^m, the other coordinates of z; may be empty if m = 1
  std::vector<TracedValue> iterations = {};
  std::vector<ReferenceValue> references = {};
};

/// Left: g, f, A^k(z) and phi^k(z) against z, with samples added where A^k jumps; right: phi^k along the iterations
/// (left alone if there are none). Calls A between 501 and 5000 times k. Throws InvalidInput without one of the
/// pointers, for steps < 0, or for a range of z without width; DimensionMismatch; MissingOracle for objectives without
/// values.
///
///     const GradientDescentMap map(*problem.lower, 0.2);
///     draw(value_picture_script({.title = problem.name, .upper = problem.upper.get(), .lower = problem.lower.get(),
///                                .map = &map, .steps = 9, .x = problem.x0, .low = -2, .high = 2}), "value.png");
Script value_picture_script(const ValuePicture& picture);

}  // namespace bilevel::cli
