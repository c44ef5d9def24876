// How long a pass takes beside the multiply-adds that the same threads can do.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "bench_row.hpp"
#include "machine_peak.hpp"

inline double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// Medians of the pass, of the peak of Real and, if given, of a read of the pass's data, measured in turn, so that all
/// see the same neighbours and the same clock. The bound is `flops` operations at the peak of the team's threads.
template <class Real>
BenchRow against_peak(const std::string& name, bilevel::kernels::ThreadTeam& team, double flops,
                      const std::function<void()>& pass, const std::function<double()>& read = nullptr) {
  constexpr int kRepetitions = 25;
  const auto now = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  std::vector<double> seconds, peaks, reads;
  pass();
  for (int i = 0; i < kRepetitions; ++i) {
    peaks.push_back(measured_flops<Real>(team, 4));
    if (read) reads.push_back(read());
    const double start = now();
    pass();
    seconds.push_back(now() - start);
  }
  BenchRow row{name, median(seconds), flops / median(peaks), 0.0};
  row.share = row.bound_seconds / row.seconds;
  row.best_seconds = *std::min_element(seconds.begin(), seconds.end());
  if (read) row.memory_bound_seconds = median(reads);
  return row;
}
