#include <gtest/gtest.h>

#include "bilevel/lower.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

/// g = |D (y - c)|^2 / 2 with D^2 from 1 to `condition`.
std::unique_ptr<Quadratic> bowl(double condition, const Vec& centre) {
  const Index m = centre.size();
  Vec diagonal(m);
  for (Index i = 0; i < m; ++i) {
    diagonal[i] = std::pow(condition, static_cast<double>(i) / static_cast<double>(m - 1));
  }
  return std::make_unique<Quadratic>(
      "bowl", 1, m, QuadraticCoefficients{.yy = diagonal.asDiagonal(), .y = -diagonal.cwiseProduct(centre)});
}

std::shared_ptr<const Objective> rosenbrock() {
  return make_objective("rosenbrock", 1, 2,
                        [](auto, auto y) { return square(1.0 - y[0]) + 100.0 * square(y[1] - square(y[0])); });
}

LowerSolver::Options tight(double tolerance, Index iterations) {
  return {.tolerance = tolerance, .max_iterations = iterations};
}

const Vec kX = Vec::Zero(1);

TEST(GradientDescent, ReachesTheMinimiserWithAMeasuredStep) {
  const Vec centre = vec({1, -2, 3, 0.5});
  const auto lower = bowl(20, centre);
  const auto summary = GradientDescent().solve(*lower, kX, Vec::Zero(4), tight(1e-12, 2000));
  EXPECT_EQ(summary.status, Status::converged) << summary.message;
  EXPECT_LE(norm(summary.y - centre), 1e-10);  // |g_y| / lambda_min with |g_y| <= 1e-12 * 42
  EXPECT_LE(summary.residual, 1e-12 * norm(lower->grad_y(kX, Vec::Zero(4))));
  EXPECT_DOUBLE_EQ(summary.value, lower->value(kX, summary.y));
}

TEST(GradientDescent, SaysWhenTheBudgetEnds) {
  const auto lower = bowl(1e4, vec({1, 1, 1}));
  const auto summary = GradientDescent().solve(*lower, kX, Vec::Zero(3), tight(1e-10, 50));
  EXPECT_EQ(summary.status, Status::budget_reached);
  EXPECT_EQ(summary.iterations, 50);
  EXPECT_GT(summary.residual, 0);
}

TEST(GradientDescent, ATooLongStepEndsNonFiniteAndSaysSo) {
  const auto lower = bowl(20, vec({1, -2, 3, 0.5}));
  const auto summary = GradientDescent(10.0).solve(*lower, kX, Vec::Zero(4), tight(1e-10, 100000));
  EXPECT_EQ(summary.status, Status::nonfinite);
  EXPECT_NE(summary.message.find("10"), std::string::npos) << summary.message;
}

TEST(Lbfgs, ReachesClosedFormMinimisers) {
  const Vec centre = vec({1, -2, 3, 0.5});
  const auto lower = bowl(20, centre);
  const auto summary = Lbfgs().solve(*lower, kX, Vec::Zero(4), tight(1e-12, 200));
  EXPECT_EQ(summary.status, Status::converged) << summary.message;
  EXPECT_LE(norm(summary.y - centre), 1e-10);
  EXPECT_LE(summary.iterations, 30) << "a quadratic of four variables is a matter of a few iterations";
}

TEST(Lbfgs, SolvesRosenbrock) {
  const auto lower = rosenbrock();
  const auto summary = Lbfgs().solve(*lower, kX, vec({-1.2, 1}), tight(1e-10, 200));
  EXPECT_EQ(summary.status, Status::converged) << summary.message;
  // |g_y| <= 1e-10 * 233 and the smallest curvature at (1, 1) is 0.4.
  EXPECT_LE(norm(summary.y - vec({1, 1})), 1e-7);
}

TEST(Lbfgs, SolvesAnIllConditionedQuadratic) {
  const Vec centre = Vec::LinSpaced(30, -1, 1);
  const auto lower = bowl(1e6, centre);
  const auto summary = Lbfgs().solve(*lower, kX, Vec::Zero(30), tight(1e-12, 10000));
  EXPECT_EQ(summary.status, Status::converged) << summary.message;
  // |g_y| <= 1e-12 * 1.5e6 (the gradient at the start), smallest curvature 1.
  EXPECT_LE(norm(summary.y - centre), 2e-6);
}

TEST(Lbfgs, StagnatesHonestlyAtRounding) {
  const auto lower =
      make_objective("offset", 1, 2, [](auto, auto y) { return 1e6 + square(y[0] - 1.0) + 3.0 * square(y[1] + y[0]); });
  const auto summary = Lbfgs().solve(*lower, kX, vec({4, 4}), tight(0, 500));
  EXPECT_TRUE(summary.status == Status::stagnated || summary.residual == 0) << summary.message;
  // The value's rounding is 1e-10, so that y is known to its square root.
  EXPECT_LE(norm(summary.y - vec({1, -1})), 1e-4);
}

TEST(Lbfgs, ReportsBudgetInterruptAndNonFiniteStarts) {
  const auto lower = rosenbrock();
  EXPECT_EQ(Lbfgs().solve(*lower, kX, vec({-1.2, 1}), tight(1e-10, 3)).status, Status::budget_reached);

  const std::atomic<bool> stop = true;
  auto options = tight(1e-10, 100);
  options.interrupt = &stop;
  const auto interrupted = Lbfgs().solve(*lower, kX, vec({-1.2, 1}), options);
  EXPECT_EQ(interrupted.status, Status::interrupted);
  EXPECT_EQ(interrupted.iterations, 0);
  EXPECT_EQ(GradientDescent().solve(*lower, kX, vec({-1.2, 1}), options).status, Status::interrupted);

  EXPECT_EQ(Lbfgs().solve(*lower, kX, vec({std::nan(""), 1}), tight(1e-10, 100)).status, Status::nonfinite);
}

TEST(Lbfgs, DoesNotStepIntoTheRegionWhereTheValueIsNotFinite) {
  const auto lower = make_objective("barrier", 1, 1, [](auto, auto y) { return y[0] - log(y[0]); });
  const auto summary = Lbfgs().solve(*lower, kX, vec({1e-3}), tight(1e-12, 200));
  EXPECT_EQ(summary.status, Status::converged) << summary.message;
  EXPECT_NEAR(summary.y[0], 1, 1e-8);  // |g_y| <= 1e-12 * 999, curvature 1
}

TEST(Lbfgs, AnUnboundedFollowerIsNotCalledConverged) {
  const auto lower = make_objective("falling", 1, 1, [](auto, auto y) { return -exp(y[0]); });
  const auto summary = Lbfgs().solve(*lower, kX, vec({0}), tight(1e-10, 300));
  EXPECT_NE(summary.status, Status::converged) << summary.message;
}

}  // namespace
}  // namespace bilevel::testing
