// The passes over dense rows that softmax models are made of, against the machine's multiply-add peak.
#pragma once

#include <vector>

#include "bench_row.hpp"

/// Passes over 20000 x 784 features and 10 classes, float32 and float64, one and two threads. bound_seconds is the
/// pass's multiply-adds at the peak that the same threads reach between the repetitions, memory_bound_seconds the time
/// in which they read the features once, with nothing else to do. A pass does both, so it takes at least the greater.
std::vector<BenchRow> bench_kernels();
