// What UniBiO as a whole takes to a hypergradient of a given length.
#pragma once

namespace bilevel::bench {

/// Prints the oracle calls of g until |phi'| <= accuracy on the power game under noise 1, for p = 2, 4, 6, 8, and the
/// exponent of their growth against that of the paper's bound, 5 p - 6.
void print_method_costs();

}  // namespace bilevel::bench
