// Where the branches of minimisers are entered, and where two of them tie.
#pragma once

#include <vector>

#include "bilevel/global.hpp"
#include "solve/branch_function.hpp"

namespace bilevel {

struct GlobalSeed {
  Vec x;             // R^n
  Vec y;             // R^m, a local minimiser of g(x, .)
  Index branch = 0;  // id in the map (n = 1), else the number of the seed
};

struct GlobalSeeds {
  std::vector<GlobalSeed> seeds;
  std::optional<BranchMap> map;  // n = 1
  Index branches = 0;
  std::string completeness;
};

/// n = 1: the branches over the whole box, each entered at every local minimum of f along it. n > 1: the minimisers at
/// x0, the box's centre and a low-discrepancy set of leaders.
GlobalSeeds find_seeds(const BilevelProblem& problem, const Box& box_x, const Box& box_y, const GlobalOptions& options);

/// Where the lowest two branches of minimisers exchange places.
std::vector<BranchTie> find_ties(const BilevelProblem& problem, const BranchMap& map);

}  // namespace bilevel
