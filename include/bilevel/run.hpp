// The only loop: steps a method until a stop rule ends it, tells observers, and never loses what it had.
#pragma once

#include <atomic>
#include <exception>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "bilevel/method.hpp"

namespace bilevel {

/// When to stop. The rules are tested after every step, in this order.
struct StopRule {
  /// converged: the method says that the pair is a solution (StepReport::solved), or, where it cannot tell,
  /// |hypergradient| <= tolerance * |hypergradient| of the first step and |g_y| is below a thousandth of the largest
  /// that the run has seen. Only accepted steps are judged. 0 never.
  double tolerance = 1e-8;
  /// stagnated: the best upper value has not improved by this share over `patience` steps. 0 never.
  double improvement = 0;
  Index patience = 10;
  Index max_iterations = 200;                                   // budget_reached
  double time_limit = std::numeric_limits<double>::infinity();  // seconds; budget_reached
  const std::atomic<bool>* interrupt = nullptr;                 // interrupted, after the running step
};
void describe(OptionTable& table, StopRule& rule);

/// One finished step, as in trace.jsonl.
struct TraceRow {
  Index iteration = 0;  // 1, 2, ...
  double seconds = 0;   // since the start of the run
  StepReport report;
  OracleCounts upper, lower;  // since the start of the run
};

struct RunResult {
  Status status = Status::budget_reached;
  std::string message;  // why it ended, with numbers
  Vec x, y;             // the last accepted pair: the leader x and the follower's answer to it
  Vec best_x, best_y;   // the pair with the lowest upper value: x that was evaluated and its follower's answer
  double best_upper = std::numeric_limits<double>::infinity();
  Index best_iteration = 0;
  double upper = std::numeric_limits<double>::quiet_NaN();  // of the last evaluated pair; NaN: there is none
  Index iterations = 0;
  double seconds = 0;
  OracleCounts upper_calls, lower_calls;
  std::vector<TraceRow> trace;
  Choices choices;                            // asked -> used
  std::vector<Finding> findings;              // what the method noticed about this run, and `nonfinite_answers`
  std::unique_ptr<OuterMethod::State> state;  // to resume from
  /// What an oracle, the method or an observer threw, to be rethrown or looked into; null if nothing did. The status is
  /// then `exception`, unless the run had come to its own end when an observer threw, or the method itself could not go
  /// on from a number that is not finite.
  std::exception_ptr error;
};

/// Watches a run. Called from the loop's thread; must not change the problem. One that throws is not called again; it
/// ends the run, and the other observers are told so.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_start(const BilevelProblem&, const OuterMethod::State&) {}
  virtual void on_step(const TraceRow&, const OuterMethod::State&) {}
  virtual void on_finish(const RunResult&) {}
  /// Asked after on_start and after each on_step: true ends the run there, with Status::interrupted.
  virtual bool wants_stop() const { return false; }
};

/// Minimises with `method` from problem.x0, problem.y0, or resumes `from` (a State of the same method and problem): the
/// iterates and the moment it stops are those of an unbroken run; trace, counts and seconds are those of this call.
/// Misuse throws before the first step: InvalidOption for a stop rule out of range, InvalidArgument for a null observer
/// or a state of another method, DimensionMismatch for one of another problem. Afterwards a failure ends the run with a
/// Status, and no exception leaves it. A step that threw, or that ended with a number that is not finite, is rolled
/// back: x, y and state are those before it, and the message names the origin. One that met such a number and avoided
/// it, as a line search does, counts; the finding `nonfinite_answers` tells how many oracle answers that were.
RunResult run(const BilevelProblem& problem, const OuterMethod& method, const StopRule& stop = {},
              const std::vector<Observer*>& observers = {}, std::unique_ptr<OuterMethod::State> from = nullptr);

}  // namespace bilevel
