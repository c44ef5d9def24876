// How long one call takes, and the rows that every kind of objective gets.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "bench_row.hpp"
#include "bilevel/objective.hpp"

/// Processor time of this thread: a busy machine disturbs it less than the wall clock.
inline double thread_seconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Median seconds of one call, over repetitions of about 2 ms.
template <class Action>
double time_of(Action&& action) {
  constexpr int kRepetitions = 15;
  const auto seconds_of = [&](std::size_t calls) {
    const double start = thread_seconds();
    for (std::size_t i = 0; i < calls; ++i) {
      asm volatile("" ::: "memory");  // else the compiler evaluates once for all calls
      action();
    }
    return thread_seconds() - start;
  };
  std::size_t calls = 1;
  while (seconds_of(calls) < 2e-3) calls *= 2;
  std::vector<double> seconds;
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    seconds.push_back(seconds_of(calls) / static_cast<double>(calls));
  }
  std::nth_element(seconds.begin(), seconds.begin() + kRepetitions / 2, seconds.end());
  return seconds[kRepetitions / 2];
}

/// Value, gradients and products of `f` at (x, y) under "<name>, value" and so on, against `bound` seconds.
inline void append_oracle_rows(const std::string& name, const bilevel::Objective& f, const bilevel::Vec& x,
                               const bilevel::Vec& y, double bound, std::vector<BenchRow>& rows) {
  using bilevel::Oracle;
  const bilevel::Vec v = bilevel::Vec::Ones(y.size());
  volatile double sink = 0;
  const auto add = [&](const char* what, double seconds) {
    rows.push_back({name + ", " + what, seconds, bound, bound / seconds});
  };
  add("value", time_of([&] { sink = f.value(x, y); }));
  add("grad_y", time_of([&] { sink = f.grad_y(x, y)[0]; }));
  add("value, grad_x, grad_y",
      time_of([&] { sink = (*f.evaluate(Oracle::value | Oracle::grad_x | Oracle::grad_y, x, y).grad_y)[0]; }));
  add("linearize and one product, both parts", time_of([&] { sink = f.linearize(x, y).both(v).hess_yy[0]; }));
  const auto here = f.linearize(x, y);
  add("further product, both parts", time_of([&] { sink = here.both(v).hess_yy[0]; }));
}
