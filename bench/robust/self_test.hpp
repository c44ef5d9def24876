// Whether the exact games are what the problems are, and the references solutions.
#pragma once

#include <string>

#include "instance.hpp"

namespace bilevel::robust {

/// What is wrong with an instance, in sentences; empty if nothing: g_y at the follower's answer, f, the slope of phi
/// against differences of a phi whose follower the problem's own g answers, the Hessian's sign there.
std::string doubts(const Instance& instance);

}  // namespace bilevel::robust
