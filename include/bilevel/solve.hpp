// One call for a whole problem: chooses the method where that is left open, runs it, and says what it chose and why.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bilevel/box.hpp"
#include "bilevel/run.hpp"

namespace bilevel {

struct SolveOptions {
  std::string method = "auto";                  // a name of registry.hpp, or auto: what recommend() says
  std::map<std::string, std::string> settings;  // options of the method by name; they win over what is recommended
  StopRule stop = {.tolerance = 1e-9, .max_iterations = 2000};
  /// Where auto looks for other minimisers of the follower (m <= 3); empty: nowhere.
  std::optional<Box> box_y = std::nullopt;
  std::uint64_t seed = 1;
};

/// A method that fits a problem, and why.
struct MethodChoice {
  std::string name;                             // of registry.hpp
  std::map<std::string, std::string> settings;  // its options that differ from the defaults
  Choices choices;                              // asked -> used, where auto chose
  bool several_minimisers = false;              // of the follower at the start: others may be better for the leader
  bool automatic = false;                       // chosen by auto
};

/// Resolves `auto`. Throws InvalidOption for an unknown method, DimensionMismatch and MissingOracle as recommend().
MethodChoice choose_method(const BilevelProblem& problem, const SolveOptions& options);

/// What the objectives themselves know of the place where a run ended: the kinks that its pair lies on
/// (`kink_in_the_formula`), and where it met a number that is not finite, the operation that gave it
/// (`not_finite_because`). For messages; costs evaluations, which are not counted.
std::vector<Finding> explain_end(const BilevelProblem& problem, const RunResult& run);

struct Solved {
  MethodChoice method;
  RunResult run;
};

/// run() by `choice`. Where auto chose `newton` and the run meets a manifold of the follower's minimisers, `hg_ms` goes
/// on from the last pair, and `choice` says so; trace, counts and seconds are then those of the second run.
RunResult run_choice(const BilevelProblem& problem, MethodChoice& choice, const StopRule& stop,
                     const std::vector<Observer*>& observers = {});

/// choose_method() and run_choice(). Throws before the first step what these throw; afterwards every failure is a
/// Status.
Solved solve(const BilevelProblem& problem, const SolveOptions& options = {},
             const std::vector<Observer*>& observers = {});

}  // namespace bilevel
