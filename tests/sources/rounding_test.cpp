// What objectives say of the precision that they compute in, and what the solvers make of it.
#include <gtest/gtest.h>

#include <limits>

#include "bilevel/lower.hpp"
#include "bilevel/mixture.hpp"
#include "bilevel/network.hpp"
#include "bilevel/perturbed.hpp"
#include "methods/gradient_differences.hpp"
#include "probes.hpp"
#include "sources/linear_data.hpp"

namespace bilevel::testing {
namespace {

constexpr double kOfDouble = std::numeric_limits<double>::epsilon(), kOfFloat = std::numeric_limits<float>::epsilon();

double rounding_of(Precision precision) { return precision == Precision::float32 ? kOfFloat : kOfDouble; }

TrainingOptions cleaning() {
  return {.model = {.loss = LinearLoss::softmax, .classes = 3, .intercept = true},
          .row_weights = true,
          .regularization = 0.05};
}

/// Features that float32 holds exactly, so that both precisions have the same problem.
LinearData exact_data() {
  LinearData data(300, 40, 3, 41);
  for (double& value : data.values) value = static_cast<float>(value);
  return data;
}

TEST(Rounding, IsThatOfThePrecisionOfTheRows) {
  const LinearData data(30, 4, 3, 42);
  for (const auto precision : {Precision::float32, Precision::float64}) {
    for (const auto& rows : {data.dense(precision), data.sparse(precision)}) {
      const double expected = rounding_of(precision);
      EXPECT_EQ(training_objective(rows, data.labels, cleaning())->rounding(), expected);
      EXPECT_EQ(validation_objective(rows, data.labels, cleaning().model, 2)->rounding(), expected);
      EXPECT_EQ(network_loss(Network({.inputs = 4, .hidden = 2, .outputs = 3}), rows, data.labels, 0)->rounding(),
                expected);
    }
  }
  EXPECT_EQ(quadratic_problem().lower->rounding(), kOfDouble) << "where nothing is said";
  EXPECT_EQ(nonlinear_problem().lower->rounding(), kOfDouble);
}

TEST(Rounding, OfWhatIsMadeOfOthersIsTheWorstOfTheirs) {
  const LinearData data(30, 4, 3, 43);
  const auto of = [&](Precision precision) {
    return validation_objective(data.dense(precision), data.labels, cleaning().model, 0);
  };
  const auto coarse = of(Precision::float32), fine = of(Precision::float64);
  EXPECT_EQ(perturbed(coarse, Vec::Zero(coarse->dim_y()))->rounding(), kOfFloat);
  EXPECT_EQ(perturbed(fine, Vec::Zero(fine->dim_y()))->rounding(), kOfDouble);
  EXPECT_EQ(mixture({fine, coarse, fine}, {})->rounding(), kOfFloat);
  EXPECT_EQ(mixture({fine, fine}, {})->rounding(), kOfDouble);
  BilevelProblem problem{"mixed", fine, coarse, Vec(), Vec::Zero(fine->dim_y()), {}};
  EXPECT_EQ(problem.rounding(), kOfFloat);
  std::swap(problem.upper, problem.lower);
  EXPECT_EQ(problem.rounding(), kOfFloat);
}

TEST(Rounding, IsWhatTheAnswersAreOffBy) {
  const auto data = exact_data();
  const auto coarse = training_objective(data.dense(Precision::float32), data.labels, cleaning());
  const auto fine = training_objective(data.dense(), data.labels, cleaning());
  Random random(44);
  for (int trial = 0; trial < 5; ++trial) {
    const Vec x = random_vec(300, random), y = random_vec(fine->dim_y(), random, 0.3);
    const Vec v = random_vec(fine->dim_y(), random);
    const double size = measure_curvature(fine->linearize(x, y), fine->dim_y()).largest;
    const double of_gradient = norm(coarse->grad_y(x, y) - fine->grad_y(x, y)) / (size * (1 + norm(y)));
    const double of_product = norm(coarse->hess_yy(x, y, v) - fine->hess_yy(x, y, v)) / (size * norm(v));
    const double of_value = std::abs(coarse->value(x, y) - fine->value(x, y)) / fine->value(x, y);
    for (const double error : {of_gradient, of_product, of_value}) {
      // Rows err each its own way: their mean by less than one of them, which has some tens of roundings.
      EXPECT_LE(error, kOfFloat);
      EXPECT_GE(error, 1e-4 * kOfFloat) << "else float32 was not used";
    }
  }
}

TEST(Rounding, LimitsWhatASolveIsAskedFor) {
  const LinearData data(200, 20, 3, 45);
  Random random(46);
  const Vec x = random_vec(200, random);
  for (const auto precision : {Precision::float32, Precision::float64}) {
    const auto g = training_objective(data.dense(precision), data.labels, cleaning());
    EXPECT_EQ(g->attainable(1e-3), 1e-3) << "nothing finer than asked";
    const double tolerance = g->attainable(1e-9);
    EXPECT_EQ(tolerance, precision == Precision::float32 ? 100 * kOfFloat : 1e-9);
    const auto solved =
        Lbfgs().solve(*g, x, Vec::Zero(g->dim_y()), {.tolerance = tolerance, .max_iterations = 500, .interrupt = {}});
    EXPECT_EQ(solved.status, Status::converged) << to_string(precision) << ": " << solved.message;
  }
}

TEST(Rounding, SetsTheStepOfGradientDifferences) {
  const auto data = exact_data();
  Random random(47);
  const Vec x = random_vec(300, random);
  const auto curvature = [&](const Objective& g) {
    return measure_curvature(g.linearize(x, Vec::Zero(g.dim_y())), g.dim_y()).largest;
  };
  for (const auto precision : {Precision::float32, Precision::float64}) {
    const auto g = training_objective(data.dense(precision), data.labels, cleaning());
    // Both are within the two percent of the power iteration; differences are good to half of float32's seven digits.
    EXPECT_NEAR(curvature(GradientDifferences(*g)), curvature(*g), 0.02 * curvature(*g)) << to_string(precision);
  }
}

}  // namespace
}  // namespace bilevel::testing
