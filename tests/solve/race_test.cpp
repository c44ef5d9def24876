// The race: equal budgets, one judge, and what it says about them.
#include "bilevel/race.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <utility>

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

TEST(Race, AMethodsOwnOptionIsUsedAndTheGridLeavesItAlone) {
  auto options = few({"hoag", "smbg"}, 3000);
  options.settings = {"hoag.outer-step-size=1e-12"};
  options.grid = 3;
  options.seeds = 1;
  const auto result = race(quadratic, options);
  const auto& points = result.runs[0][0].points;
  // A few hundred steps of 1e-12 times a hypergradient of order 1.
  EXPECT_NEAR(points.back().value, points.front().value, 1e-8);
  EXPECT_FALSE(result.runs[0][0].grid_step.has_value());
  EXPECT_TRUE(result.runs[1][0].grid_step.has_value()) << "smbg still chooses its own";
}

TEST(Race, SettingsAreRefusedInOneSentence) {
  const auto refusal = [](const std::string& setting) {
    auto options = few({"hoag", "soba"}, 100);
    options.settings = {setting};
    return message_of<InvalidOption>([&] { check_race(options); });
  };
  const auto expect = [&](const std::string& setting, const std::string& part) {
    EXPECT_NE(refusal(setting).find(part), std::string::npos) << refusal(setting);
  };
  for (const char* text : {"hoag", "hoag=1", "hoag.=1", ".a=1", "=1.5", "outer-step-size=0.5"}) {
    expect(text, "must be METHOD.NAME=VALUE");
  }
  expect("sobaa.batch-size=1", "no method 'sobaa' races, did you mean 'soba'?; those that do are hoag, soba");
  expect("smbg.inner-steps=5", "no method 'smbg' races; those that do are hoag, soba");
  expect("soba.batchsize=1", "unknown option 'batchsize'; did you mean 'batch-size'?");
  expect("soba.batch-size=0", "option 'batch-size' cannot be '0'");
  EXPECT_NO_THROW(check_race({.methods = {"hoag", "soba"}, .settings = {"soba.batch-size=5"}}));
}

/// Interrupts when the race says that it has come to this stage.
RaceResult stopped_at(const std::string& stage) {
  std::atomic<bool> stop = false;
  auto options = few({"hoag", "smbg", "bgs_opt"}, 400);
  options.seeds = 3;
  options.interrupt = &stop;
  return race(quadratic, options, [&](std::string_view now) { stop = now == stage; });
}

TEST(Race, AnInterruptKeepsWhatIsComplete) {
  const auto later = stopped_at("seed 3: smbg");
  EXPECT_EQ(later.methods.size(), 3U);
  EXPECT_EQ(later.best.size(), 2U);
  EXPECT_EQ(later.targets.size(), 2U);
  for (const auto& runs : later.runs) EXPECT_EQ(runs.size(), 2U);
  EXPECT_NE(later.stopped.find("in seed 3, at smbg: only the seeds before"), std::string::npos) << later.stopped;
  EXPECT_EQ(later.wins().size(), 3U);

  const auto first = stopped_at("seed 1: bgs_opt");
  EXPECT_EQ(first.methods, (std::vector<std::string>{"hoag", "smbg"}));
  ASSERT_EQ(first.runs.size(), 2U);
  EXPECT_EQ(first.best.size(), 1U);
  EXPECT_EQ(first.runs[1].size(), 1U);

  const auto nothing = stopped_at("seed 1: hoag");
  EXPECT_TRUE(nothing.best.empty());
  EXPECT_TRUE(nothing.methods.empty());
  EXPECT_FALSE(nothing.stopped.empty());
  EXPECT_EQ(stopped_at("never").stopped, "");
}

TEST(Race, ALaterSeedWithoutAProblemIsLeftOutWithTheReason) {
  const auto problem = [](std::uint64_t seed) {
    if (seed == 2) throw InvalidInput("the rows are too few");
    return quadratic(seed);
  };
  auto options = few({"hoag"}, 200);
  options.seeds = 3;
  const auto result = race(problem, options);
  EXPECT_EQ(result.best.size(), 2U);
  EXPECT_EQ(result.runs[0][1].seed, 3U);
  EXPECT_EQ(result.left_out, (std::vector<std::string>{"seed 2: the rows are too few"}));
  options.first_seed = 2;
  EXPECT_NE(message_of<InvalidInput>([&] { race(problem, options); }).find("too few"), std::string::npos);
}

TEST(Race, TheJudgeReadsAPairOnceAndSaysWhatItTook) {
  std::vector<std::pair<Vec, Vec>> seen;
  const auto counted = [&](std::uint64_t seed) {
    auto problem = quadratic(seed);
    problem.scores = [&](const Vec& x, const Vec& y) {
      seen.emplace_back(x, y);
      return std::vector<double>{0};
    };
    return problem;
  };
  auto options = few({"hoag", "smbg", "bgs_opt"}, 1000);
  options.seeds = 1;
  const auto result = race(counted, options);
  std::size_t points = 0;
  for (const auto& runs : result.runs) points += runs[0].points.size();
  // The same solve from the same pair would end at the same bits.
  EXPECT_EQ(std::count(seen.begin(), seen.end(), seen.front()), 1) << "all methods begin at the same pair";
  EXPECT_LE(seen.size(), points - 2);
  EXPECT_GT(result.seconds.methods, 0);
  EXPECT_GT(result.seconds.judge, 0);
  EXPECT_GT(result.seconds.certificates, 0);
}

/// phi at all judged moments of a race, and the gradients of g that it took in all.
std::pair<std::vector<double>, std::uint64_t> judged(bool unique_answer) {
  const auto problem = quadratic_problem(1);
  const auto before = problem.lower->counts()[Oracle::grad_y];
  auto options = few({"bome", "meha"}, 2000);
  options.certificate = false;
  options.seeds = 1;
  const auto result =
      race([&](std::uint64_t) { return RaceProblem{.problem = problem, .unique_answer = unique_answer}; }, options);
  std::vector<double> values;
  for (const auto& runs : result.runs) {
    for (const auto& point : runs[0].points) values.push_back(point.value);
  }
  return {values, problem.lower->counts()[Oracle::grad_y] - before};
}

TEST(Race, WhereTheAnswerIsUniqueTheJudgeBeginsNearerAndReadsTheSame) {
  const auto [own, own_calls] = judged(false);
  const auto [nearer, nearer_calls] = judged(true);
  ASSERT_EQ(own.size(), nearer.size());
  // The follower is solved to 1e-8 either way, and f has slopes of order 1.
  for (std::size_t i = 0; i < own.size(); ++i) EXPECT_NEAR(own[i], nearer[i], 1e-6);
  EXPECT_LT(nearer_calls, own_calls) << "the followers of these methods lag behind the judge's last answer";
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
