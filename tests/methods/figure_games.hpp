// The games of figures 2 and 3 [BLPV25, Sec. 5.4]: g = h(y^2 - 1) with Huber's h, f = (y - target)^2; x is ignored.
#pragma once

#include "probes.hpp"

namespace bilevel::testing {

/// |g''| <= 10, reached at |y| -> sqrt 2: 6 y^2 - 2 inside, 2 outside. a L = 0.9 with this step.
inline constexpr double kFigureStepSize = 0.09;

inline BilevelProblem figure_game(double target, double start) {
  auto lower = make_objective("double well", 1, 1, [](auto, auto y) { return huber(square(y[0]) - 1.0); });
  auto upper = make_objective("distance", 1, 1, [target](auto, auto y) { return square(y[0] - target); });
  return {"figure", upper, lower, vec({0}), vec({start}), {}};
}

}  // namespace bilevel::testing
