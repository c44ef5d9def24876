// What the tests of BGS-Opt share: given step sizes.
#pragma once

#include "bilevel/bgs_opt.hpp"
#include "flat_game.hpp"
#include "probes.hpp"
#include "taylor.hpp"

namespace bilevel::testing {

/// M, T, correction, a and gamma given.
inline BgsOptOptions fixed_steps(Index warm, Index unrolled_steps, bool correction, double a, double gamma) {
  BgsOptOptions options{
      .warm_start_steps = warm, .unrolled_steps = unrolled_steps, .correction = correction, .inner_step_size = a};
  options.leader.step_size = gamma;
  return options;
}

inline const BgsOpt::State& bgs(const OuterMethod::State& state) { return dynamic_cast<const BgsOpt::State&>(state); }

}  // namespace bilevel::testing
