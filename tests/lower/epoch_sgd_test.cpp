// Epoch-SGD: the schedule, the balls, the average, the budget, and what noise leaves.
#include "bilevel/epoch_sgd.hpp"

#include <gtest/gtest.h>

#include "uniformly_convex_games.hpp"

namespace bilevel::testing {
namespace {

TEST(EpochSgd, LengthsAndRadiiAreThoseOfThePaper) {
  EpochSgdOptions options;
  for (const auto& [p, lengths] :
       {std::pair<double, std::vector<Index>>{2, {5, 10, 20, 40}}, {4, {5, 14, 40, 113}}, {8, {5, 16, 56, 190}}}) {
    options.exponent = p;
    for (Index k = 1; k <= 4; ++k) {
      EXPECT_EQ(epoch_length(options, k), lengths[static_cast<std::size_t>(k - 1)]) << "p = " << p << ", k = " << k;
      EXPECT_DOUBLE_EQ(epoch_radius(options, k), std::pow(2.0, -static_cast<double>(k - 1) / p));
    }
  }
  EXPECT_GT(epoch_length(options, 2000), Index{1} << 40) << "no overflow";
}

/// g = y^2 / 2 - x y.
std::shared_ptr<const Objective> parabola() {
  return make_objective("parabola", 1, 1, [](auto x, auto y) { return 0.5 * square(y[0]) - x[0] * y[0]; });
}

// From y = 1 at x = 0, T_1 = 2, step_1 = 1/4: 3/4, 9/16; w = 21/32; step 1/8, three of the four steps of epoch 2:
// times 7/8, 49/64, 343/512. All dyadic but the last division.
TEST(EpochSgd, FollowsTheListingByHand) {
  const auto lower = parabola();
  const auto result = epoch_sgd(*lower, vec({0}), vec({1}), {.budget = 5, .first_epoch = 2, .first_step = 0.25});
  EXPECT_EQ(result.steps, 5);
  EXPECT_EQ(result.epochs, 2);
  EXPECT_EQ(result.first_residual, 1);
  EXPECT_DOUBLE_EQ(result.y[0], 21.0 / 32 * (7.0 / 8 + 49.0 / 64 + 343.0 / 512) / 3);
  EXPECT_EQ(lower->counts()[Oracle::grad_y], 5u);
  EXPECT_EQ(lower->counts().total(), 5u);
}

TEST(EpochSgd, StepsStayInTheBallAroundWhereTheEpochBegan) {
  const auto lower = parabola();
  // Both steps end on the sphere of radius 0.1 around 1.
  const auto one = epoch_sgd(*lower, vec({0}), vec({1}), {.budget = 2, .first_epoch = 2, .first_radius = 0.1});
  EXPECT_NEAR(one.y[0], 0.9, 1e-15);
  const auto two = epoch_sgd(*lower, vec({0}), vec({1}), {.budget = 6, .first_epoch = 2, .first_radius = 0.1});
  EXPECT_NEAR(two.y[0], 0.9 - 0.1 / std::sqrt(2.0), 1e-15) << "the next ball is around 0.9, of radius 0.1 / sqrt 2";
  // In the plane the projection is radial.
  const auto flat = make_objective("plane", 1, 2, [](auto, auto y) { return 3.0 * y[0] + 4.0 * y[1]; });
  const auto plane = epoch_sgd(*flat, vec({0}), vec({0, 0}), {.budget = 5, .first_radius = 0.5});
  EXPECT_LE(norm(plane.y - vec({-0.3, -0.4})), 1e-15);
}

TEST(EpochSgd, FindsTheAnswerOfEveryExponent) {
  for (const int p : {2, 4, 6, 8}) {
    const auto problem = power_game(p);
    const double x = 0.5, expected = power_game_answer(x, p);
    const auto error = [&](Index budget) {
      const auto result = epoch_sgd(*problem.lower, vec({x}), vec({1}), {.exponent = double(p), .budget = budget});
      return std::abs(result.y[0] - expected);
    };
    EXPECT_LE(error(100), 0.1) << p;
    EXPECT_LE(error(20000), 0.2 * error(100) + 1e-12) << p << "; p = 2 is solved by the first step of length 1 / L";
  }
}

TEST(EpochSgd, AveragesNoiseAway) {
  const auto lower = parabola();
  double short_run = 0, long_run = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    for (const Index budget : {75, 5115}) {  // 4 and 10 whole epochs
      Random random(seed);
      const auto result = epoch_sgd(*lower, vec({0.5}), vec({1}), {.budget = budget, .noise = 1}, {.random = &random});
      (budget == 75 ? short_run : long_run) += (result.y[0] - 0.5) * (result.y[0] - 0.5) / 40;
    }
  }
  // The squared error falls like 1 / budget, here 1/64; a factor of three for forty draws and the start.
  EXPECT_LE(long_run, 3 * short_run / 64);
  EXPECT_GT(long_run, short_run / 64 / 30);
}

TEST(EpochSgd, SameSourcesSameAnswerAndTheyGoOn) {
  const auto lower = make_objective("curvatures", 1, 1, 20, [](auto x, auto y, std::size_t i) {
    return (0.1 * double(i) + 0.5) * square(y[0]) - x[0] * y[0];
  });
  const auto run = [&](Sampler& sampler, Random& random) {
    return epoch_sgd(*lower, vec({0.5}), vec({1}), {.noise = 0.1},
                     {.batches = [&] { return sampler.next(); }, .random = &random})
        .y[0];
  };
  Sampler sampler(20, 3, 7), twin(20, 3, 7);
  Random random(9), twin_random(9);
  const double first = run(sampler, random);
  EXPECT_EQ(run(twin, twin_random), first);
  Sampler restored(20, 3, 1);
  restored.restore(sampler.state());
  const double second = run(sampler, random);
  EXPECT_NE(second, first);
  EXPECT_EQ(run(restored, twin_random), second);
  EXPECT_LT(lower->counts().samples[static_cast<std::size_t>(Oracle::grad_y)], 3u * 400 + 1) << "batches of three";
}

TEST(EpochSgd, ARunawayKeepsTheLastFinitePoint) {
  const auto lower = make_objective("steep", 1, 1, [](auto, auto y) { return exp(exp(exp(y[0]))); });
  const auto result = epoch_sgd(*lower, vec({0}), vec({3}), {});
  EXPECT_FALSE(result.finite);
  EXPECT_EQ(result.y, vec({3}));
}

TEST(EpochSgd, AsASolverItStopsAtItsTolerance) {
  const auto problem = quadratic_problem();
  const auto result = EpochSgd({.first_epoch = 20, .first_radius = 10, .first_step = 0.45})
                          .solve(*problem.lower, problem.x0, problem.y0, {.tolerance = 1e-3, .max_iterations = 100000});
  EXPECT_EQ(result.status, Status::converged) << result.message;
  EXPECT_LE(result.residual, 1e-3 * std::max(1.0, norm(problem.lower->grad_y(problem.x0, problem.y0))));
  const auto whole =
      epoch_sgd(*problem.lower, problem.x0, problem.y0,
                {.budget = result.iterations, .first_epoch = 20, .first_radius = 10, .first_step = 0.45});
  EXPECT_EQ(whole.y, result.y) << "one schedule";
  const auto cut = EpochSgd().solve(*problem.lower, problem.x0, problem.y0, {.max_iterations = 7});
  EXPECT_EQ(cut.status, Status::budget_reached);
  EXPECT_EQ(cut.iterations, 7);
}

TEST(EpochSgd, ValuesOutOfRangeAreRefused) {
  const auto lower = parabola();
  const auto refuse = [&](const EpochSgdOptions& options, const std::string& part) {
    try {
      epoch_sgd(*lower, vec({0}), vec({0}), options);
      FAIL() << part << " was accepted";
    } catch (const InvalidOption& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  refuse({.exponent = 1.9}, "exponent");
  refuse({.budget = 0}, "budget");
  refuse({.first_epoch = 0}, "first epoch");
  refuse({.first_radius = 0}, "first radius");
  refuse({.first_step = -1}, "first step");
  refuse({.noise = -1}, "noise");
  refuse({.noise = 1}, "random");
}

}  // namespace
}  // namespace bilevel::testing
