// Whether a selection map is one: criticality and self-consistency, measured on samples.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bilevel/selection.hpp"

namespace bilevel {

/// A pair with g_y(x, y) = 0.
struct CriticalPair {
  Vec x;  // R^n
  Vec y;  // R^m
};

struct SelectionCheckOptions {
  std::uint64_t seed = 1;  // same seed, same report
  int samples = 10;        // starts around (x, y), 1 to 100000
  /// Standard deviation of each entry of the starts around x and y, > 0 for y and >= 0 for x, in the units of x and y.
  /// Two valleys are told apart only if the starts reach both, or a pair of `known` lies in the other one.
  double spread_x = 0.1;
  double spread_y = 0.5;
  /// |g_y| at an answer may be this times the largest |g_y| at a start (or at (x, y)); in (0, 1).
  double criticality = 1e-6;
  /// phi may move a critical y by this times 1 + |y|; in (0, 1). Points that are critical to |g_y| = r lie up to
  /// r / (smallest nonzero eigenvalue of H) away from exact ones, so this must leave room for ill-conditioned
  /// followers.
  double consistency = 1e-5;
  std::vector<CriticalPair> known = {};  // further points at which phi(x, y) must be y, saddles too
};

/// One property, at the sample where it was met worst.
struct SelectionCheck {
  std::string name;
  int points = 0;    // at which it was measured
  double worst = 0;  // relative, as the limit; NaN where an answer was not finite
  double limit = 0;
  bool passed = true;
  Vec x, y;                 // the worst case: where phi was asked
  Vec answer;               // and what it answered
  std::string explanation;  // if it failed: one sentence
};

struct SelectionReport {
  SelectionCheck criticality;
  SelectionCheck self_consistency;
  std::vector<std::string> not_checked;  // one sentence each

  bool passed() const { return criticality.passed && self_consistency.passed; }
  std::string text() const;  // a line for each property, then the verdict
};

/// Measures both properties of [AM22, Def. 1] on seeded starts around (x, y):
///
///   criticality        |g_y(x, phi(x, y))|, computed anew, at every start
///   self-consistency   |phi(x, y) - y| at critical y: the selection's own answers fed back, critical points that
///                      L-BFGS finds from the same starts (a selection that ignores y and always answers the same point
///                      returns its own answers, but not those), and the pairs of `known`
///
/// Differences are reported, never thrown. Throws DimensionMismatch if a point does not fit, InvalidInput if (x, y) is
/// not finite or a pair of `known` is not critical to the criticality limit, InvalidOption for options out of range,
/// MissingOracle if `lower` has no grad_y.
SelectionReport check_selection(const SelectionMap& selection, const Objective& lower, const Vec& x, const Vec& y,
                                const SelectionCheckOptions& options = {});

}  // namespace bilevel
