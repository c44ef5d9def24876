#include <gtest/gtest.h>

#include "bilevel/hypergradient.hpp"
#include "probes.hpp"
#include "taylor.hpp"

namespace bilevel::testing {
namespace {

double unrolled_value(const BilevelProblem& problem, const StepMap& map, const Vec& x, Vec y, Index steps) {
  for (Index j = 0; j < steps; ++j) y = map.apply(x, y);
  return problem.upper->value(x, y);
}

void expect_close(const Vec& a, const Vec& b, double relative, const std::string& what) {
  EXPECT_LE(norm(a - b), relative * norm(b)) << what;
}

TEST(Unrolled, IsTheDerivativeOfTheUnrolledValueInLeaderAndStart) {
  const auto problem = nonlinear_problem();
  const GradientDescentMap map(*problem.lower, 0.3);
  Random random(3);
  for (const Index steps : {1, 2, 5, 12}) {
    const Vec x = problem.x0, z = problem.y0, dx = random_vec(2, random), dz = random_vec(3, random);
    const auto result = unrolled(problem, map, x, z, {.steps = steps});
    ASSERT_EQ(result.status, Status::converged) << result.message;
    const double value = unrolled_value(problem, map, x, z, steps);
    EXPECT_DOUBLE_EQ(result.upper, value);
    expect_second_order("phi^k along x", std::abs(value), [&](double t) {
      return std::abs(unrolled_value(problem, map, x + t * dx, z, steps) - value - t * dot(result.gradient, dx));
    });
    expect_second_order("phi^k along z", std::abs(value), [&](double t) {
      return std::abs(unrolled_value(problem, map, x, z + t * dz, steps) - value - t * dot(result.adjoint, dz));
    });
  }
}

TEST(Unrolled, OneStepByHand) {
  // g = (y - x)^2/2, f = y^2/2, a = 1/4, x = 1, z = 2: y = 2 - (2 - 1)/4 = 7/4, d_x = a f_y = 7/16, d_z = 3/4 f_y.
  const auto lower = std::make_shared<Quadratic>(
      "g", 1, 1, QuadraticCoefficients{.yy = Eigen::MatrixXd::Identity(1, 1), .yx = -Eigen::MatrixXd::Identity(1, 1)});
  const auto upper =
      std::make_shared<Quadratic>("f", 1, 1, QuadraticCoefficients{.yy = Eigen::MatrixXd::Identity(1, 1)});
  const BilevelProblem problem{"hand", upper, lower, vec({1}), vec({2}), {}};
  const auto result = unrolled(problem, GradientDescentMap(*lower, 0.25), problem.x0, problem.y0, {.steps = 1});
  EXPECT_EQ(result.y[0], 1.75);
  EXPECT_EQ(result.gradient[0], 0.4375);
  EXPECT_EQ(result.adjoint[0], 1.3125);
  EXPECT_EQ(result.upper, 1.53125);
  EXPECT_EQ(result.lower_residual, 1);
  EXPECT_EQ(result.first_lower_residual, 1);
}

TEST(Unrolled, MemoryPlansAgree) {
  const auto problem = nonlinear_problem();
  const GradientDescentMap map(*problem.lower, 0.1);
  for (Index steps = 1; steps <= 60; ++steps) {
    const auto stored = unrolled(problem, map, problem.x0, problem.y0, {.steps = steps});
    ASSERT_EQ(stored.status, Status::converged);
    const auto compare = [&](const UnrolledOptions& options, double tolerance, const std::string& what) {
      const auto other = unrolled(problem, map, problem.x0, problem.y0, options);
      ASSERT_EQ(other.status, Status::converged) << what << ": " << other.message;
      expect_close(other.gradient, stored.gradient, tolerance, what);
      expect_close(other.adjoint, stored.adjoint, tolerance, what);
      EXPECT_EQ(other.y, stored.y) << what;
      EXPECT_EQ(other.upper, stored.upper) << what;
    };
    // The same arithmetic.
    compare({.steps = steps, .recording_bytes = 0}, 0, "nothing recorded");
    compare({.steps = steps, .recording_bytes = 3 * map.point_bytes()}, 0, "three steps recorded");
    // A gradient alone and one beside a linearisation may round differently.
    for (Index checkpoints = 1; checkpoints <= 12; ++checkpoints) {
      compare({.steps = steps, .memory = MemoryPlan::checkpoint, .checkpoints = checkpoints}, 1e-13, "checkpoint");
    }
    // Inverses lose log10 1/(1 - a L) = 0.14 digits a step: 1e-10 is kept for some 40 of them.
    if (steps <= 40) compare({.steps = steps, .memory = MemoryPlan::reversible}, 1e-10, "reversible");
  }
}

TEST(Unrolled, CheckpointPlanReportsItsExtraWork) {
  const auto problem = nonlinear_problem();
  const GradientDescentMap map(*problem.lower, 0.3);
  const auto stored = unrolled(problem, map, problem.x0, problem.y0, {.steps = 10});
  EXPECT_EQ(stored.lower_steps, 10);
  const auto few =
      unrolled(problem, map, problem.x0, problem.y0, {.steps = 10, .memory = MemoryPlan::checkpoint, .checkpoints = 2});
  EXPECT_EQ(few.lower_steps, 10 + 15 + 10) << "forward, advances (see the revolve tests), recorded steps";
}

TEST(Unrolled, StorePlanLinearisesAgainWhatDidNotFit) {
  const auto problem = nonlinear_problem();
  const GradientDescentMap map(*problem.lower, 0.3);
  const auto steps_with = [&](std::size_t bytes) {
    return unrolled(problem, map, problem.x0, problem.y0, {.steps = 10, .recording_bytes = bytes}).lower_steps;
  };
  EXPECT_EQ(steps_with(0), 20);
  EXPECT_EQ(steps_with(3 * map.point_bytes()), 17);
  EXPECT_EQ(steps_with(10 * map.point_bytes()), 10);
}

TEST(Unrolled, OracleCallsAreAsStated) {
  const auto problem = nonlinear_problem();
  const GradientDescentMap map(*problem.lower, 0.3);
  unrolled(problem, map, problem.x0, problem.y0, {.steps = 7});
  const auto lower = problem.lower->counts(), upper = problem.upper->counts();
  EXPECT_EQ(lower[Oracle::grad_y], 7u);
  EXPECT_EQ(lower[Oracle::hess_yy], 7u);
  EXPECT_EQ(lower[Oracle::hess_xy], 7u);
  EXPECT_EQ(lower.total(), 21u);
  EXPECT_EQ(upper[Oracle::value], 1u);
  EXPECT_EQ(upper[Oracle::grad_x], 1u);
  EXPECT_EQ(upper[Oracle::grad_y], 1u);
  EXPECT_EQ(upper.total(), 3u);
}

TEST(Unrolled, ReversiblePlanRefusesAStronglyAttractingFollower) {
  // a L = 0.99: each inverse expands by 100, so that 16 digits are gone after 8 steps.
  const auto lower = std::make_shared<Quadratic>(
      "g", 1, 1, QuadraticCoefficients{.yy = Eigen::MatrixXd::Identity(1, 1), .yx = -Eigen::MatrixXd::Identity(1, 1)});
  const auto upper = make_objective("f", 1, 1, [](auto, auto y) { return square(y[0]); });
  const BilevelProblem attracting{"attracting", upper, lower, vec({1}), vec({3}), {}};
  const GradientDescentMap map(*lower, 0.99);
  for (Index steps = 1; steps <= 40; ++steps) {
    const auto exact = unrolled(attracting, map, attracting.x0, attracting.y0, {.steps = steps});
    const auto result =
        unrolled(attracting, map, attracting.x0, attracting.y0, {.steps = steps, .memory = MemoryPlan::reversible});
    if (result.status == Status::converged) {
      // Right or refused, never wrong: 1e-8 is the loss of digits at the start that the plan allows itself.
      expect_close(result.gradient, exact.gradient, 1e-7, "accepted after " + std::to_string(steps));
    } else {
      EXPECT_EQ(result.status, Status::breakdown);
      EXPECT_NE(result.message.find("checkpoint"), std::string::npos) << result.message;
    }
    EXPECT_TRUE(steps < 10 || result.status == Status::breakdown) << steps;
  }
}

TEST(Unrolled, ReversiblePlanIsRightOrRefusesOnNonlinearFollowers) {
  const auto problem = nonlinear_problem();
  for (const double step_size : {0.05, 0.2, 0.35, 0.6}) {  // a L from 0.14 to 1.7
    const GradientDescentMap map(*problem.lower, step_size);
    for (const Index steps : {5, 20, 50, 100, 200}) {
      const auto exact = unrolled(problem, map, problem.x0, problem.y0, {.steps = steps});
      const auto result =
          unrolled(problem, map, problem.x0, problem.y0, {.steps = steps, .memory = MemoryPlan::reversible});
      if (result.status != Status::converged) continue;
      expect_close(result.gradient, exact.gradient, 1e-7, "accepted");
      expect_close(result.adjoint, exact.adjoint, 1e-5, "accepted");
    }
  }
}

TEST(Unrolled, ForwardModeAgreesWithReverse) {
  const auto problem = nonlinear_problem();
  const GradientDescentMap map(*problem.lower, 0.3);
  for (const Index steps : {1, 3, 10, 50}) {
    const auto reverse = unrolled(problem, map, problem.x0, problem.y0, {.steps = steps});
    const auto forward = unrolled_forward(problem, map, problem.x0, problem.y0, steps);
    expect_close(forward.gradient, reverse.gradient, 1e-12, "forward");
    EXPECT_EQ(forward.y, reverse.y);
    EXPECT_EQ(forward.upper, reverse.upper);
    EXPECT_EQ(forward.lower_residual, reverse.lower_residual);
    EXPECT_EQ(forward.first_lower_residual, reverse.first_lower_residual);
  }
}

TEST(Truncated, AllStepsAreTheUnrolledOneAndFewerApproachIt) {
  const auto problem = nonlinear_problem();
  const GradientDescentMap map(*problem.lower, 0.3);
  constexpr Index kSteps = 60;
  const auto full_path = unrolled(problem, map, problem.x0, problem.y0, {.steps = kSteps});
  for (const auto memory : {MemoryPlan::store, MemoryPlan::checkpoint}) {
    const auto all = unrolled(problem, map, problem.x0, problem.y0,
                              {.steps = kSteps, .differentiated_steps = kSteps, .memory = memory});
    EXPECT_EQ(all.gradient, full_path.gradient);
  }
  double last_error = norm(full_path.gradient);
  for (const Index differentiated : {1, 5, 10, 20, 30, 40}) {
    const auto truncated =
        unrolled(problem, map, problem.x0, problem.y0, {.steps = kSteps, .differentiated_steps = differentiated});
    const double error = norm(truncated.gradient - full_path.gradient);
    EXPECT_LT(error, last_error) << differentiated;
    EXPECT_EQ(truncated.y, full_path.y);
    EXPECT_EQ(truncated.first_lower_residual, full_path.first_lower_residual);
    EXPECT_EQ(truncated.lower_steps, kSteps);
    last_error = error;
  }
  EXPECT_LE(last_error, 1e-3 * norm(full_path.gradient));  // the terms left out are of order (1 - a mu)^40, mu > 0.6
}

TEST(Unrolled, RefusesOptionsThatMeanNothing) {
  const auto problem = nonlinear_problem();
  const GradientDescentMap map(*problem.lower, 0.3);
  const auto call = [&](UnrolledOptions options) { unrolled(problem, map, problem.x0, problem.y0, options); };
  EXPECT_THROW(call({.steps = 0}), InvalidOption);
  EXPECT_THROW(call({.steps = 5, .differentiated_steps = 6}), InvalidOption);
  EXPECT_THROW(call({.steps = 5, .differentiated_steps = -1}), InvalidOption);
  EXPECT_THROW(call({.steps = 5, .memory = MemoryPlan::checkpoint, .checkpoints = 0}), InvalidOption);
  EXPECT_THROW(unrolled_forward(problem, map, problem.x0, problem.y0, 0), InvalidOption);
  EXPECT_THROW(unrolled(problem, map, Vec::Zero(5), problem.y0, {.steps = 2}), DimensionMismatch);
}

}  // namespace
}  // namespace bilevel::testing
