// Descent of f along the follower's manifold of minimisers.
#pragma once

#include "bilevel/manifold_selection.hpp"
#include "lower/manifold_point.hpp"

namespace bilevel {

/// f at a point of S(x). `sign` is -1 for pessimistic selections, which minimise -f.
struct RankedPoint {
  FollowerPoint point;
  Vec slope;         // f_y, R^m
  double upper = 0;  // f
};

/// Empty where f or f_y is not finite.
std::optional<RankedPoint> rank(const Objective& upper, const Vec& x, FollowerPoint point, SelectionMemory& memory);

struct Polished {
  RankedPoint best;
  Vec tangent;  // P_ker f_y
  Status status = Status::budget_reached;
  Index iterations = 0;
  bool known = false;  // it began at the previous answer
};

/// Minimises sign f over S(x) by limited-memory quasi-Newton steps d in ker H, y <- settle(y + d), within a radius that
/// shrinks where f did not fall as it should: a rejected trial still shows the curvature. Each trial costs a settle,
/// one f and two projections. Ends converged, stagnated (rounding), budget_reached, diverged (f falls without bound).
Polished polish(const BilevelProblem& problem, const Vec& x, RankedPoint start, double sign,
                const SelectionOptions& options, SelectionMemory& memory, Index& steps);

}  // namespace bilevel
