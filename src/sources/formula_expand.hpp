// From the tree to the graph: sums written out, indices known.
#pragma once

#include "sources/formula_graph.hpp"
#include "sources/formula_syntax.hpp"

namespace bilevel {

struct ExpandedFormula {
  Graph graph;
  std::uint32_t root = 0;
  Index largest_x = 0, largest_y = 0;  // indices, from 1
};

/// Throws FormulaMistake: an index that is unknown, not whole or out of range, a part that is constant but has no
/// finite value, sums of more than kMostOperations operations.
ExpandedFormula expand(const Syntax& syntax);

/// Most operations of a formula, its sums written out.
inline constexpr double kMostOperations = 5e6;

}  // namespace bilevel
