// Runs of UniBiO on games with closed-form answers, with nothing tuned and with the paper's settings.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "bilevel/run.hpp"
#include "bilevel/unibio.hpp"
#include "uniformly_convex_games.hpp"

namespace bilevel::testing {
namespace {

// phi = sin(sin x) is least at x = -pi/2, where y = -1; on the way the run passes the degenerate y = 0.
TEST(UnibioRuns, DefaultsSolveThePowerGameOfEveryExponent) {
  for (const int p : {2, 3, 4, 6, 8}) {
    const auto problem = power_game(p);
    StopRule stop;
    stop.tolerance = 1e-6;
    stop.max_iterations = 600;
    const auto result = run(problem, Unibio({.exponent = double(p)}), stop);
    ASSERT_EQ(result.status, Status::converged) << p << ": " << result.message;
    // phi'' = cos 1 = 0.54 there, |phi'| of the start 0.36.
    EXPECT_NEAR(result.x[0], -0.5 * std::numbers::pi, 2e-6) << p;
    // The follower's error is what Epoch-SGD leaves after warm starts.
    EXPECT_NEAR(result.upper, std::sin(-1.0), 1e-5) << p;
  }
}

TEST(UnibioRuns, DefaultsSolveAQuadraticGameAndACoupledOne) {
  const auto quadratic = quadratic_problem();
  StopRule stop;
  stop.tolerance = 1e-5;
  stop.max_iterations = 3000;
  const auto result = run(quadratic, Unibio(), stop);
  ASSERT_EQ(result.status, Status::converged) << result.message;
  // |G| <= 1e-5 of about 10, curvature at least 0.1.
  EXPECT_LE(norm(result.x - quadratic.known->x), 1e-3);

  // Along a curved valley beside the cusps of phi, where an entry of W^-T s(x) vanishes: slow, but down.
  const auto game = coupled_game(4);
  stop.max_iterations = 1000;
  const auto coupled = run(game.problem, Unibio({.exponent = 4}), stop);
  EXPECT_NEAR(coupled.best_upper, game.value(coupled.best_x), 1e-3) << "the follower has kept up";
  EXPECT_LT(game.value(coupled.best_x), 0.1164) << "from 12.4; 0.1163 is the least";
}

/// The paper's settings on the power game.
UnibioOptions paper_options(int p, double eta, double noise) {
  return {.sampling = {.iterations_per_round = 1, .inner_step_size = 1, .outer_step_size = eta},
          .exponent = double(p),
          .follower_every = 2,
          .budget = 100,
          .first_epoch = 5,
          .first_radius = 1,
          .gradient_noise = noise,
          .solver = UnibioSolver::neumann,
          .momentum = 0.9};
}

TEST(UnibioRuns, ThePapersSettingsReachTheSolutionAtEveryNoise) {
  const double etas[] = {0.05, 0.03, 0.02, 0.01};
  for (int i = 0; i < 4; ++i) {
    const int p = 2 * (i + 1);
    for (const double noise : {0.0, 0.1, 1.0}) {
      StopRule stop;
      stop.tolerance = 0;
      stop.max_iterations = 500;
      const auto problem = power_game(p);
      const auto result = run(problem, Unibio(paper_options(p, etas[i], noise)), stop);
      ASSERT_EQ(result.iterations, 500) << result.message;
      // A step of fixed length turns around within some lengths; noise adds the error of u = y^(p-1).
      EXPECT_NEAR(result.x[0], -0.5 * std::numbers::pi, 6 * etas[i] + 0.1 * noise) << p << ' ' << noise;
      EXPECT_NEAR(signed_power(result.y[0], p - 1), -1, 0.02 + noise) << p << ' ' << noise;
    }
  }
}

}  // namespace
}  // namespace bilevel::testing
