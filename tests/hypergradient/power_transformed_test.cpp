// The power-transformed hypergradient against closed forms, and each way of getting it wrong against them too.
#include "bilevel/power_transformed.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "taylor.hpp"
#include "uniformly_convex_games.hpp"

namespace bilevel::testing {
namespace {

PowerTransformedOptions options_of(int p, PowerSolver solver = PowerSolver::krylov) {
  PowerTransformedOptions options;
  options.transform.exponent = p;
  options.solver = solver;
  return options;
}

Eigen::MatrixXd dense_hessian(const Objective& lower, const Vec& x, const Vec& y) {
  const auto at = lower.linearize(x, y);
  Eigen::MatrixXd H(y.size(), y.size());
  for (Index j = 0; j < y.size(); ++j) H.col(j) = at.hess_yy(Vec::Unit(y.size(), j));
  return H;
}

TEST(PowerTransformed, GivesTheSlopeOfThePowerGameForEveryExponent) {
  for (const int p : {2, 3, 4, 5, 6, 8}) {
    for (const double x : {1.0, 0.1, -0.4, -1.4, 2.5}) {
      const auto problem = power_game(p);
      const Vec y = vec({power_game_answer(x, p)});
      for (const auto solver : {PowerSolver::krylov, PowerSolver::neumann}) {
        const auto result = power_transformed(problem, vec({x}), y, options_of(p, solver));
        ASSERT_EQ(result.status, Status::converged) << result.message;
        // D^-1 H = 1: Krylov takes one step, the series with nu = 0.9 leaves 0.1^21. The powers round.
        EXPECT_NEAR(result.gradient[0], power_game_slope(x), 1e-13) << p << ' ' << x << ' ' << to_string(solver);
      }
    }
  }
}

TEST(PowerTransformed, IsEvaluatedAtTheGivenAnswerAndNotInClosedForm) {
  const auto problem = power_game(4);
  const double x = 0.7, y = 0.6;
  const auto result = power_transformed(problem, vec({x}), vec({y}), options_of(4));
  EXPECT_NEAR(result.gradient[0], std::cos(x) * std::cos(y * y * y), 1e-14);
  EXPECT_GT(std::abs(result.gradient[0] - power_game_slope(x)), 0.05);
  EXPECT_NEAR(result.lower_residual, std::abs(y * y * y - std::sin(x)), 1e-15);
}

TEST(PowerTransformed, IsTheDerivativeOfTheResolvedValueWhereHAndDDoNotCommute) {
  Random random(3);
  for (const int p : {2, 3, 4, 6}) {
    const auto game = coupled_game(p);
    for (int trial = 0; trial < 4; ++trial) {
      const Vec x = game.problem.x0 + random_vec(2, random, 0.2), dx = random_vec(2, random);
      const Vec y = game.answer(x);
      ASSERT_LE(norm(game.problem.lower->grad_y(x, y)), 1e-12);
      const auto result = power_transformed(game.problem, x, y, options_of(p));
      ASSERT_EQ(result.status, Status::converged) << result.message;
      const double at_x = game.value(x);
      expect_second_order("re-solved value, p = " + std::to_string(p), std::abs(at_x), [&](double t) {
        return std::abs(game.value(x + t * dx) - at_x - t * dot(result.gradient, dx));
      });
      const double t = 1e-5;
      const double difference = (game.value(x + t * dx) - game.value(x - t * dx)) / (2 * t);
      // Central differences: t^2 times third derivatives of some hundreds near small residuals, and 1e-16 / t.
      EXPECT_NEAR(dot(result.gradient, dx), difference, 1e-6 * (1 + std::abs(difference)));
    }
  }
}

TEST(PowerTransformed, TheOperatorIsNotHInverseDAndTheSeriesSaysSo) {
  const int p = 4;
  const auto game = coupled_game(p);
  const Vec& x = game.problem.x0;
  const Vec y = game.answer(x);
  const Eigen::MatrixXd H = dense_hessian(*game.problem.lower, x, y);
  const Vec f_y = game.problem.upper->grad_y(x, y), d = PowerTransform{.exponent = 4}.diagonal(y);
  const Vec right = H.lu().solve(f_y);
  const Vec wrong = d.asDiagonal() * H.lu().solve(Vec(f_y.cwiseQuotient(d)));  // (H D^-1)^-1 D^-1 f_y
  ASSERT_GT(norm(wrong - right), 0.1 * norm(right)) << "an example where the order does not matter shows nothing";
  EXPECT_LE(norm(power_transformed(game.problem, x, y, options_of(p)).adjoint - right), 1e-8 * norm(right))
      << "residual 1e-10, condition below 100";
  auto series = options_of(p, PowerSolver::neumann);
  series.terms = 20000;
  const auto summed = power_transformed(game.problem, x, y, series);
  ASSERT_EQ(summed.status, Status::converged);
  EXPECT_LE(norm(summed.adjoint - right), 1e-8 * norm(right)) << summed.message;
}

TEST(PowerTransformed, TheSeriesIsThatOfThePaperTermByTerm) {
  const auto game = coupled_game(4);
  const Vec& x = game.problem.x0;
  const Vec y = game.answer(x);
  const Eigen::MatrixXd H = dense_hessian(*game.problem.lower, x, y);
  const Vec f_y = game.problem.upper->grad_y(x, y), d = PowerTransform{.exponent = 4}.diagonal(y);
  auto options = options_of(4, PowerSolver::neumann);
  options.step_size = 0.05;
  Vec term = f_y.cwiseQuotient(d), sum = term;
  for (Index Q = 0; Q <= 3; ++Q) {
    options.terms = Q;
    const auto result = power_transformed(game.problem, x, y, options);
    EXPECT_LE(norm(result.adjoint - 0.05 * sum), 1e-12 * norm(sum)) << "Q = " << Q << ", the sum begins at q = 0";
    term -= 0.05 * (H * term).cwiseQuotient(d);
    sum += term;
  }
}

TEST(PowerTransformed, OddExponentsTakeTheAbsoluteValue) {
  const Vec d = PowerTransform{.exponent = 3}.diagonal(vec({-0.5, 0.5}));
  EXPECT_EQ(d, vec({1, 1})) << "2 |y|";
  const double x = -0.8;
  const auto problem = power_game(3);
  const Vec y = vec({power_game_answer(x, 3)});
  ASSERT_LT(y[0], 0);
  const auto result = power_transformed(problem, vec({x}), y, options_of(3, PowerSolver::neumann));
  EXPECT_EQ(result.status, Status::converged) << result.message;
  EXPECT_NEAR(result.gradient[0], power_game_slope(x), 1e-13);
}

TEST(PowerTransformed, ACentreCuresDegeneracyAwayFromZero) {
  const double centre = 0.7, x = 1e-6;  // the answer is 0.01 from the centre, H = 3e-4
  const auto problem = power_game(4, centre);
  const Vec y = vec({power_game_answer(x, 4, centre)});
  auto options = options_of(4, PowerSolver::neumann);
  options.terms = 10;
  options.step_size = 0.9;
  const auto plain = power_transformed(problem, vec({x}), y, options);
  EXPECT_GT(std::abs(plain.gradient[0] - power_game_slope(x)), 0.5) << "H is 2e-4 of a D that is taken from 0";
  options.transform.centre = vec({centre});
  const auto centred = power_transformed(problem, vec({x}), y, options);
  EXPECT_NEAR(centred.gradient[0], power_game_slope(x), 1e-9) << "0.1^11 is left, and 1e-11 of 0.01 rounded in y";
  options.transform.centre = vec({1, 2});
  EXPECT_THROW(power_transformed(problem, vec({x}), y, options), DimensionMismatch);
}

TEST(PowerTransformed, AFloorKeepsAnEntryAtTheCentreFinite) {
  const auto game = coupled_game(4);
  const Vec& x = game.problem.x0;
  Vec y = game.answer(x);
  y[1] = 0;  // D = 0 there, while H is not diagonal and invertible
  const Vec f_y = game.problem.upper->grad_y(x, y);
  const Vec expected = dense_hessian(*game.problem.lower, x, y).lu().solve(f_y);
  const auto result = power_transformed(game.problem, x, y, options_of(4));
  ASSERT_EQ(result.status, Status::converged) << result.message;
  EXPECT_LE(norm(result.adjoint - expected), 1e-5 * norm(expected))
      << "1e-10 in the norm of D^-1 may be 1e-10 / sqrt(1e-8) in v, times a condition below 10";
  EXPECT_EQ((PowerTransform{.exponent = 4, .centre = {}, .floor = 1e-3}.diagonal(vec({0, 1e-3, 2}))),
            vec({1e-3, 1e-3, 12}));
  const auto at_zero = power_transformed(power_game(4), vec({0}), vec({0}), options_of(4));
  EXPECT_TRUE(all_finite(at_zero.gradient)) << "0 / 0 without a floor";
}

TEST(PowerTransformed, ASingularSystemIsSolvedOrSaidToHaveNoSolution) {
  const auto lower = make_objective("flat in y_2", 1, 2, [](auto x, auto y) { return 0.5 * square(y[0] - x[0]); });
  const auto with = [&](double slope) {
    auto upper = make_objective("f", 1, 2, [slope](auto, auto y) { return 2.0 * y[0] + slope * y[1]; });
    return BilevelProblem{"flat", upper, lower, vec({0}), vec({0, 0}), {}};
  };
  const auto consistent = power_transformed(with(0), vec({1}), vec({1, 3}));
  EXPECT_EQ(consistent.status, Status::converged) << consistent.message;
  EXPECT_NEAR(consistent.gradient[0], 2, 1e-12);
  const auto inconsistent = power_transformed(with(1), vec({1}), vec({1, 3}));
  EXPECT_EQ(inconsistent.status, Status::breakdown) << inconsistent.message;
  EXPECT_NEAR(inconsistent.gradient[0], 2, 1e-9) << "of the least-squares v";
}

TEST(PowerTransformed, ANegativeHessianOrALongNuIsABreakdownOfTheSeries) {
  auto options = options_of(2, PowerSolver::neumann);
  EXPECT_EQ(power_transformed(two_wells(0), vec({0}), vec({0}), options).status, Status::breakdown);
  options.step_size = 2.5;
  const auto problem = power_game(2);
  EXPECT_EQ(power_transformed(problem, vec({1}), vec({1}), options).status, Status::breakdown);
}

/// g = mean_i h_i y^2 / 2 - x y: the Hessian of a batch is the mean of its h.
TEST(PowerTransformed, EveryFactorOfTheSeriesHasItsOwnSamples) {
  const std::vector<double> h{0.5, 1.0, 1.5, 2.0};
  const auto lower = make_objective("curvatures", 1, 1, h.size(), [h](auto x, auto y, std::size_t i) {
    return 0.5 * h[i] * square(y[0]) - x[0] * y[0];
  });
  const auto upper =
      make_objective("slopes", 1, 1, 2, [](auto, auto y, std::size_t i) { return (i == 0 ? 1.0 : 3.0) * y[0]; });
  const BilevelProblem problem{"batches", upper, lower, vec({1}), vec({1}), {}};
  const std::vector<std::vector<std::uint32_t>> drawn{{0}, {3}, {1, 2}, {2}};
  const std::vector<std::uint32_t> first_of_upper{1};
  std::size_t draws = 0;
  PowerTransformedOptions options{.solver = PowerSolver::neumann, .terms = 3, .step_size = 0.4};
  PowerTransformedMemory memory;
  const auto result = power_transformed(
      problem, vec({1}), vec({1}), options, memory,
      {.upper = [&] { return Batch(first_of_upper); }, .lower = [&] { return Batch(drawn[draws++]); }});
  EXPECT_EQ(draws, 4u) << "three factors and B";
  const double a = 1 - 0.4 * 0.5, b = 1 - 0.4 * 2.0, c = 1 - 0.4 * 1.25;
  EXPECT_NEAR(result.adjoint[0], 0.4 * 3 * (1 + a + a * b + a * b * c), 1e-14);
  EXPECT_NEAR(result.gradient[0], result.adjoint[0], 1e-14) << "B = -1";
}

TEST(PowerTransformed, OracleCallsAreAsTheHeaderSays) {
  const auto game = coupled_game(4);
  const auto& problem = game.problem;
  const Vec y = game.answer(problem.x0);
  const auto calls = [&](const PowerTransformedOptions& options) {
    const auto lower = problem.lower->counts(), upper = problem.upper->counts();
    power_transformed(problem, problem.x0, y, options);
    const auto f = problem.upper->counts() - upper;
    EXPECT_EQ(f[Oracle::value], 1u);
    EXPECT_EQ(f[Oracle::grad_x], 1u);
    EXPECT_EQ(f[Oracle::grad_y], 1u);
    EXPECT_EQ(f.total(), 3u);
    const auto g = problem.lower->counts() - lower;
    EXPECT_EQ(g[Oracle::grad_y], 1u);
    EXPECT_EQ(g[Oracle::hess_xy], 1u);
    EXPECT_EQ(g.total(), 2 + g[Oracle::hess_yy]);
    return g[Oracle::hess_yy];
  };
  auto options = options_of(4, PowerSolver::neumann);
  options.terms = 7;
  options.step_size = 0.01;
  EXPECT_EQ(calls(options), 7u);
  options.step_size = 0;
  EXPECT_GT(calls(options), 7u);
  EXPECT_LE(calls(options), 37u);
  EXPECT_LE(calls(options_of(4)), 6u) << "three unknowns, rounding, and the residual";
}

TEST(PowerTransformed, KrylovGoesOnFromTheLastAdjoint) {
  const auto game = coupled_game(4);
  const Vec y = game.answer(game.problem.x0);
  PowerTransformedMemory memory;
  auto options = options_of(4);
  const auto first = power_transformed(game.problem, game.problem.x0, y, options, memory);
  options.tolerance = 1e-9;
  const auto before = game.problem.lower->counts();
  const auto second = power_transformed(game.problem, game.problem.x0, y, options, memory);
  EXPECT_EQ((game.problem.lower->counts() - before)[Oracle::hess_yy], 1u) << "the residual of the start only";
  EXPECT_LE(norm(second.adjoint - first.adjoint), 1e-14 * norm(first.adjoint)) << "scaled to z and back";
}

TEST(PowerTransformed, ValuesOutOfRangeAreRefused) {
  const auto problem = power_game(4);
  const auto refuse = [&](auto change) {
    auto options = options_of(4);
    change(options);
    EXPECT_THROW(power_transformed(problem, vec({1}), vec({1}), options), InvalidOption);
  };
  refuse([](auto& o) { o.transform.exponent = 1.5; });
  refuse([](auto& o) { o.transform.exponent = std::nan(""); });
  refuse([](auto& o) { o.transform.floor = 0; });
  refuse([](auto& o) { o.terms = -1; });
  refuse([](auto& o) { o.step_size = -1; });
  refuse([](auto& o) { o.tolerance = 1; });
}

}  // namespace
}  // namespace bilevel::testing
