#include "bilevel/leader_step.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "probes.hpp"

namespace bilevel::testing {
namespace {

struct Descent {
  LeaderStepOptions options;
  std::function<double(const Vec&)> value;
  std::function<Vec(const Vec&)> gradient;
  LeaderStepState state = {};

  /// Steps until |gradient| <= tolerance; the number of them.
  Index run(Vec& x, double tolerance, Index most) {
    for (Index i = 0; i < most; ++i) {
      const Vec g = gradient(x);
      if (norm(g) <= tolerance) return i;
      leader_step(options, state, g, value(x), x);
    }
    return most;
  }
};

Descent bowl(LeaderRule rule, double scale, double condition) {
  const Vec diagonal = scale * vec({1, std::sqrt(condition), condition});
  return {{.rule = rule},
          [=](const Vec& x) { return 0.5 * x.dot(diagonal.cwiseProduct(x)) + 3 * scale; },
          [=](const Vec& x) { return Vec(diagonal.cwiseProduct(x)); }};
}

TEST(LeaderStep, GivenStepSizeIsPlainGradientDescent) {
  const LeaderStepOptions options{.rule = LeaderRule::gradient_descent, .step_size = 0.25};
  LeaderStepState state;
  Vec x = vec({1, 2});
  EXPECT_EQ(leader_step(options, state, vec({4, -8}), 1, x), LeaderMove::accepted);
  EXPECT_EQ(x, vec({0, 4}));
  EXPECT_EQ(leader_step(options, state, vec({1, 0}), 100, x), LeaderMove::accepted) << "a rise changes nothing";
  EXPECT_EQ(x, vec({-0.25, 4}));
}

TEST(LeaderStep, StaysWhereTheGradientIsExactlyZero) {
  const LeaderStepOptions options{.rule = LeaderRule::gradient_descent};
  LeaderStepState state;
  Vec x = vec({1, 2});
  for (int i = 0; i < 400; ++i) leader_step(options, state, vec({0, 0}), 1, x);  // 10^400 would not be finite
  EXPECT_EQ(x, vec({1, 2}));
}

TEST(LeaderStep, GivenStepSizeIsKingmaAndBasAdam) {
  const LeaderStepOptions options{.rule = LeaderRule::adam, .step_size = 0.1};
  LeaderStepState state;
  Vec x = vec({1, 1});
  leader_step(options, state, vec({4, -2}), 0, x);
  // The first step is a_f sign(g), up to the floor of 1e-8 beside |g|.
  EXPECT_NEAR(x[0], 0.9, 1e-8);
  EXPECT_NEAR(x[1], 1.1, 1e-8);
  leader_step(options, state, vec({1, -2}), 0, x);
  const double m = (0.9 * 0.1 * 4 + 0.1 * 1) / (1 - 0.81), v = (0.999 * 0.001 * 16 + 0.001) / (1 - 0.999 * 0.999);
  EXPECT_NEAR(x[0], 0.9 - 0.1 * m / std::sqrt(v), 1e-7);
}

TEST(LeaderStep, AdamRestartsItsMomentumAfterARise) {
  const LeaderStepOptions options{.rule = LeaderRule::adam};
  LeaderStepState state;
  Vec x = vec({0});
  leader_step(options, state, vec({2}), 1, x);
  leader_step(options, state, vec({2}), 0.5, x);
  const double before = x[0];
  leader_step(options, state, vec({-2}), 5, x);
  // As a first step with half the size: the earlier hypergradients no longer count, their scale does.
  EXPECT_NEAR(x[0] - before, 0.25, 1e-7);
}

TEST(LeaderStep, AdaptiveGradientDescentIsFastAtEveryScale) {
  for (const double scale : {1e-6, 1.0, 1e6}) {
    for (const double condition : {1.0, 100.0, 1e4}) {
      auto descent = bowl(LeaderRule::gradient_descent, scale, condition);
      Vec x = vec({3, -2, 1});
      const Index steps = descent.run(x, 1e-9 * scale, 2000);
      // Plain gradient descent at the best fixed step needs about 10 steps for each unit of condition.
      EXPECT_LE(steps, 40 + static_cast<Index>(0.1 * condition)) << "scale " << scale << ", condition " << condition;
    }
  }
}

TEST(LeaderStep, AdaptiveAdamReachesTheMinimumAndStays) {
  for (const double scale : {1e-6, 1.0, 1e6}) {
    auto descent = bowl(LeaderRule::adam, scale, 100);
    Vec x = vec({3, -2, 1});
    descent.run(x, 0, 2000);
    EXPECT_LE(norm(x), 1e-6) << "scale " << scale << ": hovering around the minimum would leave about the step size";
  }
}

TEST(LeaderStep, FirstMovesAreScaleFree) {
  for (const double scale : {1e-8, 1.0, 1e8}) {
    Vec x = Vec::Zero(4);
    LeaderStepState state;
    leader_step({.rule = LeaderRule::gradient_descent}, state, scale * vec({1, 2, -2, 4}), 1, x);
    EXPECT_NEAR(norm(x), 0.1 * 2, 1e-12) << "root mean square 0.1";
    x.setZero();
    state = {};
    leader_step({.rule = LeaderRule::adam}, state, scale * vec({1, 2, -2, 4}), 1, x);
    EXPECT_LE((x - vec({-0.5, -0.5, 0.5, -0.5})).norm(), 1e-6);
  }
}

TEST(LeaderStep, ARiseSendsGradientDescentBackToAShorterMove) {
  const LeaderStepOptions options{.rule = LeaderRule::gradient_descent};
  LeaderStepState state;
  Vec x = vec({1});
  leader_step(options, state, vec({2}), 5, x);
  const Vec first = x;
  ASSERT_LT(first[0], 1);
  EXPECT_EQ(leader_step(options, state, vec({-50}), 500, x), LeaderMove::rejected);
  EXPECT_GT(x[0], first[0]);
  EXPECT_LT(x[0], 1) << "between the last accepted point and the rejected one";
  EXPECT_EQ(leader_step(options, state, vec({1.5}), 4, x), LeaderMove::accepted);
}

TEST(LeaderStep, ADirectionThatNeverDescendsIsAcceptedInTheEnd) {
  // A biased hypergradient: its zero is at 1, the objective's minimum at 0.
  Descent biased{{.rule = LeaderRule::gradient_descent},
                 [](const Vec& x) { return x.squaredNorm(); },
                 [](const Vec& x) { return Vec(x.array() - 1); }};
  Vec x = vec({3});
  EXPECT_LT(biased.run(x, 1e-8, 500), 500);
  EXPECT_NEAR(x[0], 1, 1e-8);
}

TEST(LeaderStep, RetreatShrinksTheLastMoveUnlessTheStepIsGiven) {
  for (const auto rule : {LeaderRule::gradient_descent, LeaderRule::adam}) {
    LeaderStepOptions options{.rule = rule};
    LeaderStepState state;
    Vec x = vec({1, 1});
    EXPECT_FALSE(leader_retreat(options, state, x)) << "no move yet";
    leader_step(options, state, vec({4, -2}), 0, x);
    const Vec moved = x - vec({1, 1});
    EXPECT_TRUE(leader_retreat(options, state, x));
    EXPECT_LE(norm(x - vec({1, 1}) - 0.1 * moved), 1e-15);
    options.step_size = 1;
    EXPECT_FALSE(leader_retreat(options, state, x));
  }
}

}  // namespace
}  // namespace bilevel::testing
