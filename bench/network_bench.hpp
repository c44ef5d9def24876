// The passes over stored rows that networks of one hidden layer are made of, against the machine's multiply-add peak.
#pragma once

#include <vector>

#include "bench_row.hpp"

/// Value with gradient, and Hessian product, of 32 hidden units and 10 classes on 20000 dense rows of 784 features and
/// on 5000 sparse rows of 200 stored values among 16384, float32 and float64, one and two threads. The bound is the
/// multiply-adds of both layers at the peak that the same threads reach between the repetitions. Sparse rows meet
/// weights that only the third cache holds: its speed, not the peak, limits them.
std::vector<BenchRow> bench_networks();
