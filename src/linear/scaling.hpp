// What every solver needs before its first iteration: checked options, scaled vectors, the cases without iterations.
#pragma once

#include <limits>
#include <optional>

#include "bilevel/linear.hpp"

namespace bilevel {

inline constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

/// |v| without underflow or overflow of the squares. Eigen's stableNorm fails with the alignment that this library
/// sets.
double scaled_norm(const Vec& v);

/// A power of two near the largest entry of v (v finite and not zero), so that v / unit has squares that neither
/// overflow nor vanish, and no digit changes.
double power_of_two_near(const Vec& v);

/// Throws InvalidOption in the words of the solver `name`.
void check_stop(std::string_view name, const LinearStop& stop, std::string_view default_budget);

/// The answer where nothing is to be iterated: a right-hand side or start that is not finite, a zero right-hand side.
/// `size` is the length of x.
std::optional<LinearSolver::Summary> answer_without_iteration(std::string_view name, Index size, const Vec& b,
                                                              const Vec* warm_start);

}  // namespace bilevel
