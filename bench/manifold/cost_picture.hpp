// The calls of HG-MS over the dimension of the follower's manifold and that of the space around it.
#pragma once

#include <filesystem>
#include <vector>

#include "bilevel/vec.hpp"

namespace bilevel::bench {

/// Of one k and m: means over the games on which the gap was reached.
struct ManifoldCost {
  static constexpr int kSeeds = 5;
  Index k = 0, m = 0;
  int reached = 0;  // of kSeeds games
  double steps = 0, gradients = 0, products = 0, upper_gradients = 0, seconds = 0;
};

/// `few` are the costs where H has four distinct eigenvalues across the manifold. Writes `target` (PNG) by gnuplot,
/// from a script beside it of the same name with .gnuplot. Throws InvalidInput where that fails.
void draw_costs(const std::vector<ManifoldCost>& costs, const std::vector<ManifoldCost>& few,
                const std::filesystem::path& target);

}  // namespace bilevel::bench
