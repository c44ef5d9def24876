// The audit of a whole problem: every derivative of both objectives, and the hypergradient against the re-solved value
// function.
#pragma once

#include "bilevel/check.hpp"
#include "bilevel/problem.hpp"

namespace bilevel {

struct AuditOptions {
  CheckOptions derivatives = {};  // of check_objective, for both objectives
  int directions = 5;             // random directions of the hypergradient, 1 to 1000
  Index inner_steps = 10;         // k >= 1 of phi^k(x, z) = f(x, A^k(x, z))
};

struct Audit {
  CheckReport upper;  // f's oracles
  CheckReport lower;  // g's oracles
  /// The unrolled derivative of phi^k by Taylor slope in x and in z, and the implicit hypergradient against finite
  /// differences of x -> f(x, y(x)) with y(x) solved anew, one line a direction.
  CheckReport hypergradient;

  bool passed() const { return upper.passed() && lower.passed() && hypergradient.passed(); }
  std::string text() const;
};

/// Checks at (x, y), moved a little by the seed so that nothing vanishes by accident. Works for every Objective, those
/// that a user wrote by hand included: a wrong derivative is caught and named. Where the follower cannot be solved from
/// there, or H is not clearly positive definite at its answer, a sentence of `not_checked` says so and nothing fails.
/// Throws as check_objective does, and InvalidOption for directions or inner_steps out of range.
Audit audit(const BilevelProblem& problem, const Vec& x, const Vec& y, const AuditOptions& options = {});

}  // namespace bilevel
