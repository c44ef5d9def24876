// One step of UniBiO: order of the updates, oracle calls, batches, resuming, options.
#include <gtest/gtest.h>

#include "bilevel/unibio.hpp"
#include "method_checks.hpp"
#include "uniformly_convex_games.hpp"

namespace bilevel::testing {
namespace {

const Unibio::State& unibio(const OuterMethod::State& state) { return dynamic_cast<const Unibio::State&>(state); }

/// g = (y - x)^2/2, f = (x^2 + y^2)/2 from (1, 2).
BilevelProblem hand_problem() {
  const auto one = Eigen::MatrixXd::Identity(1, 1);
  return {"hand",
          std::make_shared<Quadratic>("f", 1, 1, QuadraticCoefficients{.yy = one, .xx = one}),
          std::make_shared<Quadratic>("g", 1, 1, QuadraticCoefficients{.yy = one, .yx = -one}),
          vec({1}),
          vec({2}),
          {}};
}

// Epochs of one step of 1/2, then one of 1/4: y - x times 1/2 and 3/4. G = x + y, beta = 1/2, gamma = 1/4, I = 2:
//   from (1, 2)    y = 1 + 3/8          G = 19/8    m = 19/16                    x = 3/4
//                  y kept               G = 17/8    m = 19/32 + 17/16 = 53/32    x = 1/2
//                  y = 1/2 + 3/8 (7/8)                                           x = 1/4
TEST(UnibioStep, FollowsTheListingByHand) {
  const auto problem = hand_problem();
  const Unibio method({.sampling = {.iterations_per_round = 1, .inner_step_size = 0.5, .outer_step_size = 0.25},
                       .follower_every = 2,
                       .budget = 2,
                       .first_epoch = 1,
                       .first_radius = 10,
                       .momentum = 0.5});
  const auto state = method.init(problem);
  auto report = method.step(problem, *state);
  EXPECT_EQ(state->x[0], 0.75) << "the length does not depend on m";
  EXPECT_EQ(state->y[0], 1.375);
  EXPECT_EQ(report.hypergradient_norm, 0.75 + 1.375) << "at the pair that the round ends with";
  EXPECT_EQ(report.upper, 0.5 * (0.75 * 0.75 + 1.375 * 1.375));
  EXPECT_EQ(unibio(*state).momentum[0], 1.1875);
  method.step(problem, *state);
  EXPECT_EQ(state->x[0], 0.5);
  EXPECT_EQ(state->y[0], 1.375) << "kept in every second iteration";
  EXPECT_EQ(unibio(*state).momentum[0], 53.0 / 32);
  method.step(problem, *state);
  EXPECT_EQ(state->x[0], 0.25);
  EXPECT_EQ(state->y[0], 0.5 + 0.375 * 0.875) << "from the last answer";
}

/// Of 200 samples: g_i = c_i (y - b_i - x)^2 / 2, f_i = (y - t_i)^2 / 2 + x^2 / 20.
BilevelProblem sampled_problem() {
  constexpr std::size_t kSamples = 200;
  Random random(4);
  Vec b(kSamples), c(kSamples), t(kSamples);
  for (Index i = 0; i < b.size(); ++i) {
    b[i] = random.normal();
    c[i] = 0.5 + random.uniform();
    t[i] = 2 + random.normal();
  }
  const double answer = (c.array() * b.array()).sum() / c.sum();  // y*(x) - x
  KnownSolution known;
  known.x = vec({(t.mean() - answer) / 1.1});
  known.y = known.x.array() + answer;
  known.upper = 0.5 * (known.y[0] - t.array()).square().mean() + 0.05 * known.x[0] * known.x[0];
  return {"samples",
          make_objective("f", 1, 1, kSamples,
                         [t](auto x, auto y, std::size_t i) {
                           return 0.5 * square(y[0] - t[static_cast<Index>(i)]) + 0.05 * square(x[0]);
                         }),
          make_objective("g", 1, 1, kSamples,
                         [b, c](auto x, auto y, std::size_t i) {
                           const auto row = static_cast<Index>(i);
                           return 0.5 * c[row] * square(y[0] - b[row] - x[0]);
                         }),
          vec({0}),
          vec({0}),
          known};
}

TEST(UnibioBatches, AreOfTheSizeAskedForAndTheCrossProductTakesSeveral) {
  const auto problem = sampled_problem();
  const Unibio method({.sampling = {.batch_size = 8,
                                    .iterations_per_round = 1,
                                    .inner_step_size = 0.3,
                                    .adjoint_step_size = 0.5,
                                    .outer_step_size = 0.1},
                       .budget = 10,
                       .terms = 4});
  const auto state = method.init(problem);
  const auto samples = [](const OracleCounts& counts, Oracle oracle) {
    return counts.samples[static_cast<std::size_t>(oracle)];
  };
  method.step(problem, *state);
  const auto g = problem.lower->counts(), f = problem.upper->counts();
  constexpr std::size_t kAll = 200;  // of the look at the round's end
  EXPECT_EQ(samples(g, Oracle::grad_y), 88 + kAll);
  EXPECT_EQ(samples(g, Oracle::hess_yy), 32u);
  EXPECT_EQ(samples(g, Oracle::hess_xy), 4 * 8 + kAll);
  EXPECT_EQ(samples(f, Oracle::grad_y), 8u);
  EXPECT_EQ(samples(f, Oracle::value), 8 + kAll);
}

/// g_i = c_i y^2 / 2 - x y: one of 64 samples is a thousand times as curved as the others.
TEST(UnibioBatches, TheSeriesIsShortenedWhereABatchIsMoreCurvedThanTheOneMeasured) {
  const auto curvature = [](std::size_t i) { return i == 17 ? 1000.0 : 1.0; };
  const BilevelProblem problem{
      "uneven",
      make_objective("f", 1, 1, [](auto x, auto y) { return square(y[0] - 1.0) + square(x[0]); }),
      make_objective(
          "g", 1, 1, 64,
          [curvature](auto x, auto y, std::size_t i) { return 0.5 * curvature(i) * square(y[0]) - x[0] * y[0]; }),
      vec({1}),
      vec({0.5}),
      {}};
  // Measured on the average (curvature 16.6) nu = 0.03 is 15 times too long for the batch of one that holds row 17.
  const Unibio method({.sampling = {.batch_size = 1, .iterations_per_round = 64, .inner_step_size = 1e-4}, .terms = 1});
  const auto state = method.init(problem);
  for (int round = 0; round < 3; ++round) {
    const auto report = method.step(problem, *state);
    ASSERT_EQ(report.status, Status::converged) << report.message;
  }
  // The same with a nu that is given is not to be mended.
  const Unibio given({.sampling = {.batch_size = 1,
                                   .iterations_per_round = 64,
                                   .inner_step_size = 1e-4,
                                   .adjoint_step_size = 0.03,
                                   .outer_step_size = 0.01},
                      .terms = 1});
  const auto broken = given.init(problem);
  Status status = Status::converged;
  std::string message;
  for (int round = 0; round < 3 && status == Status::converged; ++round) {
    const auto report = given.step(problem, *broken);
    status = report.status;
    message = report.message;
  }
  EXPECT_EQ(status, Status::breakdown);
  EXPECT_NE(message.find("nu is too long"), std::string::npos) << message;
}

TEST(UnibioBatches, ReachTheSolutionUpToTheirNoise) {
  const auto problem = sampled_problem();
  StopRule stop;
  stop.tolerance = 0;
  stop.max_iterations = 200;
  for (const auto batch : {std::optional<Index>{}, std::optional<Index>{16}, std::optional<Index>{200}}) {
    const auto result = run(problem, Unibio({.sampling = {.batch_size = batch}, .budget = 300}), stop);
    ASSERT_EQ(result.status, Status::budget_reached) << result.message;
    // b and t scatter by 1: a batch of 16 moves its mean by 1/4, over a hundred steps of averages far less.
    EXPECT_NEAR(result.x[0], problem.known->x[0], batch == 200 ? 1e-6 : 0.1) << batch.value_or(64);
    EXPECT_NEAR(result.upper, problem.known->upper, batch == 200 ? 1e-6 : 0.02);
  }
}

TEST(UnibioResume, ContinuesBitForBitWithBatchesAndNoise) {
  const auto sampled = sampled_problem();
  const Unibio on_batches({.sampling = {.batch_size = 16, .seed = 5}});
  const auto runs = expect_seven_plus_twenty_three_is_thirty(sampled, on_batches);
  EXPECT_EQ(unibio(*runs.second.state).momentum, unibio(*runs.whole.state).momentum);

  const auto game = power_game(4);
  const Unibio noisy({.exponent = 4, .gradient_noise = 0.1});
  expect_seven_plus_twenty_three_is_thirty(game, noisy);
  StopRule stop;
  stop.tolerance = 0;
  stop.max_iterations = 40;
  expect_same_trace_twice(game, noisy, stop);
  expect_same_trace_twice(sampled, on_batches, stop);
  EXPECT_NE(run(game, Unibio({.sampling = {.seed = 2}, .exponent = 4, .gradient_noise = 0.1}), stop).x,
            run(game, noisy, stop).x);
}

TEST(UnibioStep, MissingOraclesAreNamedBeforeTheFirstStep) {
  auto problem = hand_problem();
  auto oracles = oracles_of(problem.lower);
  oracles.hess_xy = nullptr;
  problem.lower = objective_of("poor g", 1, 1, oracles);
  EXPECT_THROW(Unibio().init(problem), MissingOracle);
}

TEST(UnibioOptionsCheck, ValuesOutOfRangeAreRefusedByName) {
  const auto expect_refused = [](const std::string& option, auto change) {
    expect_refused_by_name<Unibio, UnibioOptions>(option, change);
  };
  expect_refused("exponent", [](UnibioOptions& o) { o.exponent = 1; });
  expect_refused("power-floor", [](UnibioOptions& o) { o.floor = 0; });
  expect_refused("follower-every", [](UnibioOptions& o) { o.follower_every = 0; });
  expect_refused("follower-budget", [](UnibioOptions& o) { o.budget = 0; });
  expect_refused("first-epoch", [](UnibioOptions& o) { o.first_epoch = 0; });
  expect_refused("first-radius", [](UnibioOptions& o) { o.first_radius = -1; });
  expect_refused("inner-step-size", [](UnibioOptions& o) { o.sampling.inner_step_size = 0; });
  expect_refused("gradient-noise", [](UnibioOptions& o) { o.gradient_noise = -1; });
  expect_refused("power-tolerance", [](UnibioOptions& o) { o.tolerance = 1; });
  expect_refused("series-terms", [](UnibioOptions& o) { o.terms = -1; });
  expect_refused("adjoint-step-size", [](UnibioOptions& o) { o.sampling.adjoint_step_size = 0; });
  expect_refused("momentum", [](UnibioOptions& o) { o.momentum = 1; });
  expect_refused("outer-step-size", [](UnibioOptions& o) { o.sampling.outer_step_size = 0; });
  expect_refused("cross-batches", [](UnibioOptions& o) { o.cross_batches = 0; });
  expect_refused("batch-size", [](UnibioOptions& o) { o.sampling.batch_size = 0; });
}

}  // namespace
}  // namespace bilevel::testing
