// What holds for every minibatch method: it reaches known solutions, costs what its header says, and its runs repeat
// and resume.
#include "rivals.hpp"

#include <gtest/gtest.h>

#include "bilevel/run.hpp"
#include "finite_sum.hpp"
#include "method_checks.hpp"

namespace bilevel::testing {
namespace {

class Rivals : public ::testing::TestWithParam<Rival> {
 protected:
  std::unique_ptr<OuterMethod> make(std::map<std::string, std::string> settings = {}) const {
    return make_method(GetParam().name, settings);
  }
};

RunResult run_rounds(const BilevelProblem& problem, const OuterMethod& method, Index rounds) {
  StopRule stop;
  stop.max_iterations = rounds;
  return run(problem, method, stop);
}

TEST_P(Rivals, SolvesAQuadraticWithoutTuning) {
  const auto problem = quadratic_problem();
  const auto result = run_rounds(problem, *make(), 300);
  EXPECT_LE(norm(result.x - problem.known->x), GetParam().quadratic) << result.message;
}

TEST_P(Rivals, ComesCloseOnAFiniteSum) {
  const auto problem = finite_sum_problem();
  const auto result = run_rounds(problem, *make(), 300);
  EXPECT_LE(norm(result.x - problem.known->x), GetParam().finite_sum) << result.message;
}

TEST_P(Rivals, AnIterationCostsWhatTheHeaderSays) {
  const auto problem = finite_sum_problem();
  auto settings = GetParam().settings;
  for (const std::string option : {"inner-step-size", "adjoint-step-size", "outer-step-size"}) {
    if (find_method(GetParam().name).options()->find(option) != nullptr) settings[option] = "0.01";
  }
  const auto counted = [&](const std::string& iterations) {
    settings["iterations-per-round"] = iterations;
    const auto method = make(settings);
    const auto state = method->init(problem);
    method->step(problem, *state);  // memories are filled, momenta begin, penalties are measured
    const auto lower = problem.lower->counts(), upper = problem.upper->counts();
    method->step(problem, *state);
    return std::pair(calls(problem.lower->counts() - lower), calls(problem.upper->counts() - upper));
  };
  const auto [lower, upper] = counted("3");
  for (std::size_t i = 0; i < lower.size(); ++i) {
    EXPECT_EQ(lower[i], 3 * GetParam().lower[i] + GetParam().lower_look[i]) << "of g, oracle " << i;
    EXPECT_EQ(upper[i], 3 * GetParam().upper[i] + GetParam().upper_look[i]) << "of f, oracle " << i;
  }
}

TEST_P(Rivals, TheSeedDecidesTheTrace) {
  const auto problem = finite_sum_problem();
  StopRule stop;
  stop.max_iterations = 8;
  expect_same_trace_twice(problem, *make(), stop);
  const auto one = run(problem, *make({{"sampling-seed", "1"}}), stop);
  const auto other = run(problem, *make({{"sampling-seed", "2"}}), stop);
  EXPECT_NE(one.x, other.x);
}

TEST_P(Rivals, RunsResumeBitForBit) {
  const auto runs = expect_seven_plus_twenty_three_is_thirty(finite_sum_problem(), *make());
  EXPECT_EQ(runs.second.state->answered_x, runs.whole.state->answered_x);
}

TEST_P(Rivals, WhatIsMissingIsNamedBeforeTheFirstStep) {
  auto problem = quadratic_problem();
  auto lower = oracles_of(problem.lower), upper = oracles_of(problem.upper);
  lower.grad_y = nullptr;
  upper.grad_x = nullptr;
  problem.lower = objective_of("poor g", 3, 4, lower);
  problem.upper = objective_of("poor f", 3, 4, upper);
  try {
    make()->init(problem);
    FAIL() << "two oracles are missing";
  } catch (const MissingOracle& error) {
    const std::string message = error.what();
    for (const std::string& part : {GetParam().name, std::string("grad_y"), std::string("grad_x of 'poor f'")}) {
      EXPECT_NE(message.find(part), std::string::npos) << message << " lacks " << part;
    }
  }
}

TEST_P(Rivals, ValuesOutOfRangeAreRefusedByName) {
  for (const std::string option : {"batch-size", "iterations-per-round", "outer-step-size"}) {
    try {
      make({{option, "0"}});
      FAIL() << option << " 0 was accepted";
    } catch (const InvalidOption& error) {
      EXPECT_NE(std::string(error.what()).find(option), std::string::npos) << error.what();
    }
  }
}

TEST_P(Rivals, ABatchOfEverythingIsTheDeterministicMethod) {
  const auto problem = finite_sum_problem();
  const auto one = run_rounds(problem, *make({{"batch-size", "512"}, {"sampling-seed", "1"}}), 5);
  const auto other = run_rounds(problem, *make({{"batch-size", "1000000"}, {"sampling-seed", "1"}}), 5);
  EXPECT_EQ(one.x, other.x);
}

INSTANTIATE_TEST_SUITE_P(All, Rivals, ::testing::ValuesIn(rivals()),
                         [](const auto& rival) { return rival.param.name; });

}  // namespace
}  // namespace bilevel::testing
