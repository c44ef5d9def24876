// One line of the benchmark table.
#pragma once

#include <string>

struct BenchRow {
  std::string name;                   // what ran, on what shape, precision and threads
  double seconds = 0.0;               // median over the repetitions
  double bound_seconds = 0.0;         // what it is compared with, measured in the same run; 0: nothing
  double share = 0.0;                 // bound_seconds / seconds; 0 without a bound
  double peak_mebibytes = 0.0;        // peak memory of a process that does only this; 0: not measured
  double best_seconds = 0.0;          // least of the repetitions; 0: not kept
  double memory_bound_seconds = 0.0;  // the time to read its data once, measured in the same run; 0: not measured
};
