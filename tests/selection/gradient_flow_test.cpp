// The limit of the flow and its derivative, against closed forms and finite differences.
#include "bilevel/gradient_flow.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "bilevel/check_selection.hpp"
#include "morse_bott_examples.hpp"
#include "selection/dense_answers.hpp"
#include "taylor.hpp"

namespace bilevel {
namespace {

using Eigen::MatrixXd;
using testing::vec;

Vec start_near(const testing::DegenerateFollower& follower, std::uint64_t seed) {
  Random random(seed);
  const Index m = follower.y.size();
  return follower.y + testing::random_vec(m, random, follower.spread / std::sqrt(static_cast<double>(m)));
}

TEST(GradientFlow, AtCriticalPairsTheDerivativeIsMinusBTimesThePseudoInverse) {
  for (const auto& follower : testing::morse_bott_followers()) {
    SCOPED_TRACE(follower.name);
    const GradientFlow flow(follower.lower);
    const Index n = follower.x.size(), m = follower.y.size();
    const MatrixXd expected = testing::answers_derivative(*follower.lower, follower.x, follower.y);
    const auto forward = flow.sensitivity(follower.x, follower.y, MatrixXd::Identity(n, n));
    ASSERT_EQ(forward.status, Status::converged) << forward.message;
    // At rest |dS/dt| <= 1e-9, over a smallest nonzero eigenvalue of H above 1e-3.
    EXPECT_LE((forward.moves.transpose() - expected).norm(), 1e-6 * expected.norm());

    const auto point = flow.record(follower.x, follower.y);
    EXPECT_EQ(point->answer().y, follower.y);
    for (Index j = 0; j < m; ++j) {
      const auto pulled = point->pull_back(Vec::Unit(m, j));
      ASSERT_EQ(pulled.status, Status::converged) << pulled.message;
      EXPECT_LE((pulled.value - expected.col(j)).norm(), 1e-6 * expected.norm()) << "column " << j;
    }
  }
}

TEST(GradientFlow, OffTheManifoldForwardAdjointAndFiniteDifferencesAgree) {
  for (const auto& follower : testing::morse_bott_followers()) {
    SCOPED_TRACE(follower.name);
    const GradientFlow flow(follower.lower);
    const Index n = follower.x.size(), m = follower.y.size();
    const Vec start = start_near(follower, 3);
    const auto forward = flow.sensitivity(follower.x, start, MatrixXd::Identity(n, n));
    ASSERT_EQ(forward.status, Status::converged) << forward.message;
    const MatrixXd U = forward.moves.transpose();
    // [AM22, (3)], to the rate at which S was called at rest, 1e-9 of its terms.
    const auto dense = testing::dense_curvature(*follower.lower, follower.x, forward.answer.y);
    EXPECT_LE((dense.B + U * dense.H).norm(), 1e-7 * dense.B.norm());

    const auto point = flow.record(follower.x, start);
    for (Index j = 0; j < m; ++j) {
      const auto pulled = point->pull_back(Vec::Unit(m, j));
      ASSERT_EQ(pulled.status, Status::converged) << pulled.message;
      // Some 400 steps of 1e-9 each in both, the worst that can add up.
      EXPECT_LE((pulled.value - U.col(j)).norm(), 4e-7 * U.norm()) << "column " << j;
    }

    // Answers are accurate to about 1e-9 (their steps add up to less than the bound above): 1e-9 / t, plus t^2 of the
    // third order, is some 1e-5 at t = 1e-3.
    constexpr double t = 1e-3;
    Random random(5);
    const Vec dx = testing::random_vec(n, random) / std::sqrt(static_cast<double>(n));
    const Vec difference = flow.select(follower.x + t * dx, start).y - flow.select(follower.x - t * dx, start).y;
    EXPECT_LE((difference / (2 * t) - U.transpose() * dx).norm(), 2e-5 * U.norm());
  }
}

/// g times a factor: the same flow, that much faster.
std::shared_ptr<const Objective> times(double factor, const std::shared_ptr<const Objective>& g) {
  auto oracles = testing::oracles_of(g);
  const auto scaled = [factor](auto oracle) {
    return [factor, oracle](const auto&... arguments) -> Vec { return factor * oracle(arguments...); };
  };
  oracles.grad_y = scaled(oracles.grad_y);
  oracles.hess_yy = scaled(oracles.hess_yy);
  oracles.hess_xy = scaled(oracles.hess_xy);
  oracles.hess_yx = scaled(oracles.hess_yx);
  return testing::objective_of("scaled", g->dim_x(), g->dim_y(), std::move(oracles));
}

TEST(GradientFlow, ForwardAndAdjointAgreeInEveryUnitOfTimeAndAtEveryAccuracy) {
  struct Case {
    double factor, accuracy;
  };
  for (const auto& follower : testing::morse_bott_followers()) {
    for (const auto& [factor, accuracy] : {Case{1e-4, 1e-9}, {1e6, 1e-9}, {1, 1e-4}, {1, 1e-11}}) {
      SCOPED_TRACE(follower.name + " times " + std::to_string(factor) + " at " + std::to_string(accuracy));
      const GradientFlow flow(times(factor, follower.lower), {.tolerance = accuracy,
                                                              .sensitivity_tolerance = accuracy,
                                                              .relative_accuracy = accuracy,
                                                              .absolute_accuracy = 0.01 * accuracy});
      Random random(7);
      const Vec dx = testing::random_vec(follower.x.size(), random), v = testing::random_vec(follower.y.size(), random);
      const auto point = flow.record(follower.x, start_near(follower, 4));
      const auto pulled = point->pull_back(v), moved = point->push_forward(dx);
      ASSERT_EQ(pulled.status, Status::converged) << pulled.message;
      ASSERT_EQ(moved.status, Status::converged) << moved.message;
      // Both take some 50 (loosest) to 700 steps, whose errors add up.
      EXPECT_NEAR(dot(pulled.value, dx), dot(v, moved.value), 100 * accuracy * norm(v) * norm(moved.value));
    }
  }
}

TEST(GradientFlow, ALinearFlowHasItsClosedForm) {
  // For y'Ay/2 + y'Cx + b'y with eigenpairs (l, q) of A: Y(t) = y* + e^{-At} (y0 - y*), U_t' = -A^-1 (I - e^{-At}) C.
  const auto problem = testing::quadratic_problem();
  const auto& g = *problem.lower;
  const Vec x = vec({0.4, -0.2, 0.7}), y0 = vec({1, -2, 0.5, 3});
  const auto dense = testing::dense_curvature(g, x, y0);
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(dense.H);
  const Vec rest = y0 - dense.H.ldlt().solve(g.grad_y(x, y0));
  const GradientFlow flow(problem.lower);
  for (const double time : {0.0, 0.01, 0.3, 2.0, 15.0}) {
    SCOPED_TRACE(time);
    const Vec decay = (-time * solver.eigenvalues().array()).exp();
    const MatrixXd propagator = solver.eigenvectors() * decay.asDiagonal() * solver.eigenvectors().transpose();
    const Vec y = rest + propagator * (y0 - rest);
    const MatrixXd moves = -dense.H.ldlt().solve((MatrixXd::Identity(4, 4) - propagator) * dense.B.transpose().eval());
    const auto found = flow.at_time(x, y0, time, MatrixXd::Identity(3, 3));
    ASSERT_EQ(found.status, Status::converged) << found.message;
    EXPECT_EQ(found.time, time);
    // At most 300 steps of 1e-9.
    EXPECT_LE(norm(found.answer.y - y), 3e-7 * norm(y));
    EXPECT_LE((found.moves - moves).norm(), 3e-7 * (1 + moves.norm()));
    // At rest the state stays and the derivative is the same.
    const auto resting = flow.at_time(x, rest, time, MatrixXd::Identity(3, 3));
    EXPECT_LE(norm(resting.answer.y - rest), 1e-12 * norm(rest));
    EXPECT_LE((resting.moves - moves).norm(), 3e-7 * (1 + moves.norm()));
  }
}

TEST(GradientFlow, ConvergesAtTheRateOfTheSmallestNonzeroCurvature) {
  const auto follower = testing::singular_quadratic();  // 0.5
  const GradientFlow flow(follower.lower);
  const Vec start = start_near(follower, 1), rest = flow.select(follower.x, start).y;
  const auto distance = [&](double time) {
    return norm(flow.at_time(follower.x, start, time, MatrixXd()).answer.y - rest);
  };
  // By t = 8 the next curvature, 1, has fallen to e^-4 of the first.
  const double rate = std::log(distance(8) / distance(12)) / 4;
  EXPECT_NEAR(rate, 0.5, 0.01);
}

TEST(GradientFlow, IsASelection) {
  for (const auto& follower : testing::morse_bott_followers()) {
    SCOPED_TRACE(follower.name);
    const double spread = follower.spread / std::sqrt(static_cast<double>(follower.y.size()));
    SelectionCheckOptions options{.samples = 5, .spread_x = 0.1 * spread, .spread_y = spread};
    options.known = {{follower.x, follower.y}};
    const auto report = check_selection(GradientFlow(follower.lower), *follower.lower, follower.x, follower.y, options);
    EXPECT_TRUE(report.passed()) << report.text();
  }
}

TEST(GradientFlow, UnrolledDescentTendsToItAsStepsGrow) {
  // K steps of size T / K are Euler's method for the flow until T: the error falls like 1 / K.
  const auto follower = testing::matrix_factorisation();
  const Vec start = start_near(follower, 3), dx = Vec::LinSpaced(9, -1, 1);
  constexpr double kTime = 40;  // the smallest nonzero curvature is above 0.5: e^-20 of the start is left
  const GradientFlow flow(follower.lower);
  const Vec answer = flow.select(follower.x, start).y;
  const Vec moves = flow.push_forward(follower.x, start, dx).value;
  const auto errors = [&](Index steps) {
    const UnrolledSelection unrolled(
        follower.lower, std::make_shared<GradientDescentMap>(*follower.lower, kTime / static_cast<double>(steps)),
        {.steps = steps});
    const auto point = unrolled.record(follower.x, start);
    return std::pair{norm(point->answer().y - answer), norm(point->push_forward(dx).value - moves)};
  };
  const auto [y_400, u_400] = errors(400);
  const auto [y_1600, u_1600] = errors(1600);
  // Four times the steps: a quarter of the error, up to the second order in the step 40 / 400 = 0.1 times curvature.
  EXPECT_NEAR(y_400 / y_1600, 4, 1);
  EXPECT_NEAR(u_400 / u_1600, 4, 1);
  EXPECT_LE(u_1600, 0.01 * norm(moves));
}

TEST(GradientFlow, HypergradientVanishesAtTheKnownSolution) {
  const auto problem = testing::quadratic_problem();
  const auto found = GradientFlow(problem.lower).hypergradient(*problem.upper, problem.known->x, problem.y0);
  ASSERT_EQ(found.status, Status::converged) << found.message;
  EXPECT_NEAR(found.upper, problem.known->upper, 1e-7);
  EXPECT_LE(norm(found.gradient), 1e-6);  // as the accuracies above, times |f_y| of about 2
}

TEST(GradientFlow, ARecordCanBePulledBackAgain) {
  const auto follower = testing::ring_that_moves();
  const GradientFlow flow(follower.lower);
  const auto point = flow.record(follower.x, start_near(follower, 3));
  const auto first = point->pull_back(vec({0.3, 0.7}));
  point->pull_back(vec({-1, 0.1}));
  EXPECT_EQ(point->pull_back(vec({0.3, 0.7})).value, first.value);
}

TEST(GradientFlow, FewStepsBetweenCheckpointsGiveTheSameAdjoint) {
  const auto follower = testing::ring_that_moves();
  const Vec start = start_near(follower, 3), v = vec({0.3, 0.7});
  const Vec usual = GradientFlow(follower.lower).pull_back(follower.x, start, v).value;
  const Vec sparse = GradientFlow(follower.lower, {.steps_per_checkpoint = 7}).pull_back(follower.x, start, v).value;
  EXPECT_LE(norm(usual - sparse), 1e-8 * norm(usual));  // the same path, interpolated from other points
}

}  // namespace
}  // namespace bilevel
