// Methods on instances: what each returned, what it cost, and how that is judged.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bilevel/status.hpp"
#include "judge.hpp"

namespace bilevel::robust {

struct Attempt {
  std::size_t index = 0;  // of the instance in its family
  std::string method;     // what `auto` chose, else the method's name
  std::string status;     // of the run, or "exception"
  std::string message;
  bool claimed = false;  // converged
  Vec x, y;
  std::uint64_t calls = 0;  // oracle calls of f and g together, the choice of the method included
  long iterations = 0;
  double seconds = 0;
  Verdict verdict;
};

/// One method, or "auto", from the instance's start, with the library's own settings and stop rule but for the time.
Attempt attempt(const Instance& instance, const std::string& method, double seconds);

struct ContestOptions {
  std::vector<std::string> families;                         // names, in the table's order
  std::vector<std::pair<std::string, std::size_t>> methods;  // and instances of each family
  std::uint64_t seed = 1;
  std::size_t first = 0;  // the number of the first instance
  unsigned threads = 1;
  double seconds = 5;  // for one attempt
};

struct Cell {
  std::string family, method;
  std::vector<Attempt> attempts;

  std::size_t count(bool (*which)(const Attempt&)) const;
  /// Median of the oracle calls; 0 if there are no attempts.
  std::uint64_t median_calls() const;
};

bool is_solved(const Attempt& attempt);
/// Claims to have converged, but is no solution.
bool is_false(const Attempt& attempt);
bool is_worse(const Attempt& attempt);

/// All cells, family by family. The instances are drawn once for all methods.
std::vector<Cell> contest(const ContestOptions& options);

/// Calls task(0 .. count - 1), each once, from `threads` threads; hands on the first exception.
void in_parallel(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& task);

}  // namespace bilevel::robust
