// One option of each kind, and how a refusal is looked at.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bilevel/options.hpp"
#include "bilevel/status.hpp"

namespace bilevel::testing {

enum class Plan { store, checkpoint };

struct ExampleOptions {
  int steps = 20;
  std::optional<long> stride;
  std::uint64_t seed = 1;
  double tolerance = 1e-6;
  std::optional<double> step_size;
  double time_limit = std::numeric_limits<double>::infinity();
  bool warm_start = true;
  Plan plan = Plan::store;
  std::string solver = "cg";
  std::string label = "y";
  std::vector<std::string> drop;
};

inline void describe(OptionTable& table, ExampleOptions& o) {
  table.add("solver", o.solver, "the linear solver", one_of({"cg", "minres"}));
  table.group("Follower")
      .add("steps", o.steps, "steps of the follower", at_least(1), at_most(1000))
      .add("stride", o.stride, "steps between checkpoints", at_least(1))
      .add("tolerance", o.tolerance, "stop at |g| < tolerance", greater_than(0), less_than(1))
      .add("step-size", o.step_size, "length of a step | below 1/L", greater_than(0))
      .add("warm-start", o.warm_start, "start from the last answer")
      .add("plan", o.plan, "what is kept", {{"store", Plan::store}, {"checkpoint", Plan::checkpoint}});
  table.group("Run")
      .add("seed", o.seed, "of all random numbers")
      .add("time-limit", o.time_limit, "seconds", or_infinity(at_least(0)))
      .add("label", o.label, "a column's name", "a column")
      .add("drop", o.drop, "columns to leave out");
}

/// The sentence of the InvalidOption that `action` throws, or "no refusal".
template <class Action>
std::string refusal(const Action& action) {
  try {
    action();
  } catch (const InvalidOption& error) {
    return error.what();
  }
  return "no refusal";
}

struct ExampleTable : ::testing::Test {
  ExampleOptions options;
  OptionTable table = described(options);

  std::string refusal_of(const std::string& name, const std::string& text) {
    return refusal([&] { table.set(name, text); });
  }
};

}  // namespace bilevel::testing
