// The passes over dense rows that softmax models are made of, against the machine's multiply-add peak.
#pragma once

#include <vector>

#include "bench_row.hpp"

/// Passes over 20000 x 784 features and 10 classes, float32 and float64, one and two threads. bound_seconds is the
/// pass's multiply-adds at the peak that the same threads reach between the repetitions; a read of the data is reported
/// beside it with the measured read bandwidth as its bound.
std::vector<BenchRow> bench_kernels();
