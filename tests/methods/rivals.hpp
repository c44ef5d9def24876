// The minibatch methods as a table: what each must reach, and what an iteration of it costs.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bilevel/registry.hpp"

namespace bilevel::testing {

/// Calls in the order value, grad_x, grad_y, hess_yy, hess_xy.
using Calls = std::array<std::uint64_t, 5>;

inline Calls calls(const OracleCounts& counts) {
  return {counts[Oracle::value], counts[Oracle::grad_x], counts[Oracle::grad_y], counts[Oracle::hess_yy],
          counts[Oracle::hess_xy]};
}

struct Rival {
  std::string name;
  std::map<std::string, std::string> settings;  // of the cost test: short loops
  Calls lower, upper;                           // of one iteration with these, as the header says
  Calls lower_look, upper_look;                 // of a round's end
  double quadratic;                             // |x - x*| on quadratic_problem, of 300 rounds
  double finite_sum;                            // |x - x*| on finite_sum_problem, of 300 rounds
};

inline constexpr Calls kSobaLower{0, 0, 1, 1, 1}, kSobaUpper{0, 1, 1, 0, 0};
inline constexpr Calls kAdjointLowerLook{1, 0, 1, 0, 1}, kAdjointUpperLook{1, 1, 0, 0, 0};

/// Distances: 1e-6 where the run stops by its tolerance, 1e-8 of the first hypergradient, divided by phi's smallest
/// curvature, 0.1. Methods whose noise does not vanish have ten times what seed 1 gives.
inline std::vector<Rival> rivals() {
  return {
      {"soba", {}, kSobaLower, kSobaUpper, kAdjointLowerLook, kAdjointUpperLook, 1e-6, 2e-3},
      {"saba", {}, kSobaLower, kSobaUpper, kAdjointLowerLook, kAdjointUpperLook, 1e-6, 1e-6},
      {"ma_soba", {}, kSobaLower, kSobaUpper, kAdjointLowerLook, kAdjointUpperLook, 1e-6, 2e-2},
  };
}

}  // namespace bilevel::testing
