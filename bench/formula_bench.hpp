// Formulas against the same functions written as plain C++ in doubles.
#pragma once

#include <vector>

#include "bench_row.hpp"

/// The bound is the time of the plain function's value; 1 / share is how many of those a formula's oracle takes.
std::vector<BenchRow> bench_formulas();
