// Whether an objective's oracles agree with each other: run it on every new objective before trusting a result.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bilevel/objective.hpp"

namespace bilevel {

struct CheckOptions {
  /// Of the random directions and batches: same seed, same report.
  std::uint64_t seed = 1;

  /// Random directions for each derivative, 1 to 1000; slopes are the median over them unless one of
  /// them is nearer to 1 than to 2, errors the worst.
  int directions = 3;

  /// Samples in a batch, 1 to samples(); 0: a third of them. Small batches of many samples make many calls.
  std::size_t batch_size = 0;

  /// Relative error of one evaluation, in (0, 1e-2], or ten times the objective's rounding() if that is more. 1e-13
  /// fits sums of some ten thousand terms in double. Derivatives that are wrong by less than about sqrt(10 noise) of
  /// their size may stay unnoticed.
  double noise = 1e-13;
};

/// One comparison of two oracles.
struct Check {
  enum class Measure : std::uint8_t {
    slope,           // of log remainder over log step: 2 if right, 1 if the derivative is wrong
    relative_error,  // of two answers that should be equal
  };

  std::string name;  // e.g. "hess_xy: slope of grad_x along y"
  Measure measure;
  /// A slope is infinite if the remainder is rounding at every step, as for an affine function with the right
  /// derivative.
  double measured;
  double limit;  // a slope must be at least this, a relative error at most
  bool passed;
  OracleSet suspects;       // if it failed: the oracles to look at first
  std::string explanation;  // if it failed: one sentence that names them
  /// It failed next to a kink that the objective knows of (Objective::kinks): that says nothing about the oracles.
  bool at_kink = false;
};

struct CheckReport {
  std::vector<Check> checks;
  std::vector<std::string> not_checked;  // one sentence each: what an objective without some oracle leaves open

  bool passed() const;
  std::vector<std::string> failed() const;  // names, in order
  OracleSet suspects() const;               // those of all failed checks together
  std::string text() const;                 // a line for each check, then the verdict
};

/// Compares at (x, y) all oracles that the objective provides:
///
///   gradients and products   r(t) = |phi(p + t d) - phi(p) - t phi'(p) d| must fall as t^2 for t = 1, 1/2, 1/4, ..
///                            down to rounding; likewise for the products as derivatives of the gradients
///   structure                H symmetric, hess_xy and hess_yx adjoint
///   fused calls              evaluate, linearize and both give the answers of the single calls
///   repetition               the same call gives the same answer, bit for bit
///   batches                  the average over the batches of an epoch is the full answer; repeated samples count
///   twice;
///                            derivatives on a batch are those of its own gradients and value
///   other calls              each part of a fused call, and evaluate_along, give the same; so does every call whatever
///                            was asked before it: at two points in turn, on two batches, from vectors overwritten
///                            since
///
/// Choose a point where nothing vanishes by accident (not the start 0) and no sigmoid or softmax is saturated: in
/// float32 a remainder that is of second order only for short steps drowns in the noise before it shows. Costs a few
/// hundred evaluations. Differences are reported, never thrown. Throws DimensionMismatch if x or y do not fit,
/// InvalidInput if they are not finite, InvalidOption for options out of range.
CheckReport check_objective(const Objective& objective, const Vec& x, const Vec& y, const CheckOptions& options = {});

}  // namespace bilevel
