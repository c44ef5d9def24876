// The hypergradient of a whole cleaning problem against finite differences.
#include <gtest/gtest.h>

#include "applications/blobs.hpp"
#include "bilevel/hypergradient.hpp"
#include "taylor.hpp"

namespace bilevel {
namespace {

using testing::Blobs;

/// Forty rows in double precision; c = 0.02 makes the follower converge in some hundred steps.
class CleaningHypergradient : public ::testing::Test {
 protected:
  CleaningHypergradient() {
    const Blobs blobs{.features = 4,
                      .train_rows = 40,
                      .trusted_rows = 20,
                      .test_rows = 3,
                      .distance = 2,
                      .precision = Precision::float64};
    const auto data = blobs.make();
    const LinearModelOptions model{.loss = LinearLoss::softmax, .classes = 3, .intercept = true};
    problem.name = "cleaning";
    problem.lower = training_objective(data.train.features, data.train.labels,
                                       {.model = model, .row_weights = true, .regularization = 0.02});
    problem.upper = validation_objective(data.trusted.features, data.trusted.labels, model, 40);
    Random random(7);
    x = testing::random_vec(40, random);
    direction = testing::random_vec(40, random);
    problem.x0 = x;
    problem.y0 = Vec::Zero(problem.dim_y());
    const auto curvature = measure_curvature(problem.lower->linearize(x, problem.y0), problem.dim_y());
    step_size = 0.9 / curvature.largest;
  }

  HypergradientResult unroll(Index steps) const {
    return unrolled(problem, GradientDescentMap(*problem.lower, step_size), x, problem.y0, {.steps = steps});
  }

  BilevelProblem problem;
  Vec x, direction;
  double step_size = 0;
};

TEST_F(CleaningHypergradient, UnrolledIsTheDerivativeOfTheUnrolledMap) {
  constexpr Index kSteps = 30;
  const auto result = unroll(kSteps);
  const GradientDescentMap map(*problem.lower, step_size);
  const auto phi = [&](const Vec& at) {
    Vec y = problem.y0;
    for (Index j = 0; j < kSteps; ++j) y = map.apply(at, y);
    return problem.upper->value(at, y);
  };
  EXPECT_DOUBLE_EQ(result.upper, phi(x));
  const double slope = dot(result.gradient, direction);
  testing::expect_second_order("f(x, A^k(x))", std::abs(result.upper),
                               [&](double t) { return std::abs(phi(x + t * direction) - result.upper - t * slope); });
  constexpr double t = 1e-4;
  const double central = (phi(x + t * direction) - phi(x - t * direction)) / (2 * t);
  // Truncation is of the order t^2 = 1e-8 of the slope's own size, rounding 1e-16 / t = 1e-12.
  EXPECT_NEAR(slope, central, 1e-6 * std::abs(central));
}

TEST_F(CleaningHypergradient, ManyStepsGiveTheDerivativeOfTheValueFunction) {
  const auto solve = [&](const Vec& at) {
    const auto solved = Lbfgs().solve(*problem.lower, at, problem.y0, {.tolerance = 1e-12, .max_iterations = 2000});
    EXPECT_LE(solved.residual, 1e-11) << solved.message;
    return solved.y;
  };
  const auto phi = [&](const Vec& at) { return problem.upper->value(at, solve(at)); };
  constexpr double t = 1e-3;
  const double central = (phi(x + t * direction) - phi(x - t * direction)) / (2 * t);
  // Truncation t^2 = 1e-6 of the slope's size; the solver's 1e-11 in y over t adds 1e-8.
  const double tolerance = 1e-5 * std::abs(central) + 1e-8;
  EXPECT_NEAR(dot(unroll(4000).gradient, direction), central, tolerance);
  EXPECT_NEAR(dot(implicit(problem, x, solve(x), {.tolerance = 1e-12}).gradient, direction), central, tolerance);
  // The bias of few steps is not hidden by the tolerance.
  EXPECT_GT(std::abs(dot(unroll(3).gradient, direction) - central), 10 * tolerance);
}

}  // namespace
}  // namespace bilevel
