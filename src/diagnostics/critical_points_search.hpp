// The two searches behind find_critical_points; both leave sorting to it.
#pragma once

#include "bilevel/critical_points.hpp"

namespace bilevel {

/// m = 1: sign changes and touching zeros of g_y over cells.
CriticalPoints search_line(const Objective& lower, const Vec& x, const Box& box, const CriticalPointOptions& options,
                           const Objective* upper);

/// m > 1: Newton's method from many starts, with deflation.
CriticalPoints search_newton(const Objective& lower, const Vec& x, const Box& box, const CriticalPointOptions& options,
                             const Objective* upper);

/// The typical size of g_y: the median of |g_y| over where it was evaluated, or their largest if that is 0.
double typical_size(std::vector<double> sizes);

/// How far outside the box, relative to its width, a critical point may lie by rounding and still be listed.
inline constexpr double kBoxMargin = 1e-6;

}  // namespace bilevel
