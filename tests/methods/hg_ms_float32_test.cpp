// HG-MS on passes in float32: the hypergradient of the problem in double, as far as the digits go.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "bilevel/linear_models.hpp"
#include "bilevel/run.hpp"
#include "hg_ms_games.hpp"
#include "lower/manifold_point.hpp"
#include "sources/linear_data.hpp"

namespace bilevel::testing {
namespace {

/// Weights of 120 rows, softmax of 10 features in 3 classes, penalty; features that float32 holds exactly. Without a
/// penalty on the intercepts these may all move alike: S(x) is then a line along which f does not change.
BilevelProblem cleaning_game(Precision precision, bool penalize_intercept) {
  const auto rows = [](std::size_t count, std::uint64_t seed) {
    LinearData data(count, 10, 3, seed);
    for (double& value : data.values) value = static_cast<float>(value);
    for (std::size_t i = 0; i < count; ++i) {  // labels that can be learned, every fourth wrong
      const auto* row = &data.values[10 * i];
      const auto best = std::max_element(row, row + 3) - row;
      data.labels[i] = static_cast<std::int32_t>((best + (i % 4 == 0 ? 1 : 0)) % 3);
    }
    return data;
  };
  const auto train = rows(120, 51), trusted = rows(60, 52);
  const LinearModelOptions model{.loss = LinearLoss::softmax, .classes = 3, .intercept = true};
  BilevelProblem problem;
  problem.name = "cleaning";
  problem.lower = training_objective(
      train.dense(precision), train.labels,
      {.model = model, .row_weights = true, .regularization = 0.01, .penalize_intercept = penalize_intercept});
  problem.upper = validation_objective(trusted.dense(precision), trusted.labels, model, 120);
  problem.x0 = Vec::Zero(120);
  problem.y0 = Vec::Zero(problem.dim_y());
  return problem;
}

class InFloat32 : public ::testing::TestWithParam<bool> {};

TEST_P(InFloat32, TheHypergradientIsThatOfTheProblemInDouble) {
  const auto coarse = cleaning_game(Precision::float32, GetParam());
  const auto fine = cleaning_game(Precision::float64, GetParam());
  Random random(53);
  for (int trial = 0; trial < 3; ++trial) {
    const Vec x = random_vec(120, random);
    const auto expected = selected(fine, x, fine.y0), found = selected(coarse, x, coarse.y0);
    ASSERT_EQ(expected.status, Status::converged) << expected.message;
    ASSERT_EQ(found.status, Status::converged) << found.message;
    EXPECT_EQ(expected.kernel_dimension, GetParam() ? 0 : 1);
    EXPECT_EQ(found.kernel_dimension, expected.kernel_dimension);
    EXPECT_FALSE(found.kink) << "answers that differ by rounding are one";
    // |H| / least curvature is below 100: so many times float32's 1e-7. On a line of answers y is critical up to ten
    // roundings of |H| (1 + |y|) only, and |y| some times longer.
    const double error = norm(found.pieces[0].gradient - expected.pieces[0].gradient);
    EXPECT_LE(error, (GetParam() ? 1e-5 : 3e-4) * norm(expected.pieces[0].gradient));
    EXPECT_NEAR(found.pieces[0].upper, expected.pieces[0].upper, 1e-5);
  }
}

TEST_P(InFloat32, ARunTakesTheStepsOfTheRunInDouble) {
  const StopRule stop{.max_iterations = 15};
  const auto coarse = run(cleaning_game(Precision::float32, GetParam()), HgMs(), stop);
  const auto fine = run(cleaning_game(Precision::float64, GetParam()), HgMs(), stop);
  EXPECT_EQ(coarse.status, Status::budget_reached) << coarse.message;
  ASSERT_EQ(coarse.iterations, fine.iterations);
  EXPECT_LT(coarse.upper, 0.9 * coarse.trace.front().report.upper);
  EXPECT_NEAR(coarse.upper, fine.upper, 1e-4 * fine.upper) << "errors of 1e-5 in each of 15 steps";
}

TEST_P(InFloat32, WhatPassesForDoubleIsNotSettled) {
  auto problem = cleaning_game(Precision::float32, GetParam());
  auto silent = oracles_of(problem.lower);
  silent.rounding = std::numeric_limits<double>::epsilon();
  problem.lower = objective_of("silent", problem.dim_x(), problem.dim_y(), std::move(silent));
  EXPECT_EQ(selected(problem, problem.x0, problem.y0).status, Status::lower_failed);
}

INSTANTIATE_TEST_SUITE_P(Intercepts, InFloat32, ::testing::Bool(),
                         [](const auto& penalised) { return penalised.param ? "penalised" : "free"; });

// Nothing of this reaches problems in double: what their rounding leaves is below every tolerance of the selection.
TEST(InDouble, TolerancesAreThoseAskedFor) {
  const double rounding = cleaning_game(Precision::float64, true).rounding();
  for (const double tolerance : {1e-14, 1e-13, 1e-12, 1e-10}) EXPECT_EQ(negligible(tolerance, rounding), tolerance);
}

}  // namespace
}  // namespace bilevel::testing
