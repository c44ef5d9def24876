#include <gtest/gtest.h>

#include "bilevel/run.hpp"
#include "bilevel/smbg.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

class Resume : public ::testing::TestWithParam<SmbgOptions> {
 protected:
  static RunResult steps(Index most, std::unique_ptr<OuterMethod::State> from = nullptr, StopRule stop = {}) {
    stop.max_iterations = most;
    return run(nonlinear_problem(), Smbg(GetParam()), stop, {}, std::move(from));
  }
};

TEST_P(Resume, FivePlusFiveIsTenBitForBit) {
  const auto whole = steps(10);
  auto first = steps(5);
  const auto second = steps(10, std::move(first.state));
  EXPECT_EQ(second.iterations, 10);
  EXPECT_EQ(second.x, whole.x);
  EXPECT_EQ(second.y, whole.y);
  EXPECT_EQ(second.upper, whole.upper);
  EXPECT_EQ(second.best_upper, whole.best_upper);
  EXPECT_EQ(second.best_iteration, whole.best_iteration);
  EXPECT_EQ(second.best_x, whole.best_x);
  EXPECT_EQ(second.best_y, whole.best_y);
  ASSERT_EQ(second.trace.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(second.trace[i].iteration, whole.trace[i + 5].iteration);
    EXPECT_EQ(second.trace[i].report.upper, whole.trace[i + 5].report.upper);
    EXPECT_EQ(second.trace[i].report.hypergradient_norm, whole.trace[i + 5].report.hypergradient_norm);
    EXPECT_EQ(second.trace[i].report.lower_steps, whole.trace[i + 5].report.lower_steps);
  }
}

TEST_P(Resume, StopsWhereTheUnbrokenRunStops) {
  StopRule stop;
  stop.tolerance = 1e-3;
  const auto whole = steps(500, nullptr, stop);
  ASSERT_EQ(whole.status, Status::converged);
  ASSERT_GT(whole.iterations, 3);
  auto first = steps(whole.iterations / 2, nullptr, stop);
  const auto second = steps(500, std::move(first.state), stop);
  EXPECT_EQ(second.iterations, whole.iterations) << "the tolerance is that of the very first step";
  EXPECT_EQ(second.x, whole.x);
}

TEST_P(Resume, AtTheBudgetTakesNoStep) {
  auto first = steps(5);
  const Vec x = first.x;
  const double best = first.best_upper;
  const auto second = steps(5, std::move(first.state));
  EXPECT_EQ(second.status, Status::budget_reached);
  EXPECT_EQ(second.x, x);
  EXPECT_EQ(second.best_upper, best);
  EXPECT_TRUE(second.trace.empty());
}

SmbgOptions with(LeaderRule rule, HypergradientKind kind) {
  SmbgOptions options;
  options.leader.rule = rule;
  options.hypergradient = kind;
  return options;
}

INSTANTIATE_TEST_SUITE_P(Options, Resume,
                         ::testing::Values(with(LeaderRule::gradient_descent, HypergradientKind::unrolled),
                                           with(LeaderRule::adam, HypergradientKind::unrolled),
                                           with(LeaderRule::gradient_descent, HypergradientKind::implicit)),
                         [](const auto& setting) { return "setting" + std::to_string(setting.index); });

}  // namespace
}  // namespace bilevel::testing
