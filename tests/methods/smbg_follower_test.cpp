// SMBG when steps are too long: automatic ones recover, given ones end honestly.
#include <gtest/gtest.h>

#include "bilevel/run.hpp"
#include "bilevel/smbg.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

/// g grows like y^4; H = 1 at the start y = 0 and 3 y^2 + 1 at the answer.
BilevelProblem steep_problem(double x0) {
  auto lower = make_objective(
      "quartic", 1, 1, [](auto x, auto y) { return 0.25 * square(square(y[0])) + 0.5 * square(y[0]) - x[0] * y[0]; });
  auto upper = make_objective("target", 1, 1, [](auto, auto y) { return 0.5 * square(y[0] - 1.0); });
  return {"quartic", upper, lower, vec({x0}), vec({0}), {}};
}

const Choice& choice(const RunResult& result, const std::string& option) {
  for (const auto& candidate : result.choices) {
    if (candidate.option == option) return candidate;
  }
  throw std::out_of_range(option);
}

TEST(AutomaticInnerStep, CopesWithCurvatureThatGrowsAlongThePath) {
  for (const double x0 : {3.0, 30.0, -1000.0, 1e5}) {
    const auto problem = steep_problem(x0);
    const Smbg method;
    const auto state = method.init(problem);
    const auto report = method.step(problem, *state);
    EXPECT_EQ(report.status, Status::converged) << x0 << ": " << report.message;
    const auto& smbg = dynamic_cast<const Smbg::State&>(*state);
    const double y = state->y[0];
    EXPECT_LE(smbg.inner.step_size * (3 * y * y + 1), 1.9) << "a contraction at the answer; x0 = " << x0;
    EXPECT_LE(std::abs(y * y * y + y - x0), 1e-3 * std::abs(x0)) << "and near the answer it is";
    EXPECT_NE(smbg.choices[0].reason.find("shortened"), std::string::npos) << smbg.choices[0].reason;
  }
}

TEST(AutomaticInnerStep, IsReportedWithItsReason) {
  const auto result = run(quadratic_problem(), Smbg());
  const auto& step_size = choice(result, "inner-step-size");
  EXPECT_EQ(step_size.asked, "auto");
  EXPECT_NEAR(std::stod(step_size.used), 0.9 / 2, 0.03);  // L = 2 to a few percent
  EXPECT_NE(step_size.reason.find("0.9 / L"), std::string::npos);
  EXPECT_NE(choice(result, "inner-steps").reason.find("contraction"), std::string::npos);
  EXPECT_EQ(choice(result, "outer-step-size").asked, "auto");
}

TEST(AutomaticInnerSteps, ReduceTheResidualAsAimed) {
  const auto problem = quadratic_problem();
  const auto result = run(problem, Smbg());
  const auto k = std::stod(choice(result, "inner-steps").used);
  // Contraction 1 - 0.9/4 on the slowest mode: log 1e-6 / log 0.775 = 54; faster modes lower the measured one.
  EXPECT_GE(k, 30);
  EXPECT_LE(k, 60);
}

TEST(AutomaticInnerSteps, TruncatedMeasuresTheWholePath) {
  SmbgOptions options;
  const auto unrolled_result = run(quadratic_problem(), Smbg(options));
  options.hypergradient = HypergradientKind::truncated;
  StopRule two;
  two.max_iterations = 1;
  const auto truncated = run(quadratic_problem(), Smbg(options), two);
  options.hypergradient = HypergradientKind::unrolled;
  const auto whole = run(quadratic_problem(), Smbg(options), two);
  EXPECT_EQ(choice(truncated, "inner-steps").used, choice(whole, "inner-steps").used);
}

TEST(GivenInnerStep, TooLongEndsNonFiniteAndRolledBack) {
  const auto problem = steep_problem(30);
  SmbgOptions options;
  options.inner_step_size = 1e6;
  for (const auto kind : {HypergradientKind::unrolled, HypergradientKind::truncated, HypergradientKind::forward,
                          HypergradientKind::implicit}) {
    options.hypergradient = kind;
    const auto result = run(problem, Smbg(options));
    EXPECT_EQ(result.status, Status::nonfinite);
    EXPECT_EQ(result.x, problem.x0);
    EXPECT_EQ(result.y, problem.y0);
    EXPECT_EQ(result.iterations, 0);
    EXPECT_TRUE(result.trace.empty());
    EXPECT_NE(result.message.find("step 1 failed"), std::string::npos) << result.message;
    EXPECT_NE(result.message.find("inner step"), std::string::npos) << result.message;
    EXPECT_NE(result.message.find("1e+06"), std::string::npos) << result.message;
  }
}

TEST(GivenInnerStep, SomewhatTooLongIsCalledDivergedWithTheBound) {
  const auto problem = quadratic_problem();
  SmbgOptions options{.inner_steps = 30, .inner_step_size = 1.2};  // a L = 2.4
  const auto result = run(problem, Smbg(options));
  EXPECT_EQ(result.status, Status::diverged);
  EXPECT_EQ(result.x, problem.x0);
  EXPECT_NE(result.message.find("inner-step-size 1.2"), std::string::npos) << result.message;
  EXPECT_NE(result.message.find("2 / L"), std::string::npos) << result.message;
}

TEST(GivenOuterStep, TooLongEndsNonFiniteAndKeepsTheBestPair) {
  auto problem = quadratic_problem();
  SmbgOptions options;
  options.leader = {.rule = LeaderRule::gradient_descent, .step_size = 1e6};
  StopRule stop;
  stop.max_iterations = 1000;
  const auto result = run(problem, Smbg(options), stop);
  EXPECT_EQ(result.status, Status::nonfinite) << result.message;
  EXPECT_TRUE(all_finite(result.x));
  EXPECT_TRUE(all_finite(result.y));
  EXPECT_EQ(result.best_iteration, 1);
  EXPECT_EQ(result.best_x, problem.x0);
  EXPECT_NE(result.message.find("rolled back"), std::string::npos);
}

TEST(AutomaticOuterStep, RetreatsFromWhereNothingIsFinite) {
  // The secant step from x = 1 leads to x < 0, where the logarithm is not defined. Minimum: x = 0.1.
  auto lower = make_objective("copy", 1, 1, [](auto x, auto y) { return 0.5 * square(y[0] - x[0]); });
  auto upper = make_objective("barrier", 1, 1, [](auto x, auto y) { return 10.0 * y[0] - log(x[0]); });
  const BilevelProblem problem{"barrier", upper, lower, vec({1}), vec({1}), {}};
  for (const auto rule : {LeaderRule::gradient_descent, LeaderRule::adam}) {
    SmbgOptions options;
    options.leader.rule = rule;
    const auto result = run(problem, Smbg(options));
    EXPECT_NEAR(result.x[0], 0.1, 1e-6) << result.message;
    EXPECT_EQ(result.best_upper, problem.upper->value(result.best_x, result.best_y))
        << "the best value belongs to the best pair, also after a retreat";
  }
}

TEST(Implicit, ASaddleEndsInBreakdown) {
  auto problem = two_wells(0);
  problem.x0 = vec({0});
  SmbgOptions options;
  options.hypergradient = HypergradientKind::implicit;
  const auto result = run(problem, Smbg(options));
  EXPECT_EQ(result.status, Status::breakdown);
  EXPECT_NE(result.message.find("H w = f_y"), std::string::npos) << result.message;
}

TEST(ReversiblePlan, RefusalEndsTheRunWithAdvice) {
  SmbgOptions options{.inner_steps = 200, .inner_step_size = 0.45, .memory = MemoryPlan::reversible};
  const auto result = run(quadratic_problem(), Smbg(options));
  EXPECT_EQ(result.status, Status::breakdown);
  EXPECT_NE(result.message.find("checkpoint"), std::string::npos) << result.message;
}

TEST(ReversiblePlan, AnAutomaticStepIsShortEnoughForIt) {
  const auto problem = quadratic_problem();
  SmbgOptions options{.inner_steps = 200, .memory = MemoryPlan::reversible};
  const auto result = run(problem, Smbg(options));
  EXPECT_EQ(result.status, Status::converged) << result.message;
  options.memory = MemoryPlan::store;
  options.inner_step_size = std::stod(choice(result, "inner-step-size").used);
  const auto stored = run(problem, Smbg(options));
  EXPECT_LE(norm(result.x - stored.x), 1e-5);  // step size known to four digits; the plan loses six of sixteen
}

TEST(CheckpointPlan, GivesTheSameRun) {
  SmbgOptions options{.inner_steps = 25, .memory = MemoryPlan::checkpoint, .checkpoints = 3};
  const auto few = run(quadratic_problem(), Smbg(options));
  options.memory = MemoryPlan::store;
  const auto all = run(quadratic_problem(), Smbg(options));
  EXPECT_LE(norm(few.x - all.x), 1e-8) << "rounding alone differs";
}

}  // namespace
}  // namespace bilevel::testing
