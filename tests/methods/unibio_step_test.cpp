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

// Epochs of one step of 1/2, then one of 1/4: y - x times 1/2 and 3/4. G = x + y, beta = 1/2, eta = 1/4, I = 2:
//   (1, 1 + 3/8): G = 19/8, m = 19/16        x = 3/4, y kept: G = 17/8, m = 19/32 + 17/16 = 53/32
//   x = 1/2, y = 1/2 + 3/8 (7/8)
TEST(UnibioStep, FollowsTheListingByHand) {
  const auto problem = hand_problem();
  const Unibio method({.follower_every = 2,
                       .budget = 2,
                       .first_epoch = 1,
                       .first_radius = 10,
                       .inner_step_size = 0.5,
                       .momentum = 0.5,
                       .outer_step_size = 0.25});
  const auto state = method.init(problem);
  auto report = method.step(problem, *state);
  EXPECT_EQ(state->x[0], 1);
  EXPECT_EQ(state->y[0], 1.375);
  EXPECT_EQ(report.hypergradient_norm, 2.375);
  EXPECT_EQ(report.upper, 0.5 * (1 + 1.375 * 1.375)) << "at the pair that the hypergradient belongs to";
  EXPECT_EQ(report.lower_residual, 0.375);
  EXPECT_EQ(report.lower_steps, 2);
  EXPECT_EQ(unibio(*state).momentum[0], 1.1875);
  report = method.step(problem, *state);
  EXPECT_EQ(state->x[0], 0.75);
  EXPECT_EQ(state->y[0], 1.375) << "kept in every second step";
  EXPECT_EQ(state->answered_x[0], 1) << "the leader that y answers";
  EXPECT_EQ(report.upper, 0.5 * (1 + 1.375 * 1.375)) << "of that pair: f(3/4, 11/8) is nobody's value";
  EXPECT_EQ(report.lower_steps, 0);
  EXPECT_EQ(unibio(*state).momentum[0], 53.0 / 32);
  method.step(problem, *state);
  EXPECT_EQ(state->x[0], 0.5) << "the length does not depend on m";
  EXPECT_EQ(state->y[0], 0.5 + 0.375 * 0.875) << "from the last answer";
}

TEST(UnibioStep, OracleCallsAreAsTheHeaderSays) {
  const auto game = coupled_game(4);
  const auto& problem = game.problem;
  UnibioOptions options{.exponent = 4, .follower_every = 3, .budget = 40, .inner_step_size = 0.1};
  for (const auto solver : {UnibioSolver::krylov, UnibioSolver::neumann}) {
    options.solver = solver;
    options.terms = 9;
    options.series_step_size = 0.01;
    const Unibio method(options);
    const auto state = method.init(problem);
    for (int step = 0; step < 6; ++step) {
      const auto lower = problem.lower->counts(), upper = problem.upper->counts();
      ASSERT_EQ(method.step(problem, *state).status, Status::converged);
      const auto g = problem.lower->counts() - lower, f = problem.upper->counts() - upper;
      EXPECT_EQ(g[Oracle::grad_y], step % 3 == 0 ? 41u : 1u);
      EXPECT_EQ(g[Oracle::hess_xy], 1u);
      EXPECT_EQ(g[Oracle::value], step % 3 == 0 ? 1u : 0u);
      if (solver == UnibioSolver::neumann) {
        EXPECT_EQ(g[Oracle::hess_yy], 9u);
      }
      EXPECT_LE(g[Oracle::hess_yy], 12u);
      EXPECT_EQ(g.total(), g[Oracle::grad_y] + g[Oracle::hess_yy] + g[Oracle::value] + 1);
      EXPECT_EQ(f[Oracle::value], 1u);
      EXPECT_EQ(f[Oracle::grad_x], 1u);
      EXPECT_EQ(f[Oracle::grad_y], 1u);
      EXPECT_EQ(f.total(), 3u);
    }
  }
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

TEST(UnibioBatches, AreOfTheSizeAskedForAndFIsReportedOnAllSamples) {
  const auto problem = sampled_problem();
  const Unibio method({.budget = 10, .inner_step_size = 0.3, .terms = 4, .series_step_size = 0.5, .batch_size = 8});
  const auto state = method.init(problem);
  const auto samples = [](const OracleCounts& counts, Oracle oracle) {
    return counts.samples[static_cast<std::size_t>(oracle)];
  };
  const auto report = method.step(problem, *state);
  const auto g = problem.lower->counts(), f = problem.upper->counts();
  EXPECT_EQ(samples(g, Oracle::grad_y), 88u);
  EXPECT_EQ(samples(g, Oracle::hess_yy), 32u);
  EXPECT_EQ(samples(g, Oracle::hess_xy), 8u);
  EXPECT_EQ(g[Oracle::value], 0u);
  EXPECT_EQ(samples(f, Oracle::grad_y), 8u);
  EXPECT_EQ(samples(f, Oracle::value), 208u);
  EXPECT_EQ(report.upper, problem.upper->value(state->x, state->y));
}

TEST(UnibioBatches, ReachTheSolutionUpToTheirNoise) {
  const auto problem = sampled_problem();
  StopRule stop;
  stop.tolerance = 0;
  stop.max_iterations = 600;
  for (const auto batch : {std::optional<Index>{}, std::optional<Index>{16}, std::optional<Index>{200}}) {
    const auto result = run(problem, Unibio({.budget = 300, .batch_size = batch}), stop);
    ASSERT_EQ(result.status, Status::budget_reached) << result.message;
    // b and t scatter by 1: a batch of 16 moves its mean by 1/4, over a hundred steps of averages far less.
    EXPECT_NEAR(result.x[0], problem.known->x[0], batch == 200 ? 1e-6 : 0.1) << batch.value_or(64);
    EXPECT_NEAR(result.upper, problem.known->upper, batch == 200 ? 1e-9 : 0.02);
  }
}

TEST(UnibioResume, ContinuesBitForBitWithBatchesAndNoise) {
  const auto sampled = sampled_problem();
  const Unibio on_batches({.batch_size = 16, .seed = 5});
  const auto runs = expect_seven_plus_twenty_three_is_thirty(sampled, on_batches);
  EXPECT_EQ(unibio(*runs.second.state).momentum, unibio(*runs.whole.state).momentum);
  EXPECT_EQ(unibio(*runs.second.state).lower_sampler->state(), unibio(*runs.whole.state).lower_sampler->state());
  EXPECT_EQ(unibio(*runs.second.state).upper_sampler->state(), unibio(*runs.whole.state).upper_sampler->state());

  const auto game = power_game(4);
  const Unibio noisy({.exponent = 4, .gradient_noise = 0.1});
  expect_seven_plus_twenty_three_is_thirty(game, noisy);
  StopRule stop;
  stop.tolerance = 0;
  stop.max_iterations = 40;
  expect_same_trace_twice(game, noisy, stop);
  expect_same_trace_twice(sampled, on_batches, stop);
  EXPECT_NE(run(game, Unibio({.exponent = 4, .gradient_noise = 0.1, .seed = 2}), stop).x, run(game, noisy, stop).x);
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
  expect_refused("inner-step-size", [](UnibioOptions& o) { o.inner_step_size = 0; });
  expect_refused("gradient-noise", [](UnibioOptions& o) { o.gradient_noise = -1; });
  expect_refused("power-tolerance", [](UnibioOptions& o) { o.tolerance = 1; });
  expect_refused("series-terms", [](UnibioOptions& o) { o.terms = -1; });
  expect_refused("series-step-size", [](UnibioOptions& o) { o.series_step_size = 0; });
  expect_refused("momentum", [](UnibioOptions& o) { o.momentum = 1; });
  expect_refused("outer-step-size", [](UnibioOptions& o) { o.outer_step_size = 0; });
  expect_refused("batch-size", [](UnibioOptions& o) { o.batch_size = 0; });
}

}  // namespace
}  // namespace bilevel::testing
