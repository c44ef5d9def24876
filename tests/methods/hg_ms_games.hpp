// What the tests of HG-MS share: selections at one x, and games on rings.
#pragma once

#include "bilevel/hg_ms.hpp"
#include "manifold/sphere_game.hpp"
#include "morse_bott_examples.hpp"
#include "taylor.hpp"

namespace bilevel::testing {

inline SelectionReport selected(const BilevelProblem& problem, const Vec& x, const Vec& start,
                                const SelectionOptions& options = {}, std::uint64_t seed = 1) {
  Random random(seed);
  SelectionMemory memory;
  return select_on_manifold(problem, x, start, options, random, memory);
}

inline const HgMs::State& hg(const OuterMethod::State& state) { return dynamic_cast<const HgMs::State&>(state); }

/// n = 1, m = 2: g = (|y|^2 - 1)^2/4, f = h(x) y_1 with h = x^2 - 1/4:  F = -|h|, kinks at x = +-1/2.
inline BilevelProblem kinked_game() {
  auto lower =
      make_objective("ring", 1, 2, [](auto, auto y) { return 0.25 * square(square(y[0]) + square(y[1]) - 1.0); });
  auto upper = make_objective("f", 1, 2, [](auto x, auto y) { return (square(x[0]) - 0.25) * y[0]; });
  return {"kinked", upper, lower, vec({0.2}), vec({0.6, 0.7}), {}};
}

/// y = (t, s), g = s^2/2, f = t^4/4 - x t + s:  t* = cbrt(x), F = -3/4 |x|^(4/3), F' = -cbrt(x), not Lipschitz at 0.
inline BilevelProblem hoelder_game() {
  auto lower = make_objective("line", 1, 2, [](auto, auto y) { return 0.5 * square(y[1]); });
  auto upper =
      make_objective("f", 1, 2, [](auto x, auto y) { return 0.25 * square(square(y[0])) - x[0] * y[0] + y[1]; });
  return {"hoelder", upper, lower, vec({0.5}), vec({0.9, 0.4}), {}};
}

/// The two-layer network of morse_bott_examples: f wants other outputs at two other points, and small weights, which
/// makes its minimiser on the manifold of dimension 8 isolated.
inline BilevelProblem penalised_network_game() {
  const auto follower = two_layer_network();
  auto upper = make_objective("other points", 4, 12, [given = follower.x, near = follower.y](auto x, auto y) {
    const auto output = [&](double u, double v) {
      std::decay_t<decltype(y[0])> sum = 0;
      for (Index h = 0; h < 3; ++h) sum += y[9 + h] * tanh(y[2 * h] * u + y[2 * h + 1] * v + y[6 + h]);
      return sum;
    };
    decltype(y[0]) total = 0.5 * square(output(0.2, 0.6) - 0.8) + 0.5 * square(output(-0.5, -0.9) + 0.4);
    for (Index i = 0; i < 12; ++i) total += 0.1 * square(y[i] - near[i] - 0.1);
    for (Index i = 0; i < 4; ++i) total += 0.25 * square(x[i] - given[i]);
    return total;
  });
  return {"network", upper, follower.lower, follower.x, follower.y, {}};
}

}  // namespace bilevel::testing
