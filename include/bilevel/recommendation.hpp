// Which method, hypergradient and memory plan fit a problem, with the reason.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bilevel/critical_points.hpp"
#include "bilevel/problem.hpp"

namespace bilevel {

struct Recommendation {
  std::string method;                           // a name of registry.hpp
  std::map<std::string, std::string> settings;  // its options that differ from the defaults, by name
  std::string hypergradient;         // "corrected": unrolled steps and the adjoint system for the rest; "implicit"
  std::string memory;                // "store"; "none": no trajectory
  Index inner_steps = 0;             // k expected, for the predictions
  double condition = 0;              // of H at the follower's answer to x0; infinity if H is singular
  double predicted_bytes = 0;        // of one hypergradient: trajectory and adjoint solve
  double predicted_seconds = 0;      // of one leader step, from the oracles timed here
  bool several_minimisers = false;   // then --global looks at all of them
  std::string summary;               // a few words: why this method
  std::vector<std::string> reasons;  // sentences with numbers
};

/// Settles the follower at x0, measures H there (see certify) and times the oracles: a few hundred evaluations.
/// `critical_points` of g(x0, .) sharpens the advice and may be null. Throws DimensionMismatch, MissingOracle.
Recommendation recommend(const BilevelProblem& problem, const CriticalPoints* critical_points = nullptr);

}  // namespace bilevel
