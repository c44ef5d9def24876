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

/// Distances, with x* 0.9 from the start: 1e-6 where the run stops by its tolerance, 1e-8 of the first hypergradient,
/// divided by phi's smallest curvature, 0.1. Neumann series of 30 terms leave (7/8)^31 = 2 % of the adjoint's slowest
/// part and so about a percent in x; F2SA's and MEHA's penalties leave 1 / l and 1 / c. Elsewhere, where noise or
/// (BOME) slow decay stays, it is some three to ten times what seed 1 gives.
inline std::vector<Rival> rivals() {
  const Calls gradients{0, 1, 1, 0, 0}, twice_f{0, 2, 2, 0, 0}, first_order{0, 2, 2, 0, 0};
  const Calls &look = kAdjointLowerLook, &look_f = kAdjointUpperLook, first_order_look{1, 2, 1, 0, 0};
  return {
      {"soba", {}, kSobaLower, kSobaUpper, look, look_f, 1e-6, 2e-3},
      {"saba", {}, kSobaLower, kSobaUpper, look, look_f, 1e-6, 1e-6},
      {"ma_soba", {}, kSobaLower, kSobaUpper, look, look_f, 1e-6, 2e-2},
      {"stocbio", {{"inner-steps", "2"}, {"neumann-terms", "3"}}, {0, 0, 2, 3, 1}, gradients, look, look_f, 5e-3, 2e-2},
      {"amigo", {{"inner-steps", "2"}, {"adjoint-steps", "3"}}, {0, 0, 2, 3, 1}, gradients, look, look_f, 1e-6, 5e-2},
      {"ttsa", {{"neumann-terms", "1"}}, {0, 0, 1, 0, 1}, gradients, look, look_f, 0.2, 0.25},
      {"sustain", {{"neumann-terms", "1"}}, {0, 0, 2, 0, 2}, twice_f, look, look_f, 0.1, 0.2},
      {"mrbo", {{"neumann-terms", "3"}}, {0, 0, 2, 6, 2}, twice_f, look, look_f, 5e-3, 2e-2},
      {"vrbo",
       {{"inner-steps", "2"}, {"neumann-terms", "3"}, {"period", "1000"}},
       {0, 0, 4, 12, 4},
       {0, 4, 4, 0, 0},
       look,
       look_f,
       5e-3,
       2e-2},
      {"srba", {{"period", "1000"}}, {0, 0, 2, 2, 2}, twice_f, look, look_f, 1e-6, 1e-6},
      {"unibio",
       {{"follower-every", "1"}, {"follower-budget", "2"}, {"series-terms", "3"}, {"cross-batches", "2"}},
       {0, 0, 3, 3, 1},
       {1, 1, 1, 0, 0},
       look,
       look_f,
       1e-5,
       2e-2},
      {"f2sa", {}, first_order, gradients, first_order_look, look_f, 1e-3, 5e-3},
      {"bome", {{"inner-steps", "2"}}, {0, 2, 3, 0, 0}, gradients, {1, 2, 2, 0, 0}, {1, 1, 1, 0, 0}, 0.1, 0.2},
      {"meha", {}, first_order, gradients, first_order_look, look_f, 2e-2, 3e-2},
  };
}

}  // namespace bilevel::testing
