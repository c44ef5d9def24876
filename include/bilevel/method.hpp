// Outer methods: Options, State, init and step. The loop around them is run() in run.hpp.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/options.hpp"
#include "bilevel/problem.hpp"
#include "bilevel/status.hpp"

namespace bilevel {

/// A setting that was left to the program: what was asked, what was used, and why.
struct Choice {
  std::string option;  // "inner-step-size"
  std::string asked;   // "auto", or the value the user gave
  std::string used;    // "0.117"
  std::string reason;  // "0.9 / L with L = 7.69 measured by power iteration"
};

using Choices = std::vector<Choice>;

/// Adds the choice, or replaces the one about the same option.
void note_choice(Choices& choices, Choice choice);

/// Something that a method noticed about its own run, for people and for result.json.
struct Finding {
  std::string name;  // key in result.json: "pseudo_stable_steps"
  double value = 0;  // its number
  std::string text;  // one sentence that says it with its meaning
};

/// One leader step, as the loop and its observers see it.
struct StepReport {
  double upper = 0;                   // f(x, y) at the pair the hypergradient was taken at
  std::optional<double> lower;        // g(x, y) at the same pair, where the objective provides values
  double hypergradient_norm = 0;      // |d_x phi|
  double lower_residual = 0;          // |g_y|, at y's last predecessor where no further gradient was computed
  Index lower_steps = 0;              // follower steps taken
  Status status = Status::converged;  // anything else ends the run: nonfinite, breakdown, lower_failed, stagnated
  std::string message;                // origin of the failure, or why it is solved, with numbers
  /// False: a trial that the method did not take. It is shown to observers and counts as a step, but nothing is judged
  /// by it: state.answered_x and state.y are still those of the last accepted one.
  bool accepted = true;
  /// Whether this pair is an answer, by a method that measures it: then it replaces the stop rule's comparison of
  /// hypergradients. Empty: the method does not know.
  std::optional<bool> solved = std::nullopt;
};

/// What the loop remembers from step to step, so that a resumed run stops and reports as an unbroken one would.
struct Progress {
  std::optional<double> first_norm;  // |hypergradient| of the first step
  double largest_residual = 0;       // |g_y| at the start and of the accepted steps, the largest so far
  double reference = std::numeric_limits<double>::infinity();  // upper value that improvement is measured against
  Index reference_iteration = 0;
  double best_upper = std::numeric_limits<double>::infinity();
  Index best_iteration = 0;
  Vec best_x, best_y;  // empty before the first step
};

class OuterMethod {
 public:
  /// All that changes from step to step: a copy of it resumes the run bit for bit.
  struct State {
    Vec x;                // R^n, the leader
    Vec y;                // R^m, the follower's latest answer
    Vec answered_x;       // R^n, the leader that y answers; empty before the first step
    Index iteration = 0;  // steps done
    Choices choices;      // asked -> used, newest values
    Progress progress;    // kept by run()
    std::string method;   // the name() of the method whose state this is; kept by run()
    virtual ~State() = default;
    virtual std::unique_ptr<State> clone() const = 0;
    /// Becomes a copy of `other` in the memory it has, and says true; false if it cannot, then clone.
    virtual bool assign(const State& other) {
      static_cast<void>(other);
      return false;
    }
  };

  virtual ~OuterMethod() = default;
  virtual std::string_view name() const = 0;

  /// What the method calls of f and of g.
  struct Needs {
    OracleSet upper;
    OracleSet lower;
  };
  virtual Needs needs() const = 0;

  /// Start of a run. Throws MissingOracle naming everything that the problem lacks, and DimensionMismatch.
  std::unique_ptr<State> init(const BilevelProblem& problem) const;

  /// One leader step from `state`, in place.
  virtual StepReport step(const BilevelProblem& problem, State& state) const = 0;

  /// What the run so far has shown beyond its iterates; empty for most methods.
  virtual std::vector<Finding> findings(const State&) const { return {}; }

 private:
  virtual std::unique_ptr<State> do_init(const BilevelProblem& problem) const = 0;
};

}  // namespace bilevel
