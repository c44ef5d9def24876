// BGS-Opt's settings against each other [AM22, Props. 3-5]: what a biased hypergradient leaves, and what an exact one
// costs.
#pragma once

#include "bilevel/vec.hpp"

namespace bilevel::bench {

/// Prints, for T = 1, 3, 10, 30, 100 with M = 0 and for T = 0 with M = 1 and 10, the relative error of x at the limit
/// without and with the correction, on a quadratic game whose follower has a flat subspace, solution in closed form:
/// n leader and m follower variables, 9 of 40 eigenvalues zero, condition 10 on the rest.
void print_bias_table(Index n, Index m);

/// Prints the oracle calls until the leader's residual has fallen to 1e-6 of that of the start, over T and M, for
/// uncorrected unrolling, corrected unrolling and implicit differentiation, cheapest first.
void print_cost_tables();

}  // namespace bilevel::bench
