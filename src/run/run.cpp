#include "bilevel/run.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <typeinfo>
#include <utility>

#include <fmt/format.h>

#include "run/audience.hpp"
#include "run/watched_step.hpp"

namespace bilevel {

namespace {

/// Notes a finished step; x is the leader that its value belongs to, y the follower's answer to it.
void note(Progress& progress, const TraceRow& row, const StopRule& rule, const Vec& x, const Vec& y) {
  if (!row.report.accepted) return;
  const double upper = row.report.upper;
  progress.largest_residual = std::max(progress.largest_residual, row.report.lower_residual);
  if (!progress.first_norm) progress.first_norm = row.report.hypergradient_norm;
  if (std::isinf(progress.reference) || upper < progress.reference - rule.improvement * std::abs(progress.reference)) {
    progress.reference = upper;
    progress.reference_iteration = row.iteration;
  }
  if (upper < progress.best_upper) {
    progress.best_upper = upper;
    progress.best_iteration = row.iteration;
    progress.best_x = x;
    progress.best_y = y;
  }
}

/// Whether |g_y| is small beside the largest that the run has seen: an answer to another leader's move is none.
bool follower_settled(const Progress& progress, const StepReport& report) {
  constexpr double kSettled = 1e-3;
  return report.lower_residual <= kSettled * progress.largest_residual;
}

/// True when the run is over after this step; fills status and message.
bool over(const StopRule& rule, const Progress& progress, const TraceRow& row, RunResult& result) {
  const auto end = [&](Status status, std::string message) {
    result.status = status;
    result.message = std::move(message);
    return true;
  };
  const auto& report = row.report;
  const double length = report.hypergradient_norm;
  const double target = rule.tolerance * progress.first_norm.value_or(0);
  if (rule.tolerance > 0 && report.accepted && report.solved.value_or(false)) {
    return end(Status::converged, report.message);
  }
  if (rule.tolerance > 0 && report.accepted && report.solved.value_or(true) && std::isfinite(length) &&
      length <= target && follower_settled(progress, report)) {
    return end(Status::converged,
               fmt::format("|hypergradient| = {:.3g} <= {:.3g} after {} steps", length, target, row.iteration));
  }
  if (rule.improvement > 0 && row.iteration - progress.reference_iteration >= rule.patience) {
    return end(Status::stagnated,
               fmt::format("the upper objective improved by less than {:.3g} % over the last {} steps",
                           100 * rule.improvement, rule.patience));
  }
  if (row.iteration >= rule.max_iterations) {
    return end(Status::budget_reached, fmt::format("{} steps done, the most allowed", row.iteration));
  }
  if (row.seconds >= rule.time_limit) {
    return end(Status::budget_reached,
               fmt::format("{:.3g} s spent, the time limit is {:.3g} s", row.seconds, rule.time_limit));
  }
  if (rule.interrupt && rule.interrupt->load()) {
    return end(Status::interrupted, fmt::format("stopped by the user after step {}", row.iteration));
  }
  return false;
}

/// Throws unless `from` is a state that `method`, whose own is `fresh`, can go on from.
void check_resumable(const BilevelProblem& problem, const OuterMethod& method, const OuterMethod::State& fresh,
                     const OuterMethod::State& from) {
  const bool other_name = !from.method.empty() && from.method != method.name();
  if (other_name || typeid(from) != typeid(fresh)) {
    throw InvalidArgument(fmt::format("the state to resume from belongs to {}, but the method is {}",
                                      from.method.empty() ? "another method" : "method " + from.method, method.name()));
  }
  if (from.x.size() != problem.dim_x() || from.y.size() != problem.dim_y()) {
    throw DimensionMismatch(
        fmt::format("the state to resume from has x of length {} and y of length {}, but problem '{}' has {} and {}",
                    from.x.size(), from.y.size(), problem.name, problem.dim_x(), problem.dim_y()));
  }
  if (!all_finite(from.x) || !all_finite(from.y)) {
    throw InvalidInput("the state to resume from is at a point with NaN or infinite entries");
  }
}

}  // namespace

RunResult run(const BilevelProblem& problem, const OuterMethod& method, const StopRule& stop,
              const std::vector<Observer*>& observers, std::unique_ptr<OuterMethod::State> from) {
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  check_options(stop);
  auto state = method.init(problem);  // also the check that method and problem fit
  Audience audience(observers);
  if (from) {
    check_resumable(problem, method, *state, *from);
    state = std::move(from);
  }
  state->method = method.name();
  const auto upper_start = problem.upper->counts(), lower_start = problem.lower->counts();

  RunResult result;
  bool done = stop.max_iterations <= state->iteration;
  if (done) result.message = fmt::format("{} steps were already done, the most allowed", state->iteration);
  // What observers make of the run once they were told of it.
  const auto hear = [&] {
    const bool stops = audience.wants_stop();
    if (done || (!stops && !audience.error())) return;
    done = true;
    result.status = audience.error() ? Status::exception : Status::interrupted;
    result.message = fmt::format("after {} steps {}", state->iteration,
                                 audience.error() ? audience.message() : "an observer asked to stop");
    result.error = audience.error();
  };
  auto add_error_of_observer = [&, noted = false]() mutable {
    if (noted || !audience.error()) return;
    noted = true;
    if (result.error == audience.error()) return;
    result.message += "; " + audience.message();
    if (!result.error) result.error = audience.error();
  };
  audience.tell("on_start", [&](Observer& observer) { observer.on_start(problem, *state); });
  hear();
  WatchedSteps watched(problem, method);
  std::unique_ptr<OuterMethod::State> before;  // the last step, to go back to
  while (!done) {
    if (!before || !before->assign(*state)) before = state->clone();
    TraceRow row;
    row.report = watched.step(*state);
    row.iteration = before->iteration + 1;
    row.seconds = elapsed();
    row.upper = problem.upper->counts() - upper_start;
    row.lower = problem.lower->counts() - lower_start;
    if (row.report.status != Status::converged) {
      result.status = row.report.status;
      const bool end = row.report.status == Status::stagnated || row.report.status == Status::diverged;
      result.message = end ? row.report.message
                           : fmt::format("step {} failed and was rolled back: {}", row.iteration, row.report.message);
      result.error = watched.error();
      state = std::move(before);
      break;
    }
    result.upper = row.report.upper;
    note(state->progress, row, stop, state->answered_x, state->y);
    done = over(stop, state->progress, row, result);
    audience.tell("on_step", [&](Observer& observer) { observer.on_step(row, *state); });
    if (!done && stop.interrupt && stop.interrupt->load()) done = over(stop, state->progress, row, result);
    result.trace.push_back(std::move(row));
    hear();
  }

  // The leader that y answers: where the method has moved on already, that move is the next step's.
  result.x = state->answered_x.size() > 0 ? state->answered_x : state->x;
  result.y = state->y;
  const auto& progress = state->progress;
  result.best_upper = progress.best_upper;
  result.best_iteration = progress.best_iteration;
  result.best_x = progress.best_x.size() > 0 ? progress.best_x : state->x;
  result.best_y = progress.best_y.size() > 0 ? progress.best_y : state->y;
  result.iterations = state->iteration;
  result.choices = state->choices;
  result.findings = method.findings(*state);
  for (auto& finding : watched.findings()) result.findings.push_back(std::move(finding));
  result.seconds = elapsed();
  result.upper_calls = problem.upper->counts() - upper_start;
  result.lower_calls = problem.lower->counts() - lower_start;
  result.state = std::move(state);
  add_error_of_observer();
  audience.tell("on_finish", [&](Observer& observer) { observer.on_finish(result); });
  add_error_of_observer();
  return result;
}

void describe(OptionTable& table, StopRule& rule) {
  table.group("Stopping")
      .add("max-iterations", rule.max_iterations, "most leader steps", at_least(1))
      .add("time-limit", rule.time_limit, "most seconds, tested after each step", or_infinity(greater_than(0)))
      .add("tolerance", rule.tolerance,
           "converged when |hypergradient| <= tolerance * that of the first step; 0: never", at_least(0))
      .add(
          "improvement", rule.improvement,
          "stop when the upper objective's best value improved by less than this share over `patience` steps; 0: never",
          between(0, 1))
      .add("patience", rule.patience, "steps without improvement before stopping", at_least(1));
}

}  // namespace bilevel
