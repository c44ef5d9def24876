// BFGS on phi_i(x) = f(x, y_i(x)).
#pragma once

#include <string>

#include "bilevel/status.hpp"
#include "solve/branch_function.hpp"

namespace bilevel {

struct DescentOptions {
  double tolerance = 1e-9;     // |grad phi| relative to its terms, or to 1e-6 of its size at the start
  Index max_iterations = 200;  // of BFGS
  double largest_x = 0;        // |x| beyond which the descent is called divergent; 0: never
};

struct Descent {
  BranchPair end;
  /// converged; stagnated: at rounding level; breakdown: the branch ends there, phi falls towards its end; diverged;
  /// budget_reached.
  Status status = Status::budget_reached;
  Index iterations = 0;
  std::string message;
};

/// Descends from `start`, staying on its branch. [Nocedal and Wright, Numerical Optimization, Algorithm 6.1, with
/// backtracking: a trial at which the branch does not exist counts as infinitely high]
Descent descend_branch(const BranchFunction& phi, BranchPair start, const DescentOptions& options);

}  // namespace bilevel
