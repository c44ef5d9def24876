// What DPBG's run shows: the phase of each accepted pair, and the plateaus they make up.
#pragma once

#include "bilevel/dpbg.hpp"

namespace bilevel {

/// Notes the pair (state.x, state.z) with its derivatives `result`, before the state moves on; z_0 is `start`.
void note_pair(Dpbg::State& state, const HypergradientResult& result, const Vec& start);

}  // namespace bilevel
