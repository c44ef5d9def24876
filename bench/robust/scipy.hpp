// SciPy's L-BFGS-B on the same instances: scipy_rival.py, and the oracles that it asks for.
#pragma once

#include <string>
#include <vector>

#include "contest.hpp"

namespace bilevel::robust {

/// Answers "open FAMILY INDEX", and for the game opened last "lower X Y" (g, g_y), "upper X Y" (f, f_x, f_y),
/// "second X Y" (H and B by rows) and "calls" (oracle calls since it was opened), one line each, until the input ends.
void serve(std::uint64_t seed);

/// Runs the script on the first `instances` of each family and judges what it returns: a cell "scipy" for each family.
/// Throws std::runtime_error if python3 or SciPy is missing.
std::vector<Cell> scipy_cells(const ContestOptions& options, std::size_t instances);

}  // namespace bilevel::robust
