#include "bilevel/run.hpp"

#include <chrono>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace bilevel {

namespace {

/// The stop rule with the memory it needs.
class Stopping {
 public:
  explicit Stopping(const StopRule& rule) : rule_(rule) {}

  /// True when the run is over after this step; fills status and message.
  bool over(const TraceRow& row, RunResult& result) {
    const auto& report = row.report;
    if (first_norm_ < 0) first_norm_ = report.hypergradient_norm;
    const double target = rule_.tolerance * first_norm_;
    if (rule_.tolerance > 0 && report.hypergradient_norm <= target) {
      return end(result, Status::converged,
                 fmt::format("|hypergradient| = {:.3g} <= {:.3g} after {} steps", report.hypergradient_norm, target,
                             row.iteration));
    }
    if (report.upper < reference_ - rule_.improvement * std::abs(reference_) || std::isinf(reference_)) {
      reference_ = report.upper;
      reference_iteration_ = row.iteration;
    }
    if (rule_.improvement > 0 && row.iteration - reference_iteration_ >= rule_.patience) {
      return end(result, Status::stagnated,
                 fmt::format("the upper objective improved by less than {:.3g} % over the last {} steps",
                             100 * rule_.improvement, rule_.patience));
    }
    if (row.iteration >= rule_.max_iterations) {
      return end(result, Status::budget_reached, fmt::format("{} steps done, the most allowed", row.iteration));
    }
    if (row.seconds >= rule_.time_limit) {
      return end(result, Status::budget_reached,
                 fmt::format("{:.3g} s spent, the time limit is {:.3g} s", row.seconds, rule_.time_limit));
    }
    if (rule_.interrupt && rule_.interrupt->load()) {
      return end(result, Status::interrupted, fmt::format("stopped by the user after step {}", row.iteration));
    }
    return false;
  }

 private:
  static bool end(RunResult& result, Status status, std::string message) {
    result.status = status;
    result.message = std::move(message);
    return true;
  }

  StopRule rule_;
  double first_norm_ = -1;
  double reference_ = std::numeric_limits<double>::infinity();
  Index reference_iteration_ = 0;
};

}  // namespace

RunResult run(const BilevelProblem& problem, const OuterMethod& method, const StopRule& stop,
              const std::vector<Observer*>& observers, std::unique_ptr<OuterMethod::State> from) {
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  auto state = method.init(problem);  // also the check that method and problem fit
  if (from) state = std::move(from);
  const auto upper_start = problem.upper->counts(), lower_start = problem.lower->counts();

  RunResult result;
  Stopping stopping(stop);
  for (auto* observer : observers) observer->on_start(problem, *state);
  if (stop.max_iterations <= state->iteration) {
    result.message = fmt::format("{} steps were already done, the most allowed", state->iteration);
  }
  for (bool over = stop.max_iterations <= state->iteration; !over;) {
    const auto before = state->clone();
    TraceRow row;
    row.report = method.step(problem, *state);
    row.iteration = before->iteration + 1;
    row.seconds = elapsed();
    row.upper = problem.upper->counts() - upper_start;
    row.lower = problem.lower->counts() - lower_start;
    if (row.report.status != Status::converged) {
      result.status = row.report.status;
      result.message = fmt::format("step {} failed and was rolled back: {}", row.iteration, row.report.message);
      state = before->clone();
      break;
    }
    result.upper = row.report.upper;
    if (row.report.upper < result.best_upper) {
      // The value belongs to the leader before its move and to the follower's answer to it.
      result.best_upper = row.report.upper;
      result.best_iteration = row.iteration;
      result.best_x = before->x;
      result.best_y = state->y;
    }
    over = stopping.over(row, result);
    for (auto* observer : observers) observer->on_step(row, *state);
    result.trace.push_back(std::move(row));
  }

  result.x = state->x;
  result.y = state->y;
  if (result.best_x.size() == 0) {
    result.best_x = state->x;
    result.best_y = state->y;
  }
  result.iterations = state->iteration;
  result.choices = state->choices;
  result.seconds = elapsed();
  result.upper_calls = problem.upper->counts() - upper_start;
  result.lower_calls = problem.lower->counts() - lower_start;
  result.state = std::move(state);
  for (auto* observer : observers) observer->on_finish(result);
  return result;
}

void describe(OptionTable& table, StopRule& rule) {
  table.group("Stopping")
      .add("max-iterations", rule.max_iterations, "most leader steps", at_least(1))
      .add("time-limit", rule.time_limit, "most seconds, tested after each step", or_infinity(greater_than(0)))
      .add("tolerance", rule.tolerance,
           "converged when |hypergradient| <= tolerance * that of the first step; 0: never", at_least(0))
      .add("improvement", rule.improvement,
           "stop when the upper objective's best value improved by less than this share over `patience` steps; 0: never",
           between(0, 1))
      .add("patience", rule.patience, "steps without improvement before stopping", at_least(1));
}

}  // namespace bilevel
