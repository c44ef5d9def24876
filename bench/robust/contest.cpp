#include "contest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

#include "bilevel/solve.hpp"

namespace bilevel::robust {

Attempt attempt(const Instance& instance, const std::string& method, double seconds) {
  const auto& problem = instance.problem;
  Attempt result;
  result.method = method;
  const auto before = problem.upper->counts().total() + problem.lower->counts().total();
  const auto start = std::chrono::steady_clock::now();
  try {
    SolveOptions options;
    options.method = method;
    options.stop.time_limit = seconds;
    const auto solved = solve(problem, options);
    const auto& run = solved.run;
    result.method = solved.method.name;
    result.claimed = run.status == Status::converged;
    result.status = to_string(run.status);
    result.message = run.message;
    result.x = result.claimed || run.best_x.size() == 0 ? run.x : run.best_x;
    result.y = result.claimed || run.best_x.size() == 0 ? run.y : run.best_y;
    result.iterations = run.iterations;
  } catch (const std::exception& error) {
    result.status = "exception";
    result.message = error.what();
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.calls = problem.upper->counts().total() + problem.lower->counts().total() - before;
  result.verdict = judge(instance, result.x, result.y);
  return result;
}

bool is_solved(const Attempt& attempt) { return attempt.verdict.solved(); }
bool is_false(const Attempt& attempt) { return attempt.claimed && !attempt.verdict.solved(); }
bool is_worse(const Attempt& attempt) { return attempt.verdict.worse; }

std::size_t Cell::count(bool (*which)(const Attempt&)) const {
  return static_cast<std::size_t>(std::count_if(attempts.begin(), attempts.end(), which));
}

std::uint64_t Cell::median_calls() const {
  if (attempts.empty()) return 0;
  std::vector<std::uint64_t> calls;
  for (const auto& attempt : attempts) calls.push_back(attempt.calls);
  const auto middle = calls.begin() + static_cast<std::ptrdiff_t>(calls.size() / 2);
  std::nth_element(calls.begin(), middle, calls.end());
  return *middle;
}

void in_parallel(std::size_t count, unsigned threads, const std::function<void(std::size_t)>& task) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto work = [&] {
    try {
      for (std::size_t i = next++; i < count; i = next++) task(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };
  std::vector<std::jthread> team;
  for (unsigned i = 1; i < threads; ++i) team.emplace_back(work);
  work();
  team.clear();
  if (failure) std::rethrow_exception(failure);
}

std::vector<Cell> contest(const ContestOptions& options) {
  std::vector<Cell> cells;
  for (const auto& family : families()) {
    if (std::find(options.families.begin(), options.families.end(), family.name) == options.families.end()) continue;
    const auto first = cells.size();
    std::size_t instances = 0;
    for (const auto& [method, count] : options.methods) {
      cells.push_back({family.name, method, std::vector<Attempt>(count)});
      instances = std::max(instances, count);
    }
    in_parallel(instances, options.threads, [&](std::size_t index) {
      const auto instance = make_instance(family, options.seed, options.first + index);
      for (auto cell = first; cell < cells.size(); ++cell) {
        if (index >= cells[cell].attempts.size()) continue;
        auto& result = cells[cell].attempts[index] = attempt(instance, cells[cell].method, options.seconds);
        result.index = options.first + index;
      }
    });
  }
  return cells;
}

}  // namespace bilevel::robust
