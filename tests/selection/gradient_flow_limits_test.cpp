// Where the flow's limit is not differentiable, or there is no limit, that is what is said; and quickly.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>

#include "bilevel/gradient_flow.hpp"
#include "morse_bott_examples.hpp"
#include "taylor.hpp"

namespace bilevel {
namespace {

using Eigen::MatrixXd;
using testing::vec;

void expect_breakdown(const SelectionProduct& product, const std::string& sentence) {
  EXPECT_EQ(product.status, Status::breakdown) << product.message;
  EXPECT_EQ(product.value.size(), 0);
  EXPECT_NE(product.message.find(sentence), std::string::npos) << product.message;
}

TEST(GradientFlowLimits, AWholeRingThatTheLeaderDeformsIsNotMorseBott) {
  const GradientFlow flow(testing::ring_that_deforms());
  const Vec x = vec({0}), y = vec({0.6, 0.8});
  // B' = (y_1, 0): its part along the tangent (-0.8, 0.6) is 0.48.
  const auto moved = flow.push_forward(x, y, vec({1}));
  expect_breakdown(moved, "not Morse-Bott");
  EXPECT_NE(moved.message.find("= 0.48,"), std::string::npos) << moved.message;
  expect_breakdown(flow.pull_back(x, y, vec({-0.8, 0.6})), "not Morse-Bott");
  // Linear growth is recognised by time, which the integrator's steps multiply: no budget is used up for it.
  EXPECT_LT(flow.sensitivity(x, y, MatrixXd::Identity(1, 1)).answer.work[Oracle::hess_yy], 1000u);
  // From off the ring as well.
  expect_breakdown(flow.push_forward(x, vec({0.9, 1.2}), vec({1})), "not Morse-Bott");
  expect_breakdown(flow.pull_back(x, vec({0.9, 1.2}), vec({-0.8, 0.6})), "not Morse-Bott");
  // At the poles B' is 0 or normal: the answer does not turn.
  EXPECT_EQ(flow.push_forward(x, vec({1, 0}), vec({1})).status, Status::converged);
  // From (0, 1.3) too, though nothing but rounding is left of B there.
  EXPECT_EQ(flow.push_forward(x, vec({0, 1.3}), vec({1})).status, Status::converged);
  EXPECT_EQ(flow.pull_back(x, vec({0, 1.3}), vec({1, 1})).value, vec({0}));
  EXPECT_EQ(flow.pull_back(x, vec({0.9, 1.2}), vec({0, 0})).value, vec({0}));
  EXPECT_EQ(flow.push_forward(x, vec({0.9, 1.2}), vec({0})).value, vec({0, 0}));
}

TEST(GradientFlowLimits, ASaddleIsReported) {
  const GradientFlow flow(testing::ring_that_deforms());
  const Vec x = vec({0.19}), saddle = vec({0.9, 0});
  // B' = (0.9, 0) has no part in the direction of escape, so that nothing grows: the curvature itself must tell.
  expect_breakdown(flow.push_forward(x, saddle, vec({1})), "the flow ends at a saddle");
  expect_breakdown(flow.pull_back(x, saddle, vec({1, 0})), "the flow ends at a saddle");
  // The flow stays on the line y_2 = 0 that leads into it.
  const auto point = flow.record(x, vec({0.4, 0}));
  EXPECT_EQ(point->answer().status, Status::converged);
  EXPECT_NEAR(point->answer().y[0], 0.9, 1e-8);
  expect_breakdown(point->pull_back(vec({1, 0})), "s'Hs/|s|^2 = -0.19 ");
}

TEST(GradientFlowLimits, ASaddleThatLanczosMissesShowsInTheGrowth) {
  // One curvature of -1e-4 among 200 that fall to 1e-3: 60 products do not tell it from a small positive one.
  constexpr Index m = 200, n = 2;
  Random random(1);
  Vec curvature(m);
  for (Index i = 0; i < m; ++i) curvature[i] = std::pow(1e-3, static_cast<double>(i) / (m - 1));
  curvature[m - 1] = -1e-4;
  const MatrixXd A = testing::with_eigenvalues(curvature, random);
  MatrixXd C(m, n);
  for (Index j = 0; j < n; ++j) C.col(j) = testing::random_vec(m, random);
  const auto g = std::make_shared<Quadratic>("slow saddle", n, m, QuadraticCoefficients{.yy = A, .yx = C});
  const GradientFlow flow(g);
  const Vec x = Vec::Zero(n), y = Vec::Zero(m);
  expect_breakdown(flow.push_forward(x, y, vec({1, 1})), "the flow ends at a saddle");
  expect_breakdown(flow.pull_back(x, y, testing::random_vec(m, random)), "the flow ends at a saddle");
}

TEST(GradientFlowLimits, AGenericStartReachesTheMinimumThatIsLeftAndIsDifferentiable) {
  const auto g = testing::ring_that_deforms();
  const GradientFlow flow(g);
  for (const double x : {0.19, 0.5}) {
    const auto moved = flow.sensitivity(vec({x}), vec({0.8, 0.3}), MatrixXd::Identity(1, 1));
    ASSERT_EQ(moved.status, Status::converged) << moved.message;
    EXPECT_NEAR(moved.answer.y[0], 0, 1e-7);  // |g_y| = 1e-9 over the smallest curvature, x
    EXPECT_NEAR(moved.answer.y[1], 1, 1e-7);
    // (0, 1) stays the answer for every x > 0.
    EXPECT_LE(moved.moves.norm(), 1e-5);
    const auto pulled = flow.pull_back(vec({x}), vec({0.8, 0.3}), vec({0.3, 0.7}));
    ASSERT_EQ(pulled.status, Status::converged) << pulled.message;
    EXPECT_LE(norm(pulled.value), 1e-5);
  }
}

TEST(GradientFlowLimits, ASaddleAndAManifoldAreToldApartAtALooseTolerance) {
  // Curvature -1e-3 beside the manifold is inexactness, that of the saddle at x = 1e-3 is not.
  const GradientFlowOptions loose{.tolerance = 1e-4, .relative_accuracy = 1e-4, .absolute_accuracy = 1e-6};
  const GradientFlow deformed(testing::ring_that_deforms(), loose);
  expect_breakdown(deformed.pull_back(vec({1e-3}), vec({0.4, 0}), vec({1, 0})), "the flow ends at a saddle");
  EXPECT_EQ(deformed.pull_back(vec({1e-3}), vec({0.8, 0.3}), vec({1, 0})).status, Status::converged);
  const auto ring = testing::ring_that_moves();
  const GradientFlow moved(ring.lower, loose);
  for (const double inside : {0.7, 0.8, 0.9, 0.95}) {
    const Vec centre = vec({ring.x[0], 0.5 * ring.x[0]});
    const Vec start = centre + inside * (ring.y - centre);
    EXPECT_EQ(moved.pull_back(ring.x, start, vec({0.3, 0.7})).status, Status::converged);
    EXPECT_EQ(moved.push_forward(ring.x, start, vec({0.3, 0.7})).status, Status::converged);
  }
}

TEST(GradientFlowLimits, AMinimumWithoutCurvatureIsNotMorseBott) {
  // y^4 / 4 - x y at x = 0: the answer cbrt(x) has an infinite derivative.
  const GradientFlow flow(testing::quartic());
  expect_breakdown(flow.push_forward(vec({0}), vec({0}), vec({1})), "not Morse-Bott");
  expect_breakdown(flow.pull_back(vec({0}), vec({0}), vec({1})), "not Morse-Bott");
  // Away from it everything is smooth: d cbrt(x) / dx = 1 / (3 cbrt(x)^2) = 1 / 12 at x = 8.
  EXPECT_NEAR(flow.push_forward(vec({8}), vec({1}), vec({1})).value[0], 1.0 / 12, 1e-7);
}

TEST(GradientFlowLimits, AFollowerWithoutMinimumRunsAway) {
  const auto slope = make_objective("slope", 1, 1, [](auto x, auto y) { return x[0] * y[0]; });
  const auto answer = GradientFlow(slope).select(vec({1}), vec({0}));
  EXPECT_EQ(answer.status, Status::diverged) << answer.message;
  EXPECT_EQ(GradientFlow(slope).pull_back(vec({1}), vec({0}), vec({1})).status, Status::lower_failed);
  // -y^4 reaches infinity in finite time.
  const auto cliff = make_objective("cliff", 1, 1, [](auto x, auto y) { return x[0] - square(square(y[0])); });
  const auto fallen = GradientFlow(cliff).select(vec({1}), vec({1}));
  EXPECT_NE(fallen.status, Status::converged) << fallen.message;
  EXPECT_LT(fallen.iterations, 10000);
}

TEST(GradientFlowLimits, BudgetsEndIt) {
  const auto follower = testing::ring_that_moves();
  const Vec start = follower.y + vec({0.2, 0.1}), dx = vec({1, 0});
  const auto select = [&](GradientFlowOptions options) {
    return GradientFlow(follower.lower, options).select(follower.x, start);
  };
  const auto few_steps = select({.max_steps = 5});
  EXPECT_EQ(few_steps.status, Status::budget_reached);
  EXPECT_EQ(few_steps.iterations, 5);
  const auto short_time = select({.end_time = 0.5});
  EXPECT_EQ(short_time.status, Status::budget_reached);
  EXPECT_NE(short_time.message.find("at time 0.5"), std::string::npos) << short_time.message;
  const auto few_products = select({.max_products = 20});
  EXPECT_EQ(few_products.status, Status::budget_reached) << few_products.message;
  EXPECT_LE(few_products.work[Oracle::hess_yy], 20u);
  EXPECT_EQ(GradientFlow(follower.lower, {.max_products = 300}).push_forward(follower.x, follower.y, dx).status,
            Status::budget_reached);
  const std::atomic<bool> stop = true;
  EXPECT_EQ(select({.interrupt = &stop}).status, Status::interrupted);
}

TEST(GradientFlowLimits, NumbersThatAreNotFiniteEndIt) {
  const auto follower = testing::ring_that_moves();
  auto oracles = testing::oracles_of(follower.lower);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Vec start = follower.y + vec({0.2, 0.1});
  oracles.hess_yy = [nan](const Vec&, const Vec& y, const Vec&) { return Vec::Constant(y.size(), nan); };
  const GradientFlow no_products(testing::objective_of("NaN products", 2, 2, oracles));
  EXPECT_NE(no_products.select(follower.x, start).status, Status::converged);
  EXPECT_EQ(no_products.push_forward(follower.x, follower.y, vec({1, 0})).status, Status::nonfinite);
  oracles.grad_y = [nan](const Vec&, const Vec& y) { return Vec::Constant(y.size(), nan); };
  const auto answer = GradientFlow(testing::objective_of("NaN", 2, 2, oracles)).select(follower.x, start);
  EXPECT_EQ(answer.status, Status::nonfinite) << answer.message;
}

TEST(GradientFlowLimits, WhatAnOracleThrowsComesThroughTheIntegrator) {
  struct Unplugged : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  const auto follower = testing::ring_that_moves();
  const Vec start = follower.y + vec({0.2, 0.1});
  const auto broken = [&](auto&& alter) {
    auto oracles = testing::oracles_of(follower.lower);
    alter(oracles);
    return GradientFlow(testing::objective_of("broken", 2, 2, oracles));
  };
  const auto fails = [](const Vec&, const Vec&, const Vec&) -> Vec { throw Unplugged("pulled"); };
  const auto no_h = broken([&](testing::Oracles& oracles) { oracles.hess_yy = fails; });
  EXPECT_THROW(no_h.select(follower.x, start), Unplugged);
  const auto no_b = broken([&](testing::Oracles& oracles) { oracles.hess_xy = fails; });
  EXPECT_THROW(no_b.pull_back(follower.x, start, vec({1, 0})), Unplugged);
  const auto no_bt = broken([&](testing::Oracles& oracles) { oracles.hess_yx = fails; });
  EXPECT_THROW(no_bt.push_forward(follower.x, start, vec({1, 0})), Unplugged);
  // It is still usable for what does not need the missing product.
  EXPECT_EQ(no_bt.pull_back(follower.x, start, vec({1, 0})).status, Status::converged);
  const auto without = broken([](testing::Oracles& oracles) { oracles.hess_yx = nullptr; });
  EXPECT_THROW(without.push_forward(follower.x, start, vec({1, 0})), MissingOracle);
}

TEST(GradientFlowLimits, RefusesMisuseInASentence) {
  const auto follower = testing::ring_that_moves();
  const auto make = [&](GradientFlowOptions options) { GradientFlow flow(follower.lower, options); };
  EXPECT_THROW(make({.tolerance = 0}), InvalidOption);
  EXPECT_THROW(make({.sensitivity_tolerance = 1}), InvalidOption);
  EXPECT_THROW(make({.relative_accuracy = 1}), InvalidOption);
  EXPECT_THROW(make({.absolute_accuracy = std::nan("")}), InvalidOption);
  EXPECT_THROW(make({.end_time = std::numeric_limits<double>::infinity()}), InvalidOption);
  EXPECT_THROW(make({.max_steps = 0}), InvalidOption);
  EXPECT_THROW(make({.krylov_dimension = 0}), InvalidOption);
  auto oracles = testing::oracles_of(follower.lower);
  oracles.hess_yy = nullptr;
  EXPECT_THROW(GradientFlow(testing::objective_of("first order", 2, 2, oracles)), MissingOracle);
  const GradientFlow flow(follower.lower);
  EXPECT_THROW(flow.sensitivity(follower.x, follower.y, MatrixXd::Identity(3, 3)), DimensionMismatch);
  EXPECT_THROW(flow.at_time(follower.x, follower.y, -1, MatrixXd()), InvalidInput);
}

}  // namespace
}  // namespace bilevel
