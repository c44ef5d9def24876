// What derivatives of a generic lambda cost beside its plain evaluation.
#pragma once

#include <vector>

#include "bench_row.hpp"

/// Gradient, linearization and products of make_objective on a toy, on Rosenbrock's function and on dense residuals.
/// bound_seconds is the same lambda on plain doubles, called directly; times are
/// processor time.
std::vector<BenchRow> bench_autodiff();
