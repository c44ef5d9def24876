// What every method owes: runs that resume bit for bit, and the same trace from the same options.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "bilevel/run.hpp"
#include "bilevel/status.hpp"

namespace bilevel::testing {

/// Thirty steps at once, and seven then twenty-three.
struct Resumed {
  RunResult whole, second;
};

/// Expects the pairs to agree bit for bit; what else a State holds is the caller's to compare.
inline Resumed expect_seven_plus_twenty_three_is_thirty(const BilevelProblem& problem, const OuterMethod& method) {
  const auto steps = [&](Index most, std::unique_ptr<OuterMethod::State> from = nullptr) {
    StopRule stop;
    stop.max_iterations = most;
    stop.tolerance = 0;
    return run(problem, method, stop, {}, std::move(from));
  };
  Resumed runs{steps(30), {}};
  runs.second = steps(30, steps(7).state);
  EXPECT_EQ(runs.whole.iterations, 30) << runs.whole.message;
  EXPECT_EQ(runs.second.x, runs.whole.x);
  EXPECT_EQ(runs.second.y, runs.whole.y);
  EXPECT_EQ(runs.second.upper, runs.whole.upper);
  return runs;
}

/// A value that `change` puts out of range is refused, by the option's name.
template <class Method, class Options, class Change>
void expect_refused_by_name(const std::string& option, const Change& change) {
  Options options;
  change(options);
  try {
    const Method method(options);
    FAIL() << option << " was accepted";
  } catch (const InvalidOption& error) {
    EXPECT_NE(std::string(error.what()).find(option), std::string::npos) << error.what();
  }
}

/// Two runs with the same options.
inline void expect_same_trace_twice(const BilevelProblem& problem, const OuterMethod& method, const StopRule& stop) {
  const auto first = run(problem, method, stop);
  const auto second = run(problem, method, stop);
  EXPECT_EQ(first.x, second.x);
  EXPECT_EQ(first.y, second.y);
  ASSERT_EQ(first.trace.size(), second.trace.size());
  for (std::size_t i = 0; i < first.trace.size(); ++i) {
    EXPECT_EQ(first.trace[i].report.upper, second.trace[i].report.upper);
    EXPECT_EQ(first.trace[i].report.hypergradient_norm, second.trace[i].report.hypergradient_norm);
  }
}

}  // namespace bilevel::testing
