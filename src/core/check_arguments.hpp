// What check_objective can be asked.
#pragma once

#include "bilevel/check.hpp"

namespace bilevel {

/// Throws DimensionMismatch for a point that does not fit the objective, InvalidInput for one that is not finite, and
/// InvalidOption for options out of range.
void check_arguments(const Objective& objective, const Vec& x, const Vec& y, const CheckOptions& options);

}  // namespace bilevel
