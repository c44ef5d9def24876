// The race: equal budgets, one judge, and what it says about them.
#include "bilevel/race.hpp"

#include <gtest/gtest.h>

#include "bilevel/registry.hpp"
#include "bilevel/status.hpp"
#include "message_of.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

RaceProblem quadratic(std::uint64_t seed) {
  return {quadratic_problem(seed), [](const Vec& x, const Vec& y) { return std::vector<double>{norm(x), norm(y)}; }};
}

RaceOptions few(std::vector<std::string> methods, double passes) {
  return {.methods = std::move(methods), .seeds = 2, .time = 20, .passes = passes, .points = 6};
}

TEST(Race, EveryMethodStartsAtTheSamePointAndStaysWithinItsPasses) {
  constexpr double kPasses = 3000;
  const auto result = race(quadratic, few({"smbg", "bgs_opt", "hoag"}, kPasses));
  ASSERT_EQ(result.methods.size(), 3U);
  for (std::size_t s = 0; s < 2; ++s) {
    for (const auto& runs : result.runs) {
      const auto& run = runs[s];
      EXPECT_EQ(run.points.front().value, result.runs[0][s].points.front().value);
      EXPECT_EQ(run.points.front().seconds, 0);
      EXPECT_EQ(run.status, Status::budget_reached) << run.method << ": " << run.message;
      EXPECT_GE(run.last().passes, 0.5 * kPasses) << "the end is among the points";
      // One step more than the budget, and the most costly step is the first one, which measures curvatures.
      EXPECT_LE(run.last().passes, kPasses + 700) << run.method;
      for (std::size_t i = 1; i < run.points.size(); ++i) {
        EXPECT_GE(run.points[i].passes, run.points[i - 1].passes);
        EXPECT_EQ(run.points[i].scores.size(), 2U);
      }
    }
  }
}

TEST(Race, TheJudgeReadsTheClosedFormWhateverTheMethodBelieves) {
  const auto result = race(quadratic, few({"hoag", "smbg"}, 6000));
  for (std::size_t s = 0; s < 2; ++s) {
    const auto known = quadratic_problem(1 + s).known->upper;
    for (const auto& runs : result.runs) {
      // No value of phi lies below its minimum; the judge's follower is solved to 1e-8, and f has slopes of order 1.
      for (const auto& point : runs[s].points) EXPECT_GE(point.value, known - 1e-7);
      EXPECT_NEAR(runs[s].last().value, known, 1e-6) << runs[s].method;
      ASSERT_TRUE(runs[s].certificate.has_value());
      EXPECT_TRUE(runs[s].certificate->is_solution()) << runs[s].certificate->reason;
    }
    EXPECT_NEAR(result.best[s], known, 1e-6);
    EXPECT_TRUE(result.passes_to_target(0, s).has_value());
    EXPECT_LE(*result.passes_to_target(0, s), result.runs[0][s].last().passes);
  }
}

TEST(Race, AMethodOfTinyStepsLosesAndTheTableSaysSo) {
  // The wins are counted from points made by hand: three methods on one seed.
  RaceResult result;
  result.methods = {"good", "good too", "bad"};
  for (const double end : {1.0, 1.0005, 3.0}) {
    RaceRun run{.method = {},
                .message = {},
                .points = {{0, 0, 0, 5, {}}, {1, 10, 3, end, {}}},
                .grid_step = {},
                .certificate = {}};
    result.runs.push_back({run});
  }
  result.best = {1.0};
  result.targets = {1.04};
  const auto wins = result.wins();
  EXPECT_EQ(wins[0], (std::vector<std::size_t>{0, 0, 1})) << "5e-4 is not clearly more than 1e-3 of 4";
  EXPECT_EQ(wins[2], (std::vector<std::size_t>{0, 0, 0}));
  EXPECT_EQ(result.seconds_to_target(1, 0), 1.0);
  EXPECT_FALSE(result.seconds_to_target(2, 0).has_value());
  EXPECT_EQ(result.runs[0][0].at_passes(9).value, 5);
  EXPECT_EQ(result.runs[0][0].at_passes(10).value, 1);
}

TEST(Race, AGridIsPaidForFromTheBudget) {
  auto options = few({"hoag"}, 8000);
  options.grid = 4;
  options.seeds = 1;
  const auto result = race(quadratic, options);
  const auto& run = result.runs[0][0];
  ASSERT_TRUE(run.grid_step.has_value());
  EXPECT_GE(run.points[1].passes, 1000) << "before its first point lies the grid";
  EXPECT_NEAR(run.last().value, quadratic_problem(1).known->upper, 1e-3);
}

TEST(Race, WhatCannotRunIsLeftOutWithTheReason) {
  const auto without_products = [](std::uint64_t seed) {
    auto problem = quadratic_problem(seed);
    auto lower = oracles_of(problem.lower);
    lower.hess_xy = nullptr;
    lower.hess_yx = nullptr;
    problem.lower = objective_of("g without mixed products", 3, 4, lower);
    return RaceProblem{problem};
  };
  EXPECT_NE(message_of<InvalidInput>([&] {
              race(without_products, few({"hoag", "smbg"}, 100));
            }).find("hess_xy"),
            std::string::npos);
  EXPECT_NE(message_of<InvalidOption>([&] { race(quadratic, few({"hogg"}, 100)); }).find("hoag"), std::string::npos);
  EXPECT_THROW(race(quadratic, {.time = -1}), InvalidOption);
}

TEST(Race, PassesCountSamples) {
  const auto problem = quadratic_problem();
  OracleCounts upper, lower;
  upper.samples[0] = 3;
  lower.samples[3] = 4;
  EXPECT_EQ(oracle_passes(problem, upper, lower), 7) << "one sample each";
}

}  // namespace
}  // namespace bilevel::testing
