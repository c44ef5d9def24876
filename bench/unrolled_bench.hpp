// One unrolled hypergradient of data cleaning: the work that a leader step consists of.
#pragma once

#include <string>
#include <vector>

#include "bench_row.hpp"

/// K = 100 full-batch steps from y = 0 on 20000 x 784 rows and 10 classes, forward and back (four thin products a
/// step), float32 and float64, one and two threads, against the multiply-add peak that the same threads reach in the
/// same run; beside them the checkpoint plan. `self` is this program: it is started again to measure peak memory.
std::vector<BenchRow> bench_unrolled(const std::string& self);

/// What the restarted program does: one hypergradient under `plan` ("store", "checkpoint") with K steps, then prints
/// the process's peak memory in MiB.
int measure_unrolled_memory(const std::string& plan, long steps);
