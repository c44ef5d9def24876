// Different calls for the same answer, compared: parts of a fused call, evaluate_along, and linearisations in any
// order.
#pragma once

#include <map>
#include <vector>

#include "bilevel/check.hpp"

namespace bilevel {

/// Where and in which directions an objective is asked: x and u in R^n, y and v in R^m. Refers to them.
struct CallPoint {
  const Vec& x;
  const Vec& y;
  const Vec& u;
  const Vec& v;
};

/// On all samples, and on half of them where there are two or more:
///
///   parts      each selection from value and gradients, asked of evaluate and beside a linearisation, against all of
///              them in one evaluate
///   along      evaluate_along for each such selection against linearize and both
///   histories  linearisations at points that differ in x, in y or in the batch, two at a time in every order, against
///              what each answered in other company; from vectors that are overwritten afterwards, too
///   slopes     derivatives on the batch against what they are the derivatives of: the averages over an epoch do not
///              show a product that ignores its batch
///
/// `scale` holds the size of the terms that each oracle's answer is summed from. Equal answers may differ by
/// `equal_within` times the noise. Oracles of `suspects` have failed other checks and are left out;
/// so are those that fail here from the next check on.
std::vector<Check> check_calls(const Objective& objective, const CallPoint& point,
                               const std::map<Oracle, double>& scale, double noise, double equal_within,
                               OracleSet suspects);

}  // namespace bilevel
