// Where HG-MS has no gradient to give: kinks, degenerate selections, no selection, and what it refuses.
#include <gtest/gtest.h>

#include "bilevel/registry.hpp"
#include "bilevel/run.hpp"
#include "flat_game.hpp"
#include "hg_ms_games.hpp"

namespace bilevel::testing {
namespace {

TEST(ManifoldKinks, StandAtEveryZeroOfHAndNowhereElse) {
  const auto problem = kinked_game();
  for (const double x : {-0.5, 0.5}) {
    const auto report = selected(problem, vec({x}), problem.y0);
    ASSERT_EQ(report.status, Status::converged) << report.message;
    EXPECT_TRUE(report.kink) << "x = " << x;
    ASSERT_GE(report.pieces.size(), 2u);
    for (const auto& piece : report.pieces) {
      EXPECT_NEAR(piece.gradient[0], 2 * x * piece.y[0], 1e-10) << "each piece's own G";
    }
    // F = -|h| falls on both sides with slope 1. The pieces are a sample of the ring: a bound, from above.
    for (const double e : {1.0, -1.0}) {
      const double bound = one_sided_derivative(report, vec({e}));
      EXPECT_GE(bound, -1 - 1e-10);
      EXPECT_LT(bound, 0);
      auto extended = report;
      Random random(2);
      SelectionMemory memory;
      ASSERT_TRUE(add_piece_along(problem, vec({x}), vec({e}), {}, random, memory, extended));
      // The extreme point of the ring is found up to the polish, 1e-9 of |f_y| over a curvature of the same size.
      EXPECT_NEAR(one_sided_derivative(extended, vec({e})), -1, 1e-8);
    }
  }
  for (const double x : {-0.6, -0.3, 0.2, 0.45, 0.9}) {
    const auto report = selected(problem, vec({x}), problem.y0);
    ASSERT_EQ(report.status, Status::converged) << report.message;
    EXPECT_FALSE(report.kink) << "x = " << x;
    const double h = x * x - 0.25;
    // f_y = h e_1 and the intrinsic curvature |h|: the polish leaves 1e-9 in y, hence in G.
    EXPECT_NEAR(report.pieces[0].upper, -std::abs(h), 1e-11);
    EXPECT_NEAR(report.pieces[0].gradient[0], h > 0 ? -2 * x : 2 * x, 1e-8);
    EXPECT_NEAR(one_sided_derivative(report, vec({1})), report.pieces[0].gradient[0], 0);
  }
}

// Beyond x = 1/2 the tracked answer (1, 0) is the greatest f on the ring: stationary to rounding, and the wrong one.
TEST(ManifoldKinks, ATrackedAnswerIsLeftWhereXCrossesOne) {
  auto problem = kinked_game();
  problem.upper =
      make_objective("f", 1, 2, [](auto x, auto y) { return (square(x[0]) - 0.25) * y[0] + 2.0 * square(x[0] - 1.0); });
  HgMsOptions options{.explore_every = 1000, .explore_move = 1000, .explore_jump = 1000};
  options.leader.step_size = 0.05;
  const HgMs method(options);
  const auto state = method.init(problem);
  for (int i = 0; i < 100; ++i) {
    const auto report = method.step(problem, *state);
    ASSERT_EQ(report.status, Status::converged) << report.message;
    const double x = state->answered_x[0];
    // The polish leaves the square of 1e-9 in f.
    EXPECT_NEAR(report.upper, -std::abs(x * x - 0.25) + 2 * (x - 1) * (x - 1), 1e-11) << "x = " << x;
  }
  EXPECT_EQ(hg(*state).explorations, 2) << "the first, and the one at the kink";
  // F = 1/4 - x^2 + 2 (x - 1)^2 there, least at 2; each step takes a tenth of the way: 0.9^90 of 1.5.
  EXPECT_NEAR(state->x[0], 2, 5e-4);
}

TEST(ManifoldKinks, OneSidedDerivativesRefuseWhatTheyCannotAnswer) {
  EXPECT_THROW(one_sided_derivative({}, vec({1})), InvalidInput);
  const auto problem = kinked_game();
  const auto report = selected(problem, problem.x0, problem.y0);
  EXPECT_THROW(one_sided_derivative(report, vec({1, 2})), DimensionMismatch);
  Random random(2);
  SelectionMemory memory;
  auto extended = report;
  EXPECT_THROW(add_piece_along(problem, problem.x0, vec({0}), {}, random, memory, extended), InvalidInput);
  EXPECT_THROW(add_piece_along(problem, problem.x0, vec({1, 2}), {}, random, memory, extended), DimensionMismatch);
  extended.pieces.clear();
  EXPECT_THROW(add_piece_along(problem, problem.x0, vec({1}), {}, random, memory, extended), InvalidInput);
}

TEST(ManifoldDegeneracy, IsReportedWhereTheSelectionIsOnlyHoelder) {
  const auto problem = hoelder_game();
  for (const double x : {-1.0, -0.2, 0.5, 2.0}) {
    const auto report = selected(problem, vec({x}), problem.y0);
    ASSERT_EQ(report.status, Status::converged) << report.message;
    EXPECT_FALSE(report.degenerate) << "x = " << x;
    // |P f_y| <= 1e-9 of the largest |f_y| met, some 1e2 on this quartic, over curvatures of at least one.
    EXPECT_NEAR(report.pieces[0].gradient[0], -std::cbrt(x), 1e-6) << "x = " << x;
    EXPECT_NEAR(*report.intrinsic_curvature, 3 * std::pow(std::cbrt(x), 2), 1e-5);
  }
  const auto at = selected(problem, vec({0}), problem.y0);
  ASSERT_EQ(at.status, Status::converged) << at.message;
  EXPECT_TRUE(at.degenerate) << "curvature " << *at.intrinsic_curvature;
  EXPECT_FALSE(at.kink) << "F is differentiable at 0";
}

TEST(HgMsFailures, AnUpperObjectiveThatFallsWithoutBoundAlongTheManifoldIsNamed) {
  const auto result = run(flat_game().problem, HgMs());
  EXPECT_EQ(result.status, Status::lower_failed);
  EXPECT_NE(result.message.find("without bound"), std::string::npos) << result.message;
}

TEST(HgMsFailures, AFollowerWithoutMinimiserIsNamed) {
  auto lower =
      make_objective("falls", 1, 2, [](auto, auto y) { return exp(y[0]) + 0.5 * square(y[1]) - 2.0 * exp(-y[0]); });
  auto upper = make_objective("f", 1, 2, [](auto x, auto y) { return 0.5 * square(y[0] - x[0]); });
  const auto result = run({"endless", upper, lower, vec({1}), vec({-0.5, 0.2}), {}}, HgMs());
  EXPECT_EQ(result.status, Status::lower_failed) << result.message;
  EXPECT_NE(result.message.find("no minimiser of the follower"), std::string::npos) << result.message;
  EXPECT_TRUE(all_finite(result.x) && all_finite(result.y));
}

TEST(HgMsFailures, NumbersThatAreNotFiniteEndTheRunAndAreNamed) {
  for (const int broken : {0, 1, 2, 3}) {
    auto problem = sphere_problem(sphere_game(1, 6));
    auto lower = oracles_of(problem.lower), upper = oracles_of(problem.upper);
    const auto nan = std::nan("");
    if (broken == 0) lower.value = [nan](const Vec&, const Vec&) { return nan; };
    if (broken == 1) lower.hess_yy = [nan](const Vec&, const Vec&, const Vec& v) -> Vec { return nan * v; };
    if (broken == 2) upper.grad_y = [nan](const Vec&, const Vec& y) -> Vec { return nan * y; };
    if (broken == 3) lower.hess_xy = [nan](const Vec& x, const Vec&, const Vec&) -> Vec { return nan * x; };
    problem.lower = objective_of("g", 2, 6, lower);
    problem.upper = objective_of("f", 2, 6, upper);
    const auto result = run(problem, HgMs());
    EXPECT_EQ(result.status, Status::nonfinite) << broken << ": " << result.message;
    EXPECT_NE(result.message.find("not finite"), std::string::npos) << result.message;
    EXPECT_EQ(result.x, problem.x0) << broken;
  }
}

TEST(HgMsFailures, MissingOraclesAreAllNamedBeforeTheFirstStep) {
  auto problem = quadratic_problem();
  auto lower = oracles_of(problem.lower), upper = oracles_of(problem.upper);
  lower.value = nullptr;
  lower.hess_xy = nullptr;
  upper.grad_x = nullptr;
  problem.lower = objective_of("poor g", 3, 4, lower);
  problem.upper = objective_of("poor f", 3, 4, upper);
  try {
    HgMs().init(problem);
    FAIL() << "three oracles are missing";
  } catch (const MissingOracle& error) {
    const std::string message = error.what();
    for (const std::string part : {"hg_ms", "grad_x of 'poor f'", "value, hess_xy of 'poor g'"}) {
      EXPECT_NE(message.find(part), std::string::npos) << message << " lacks " << part;
    }
  }
}

TEST(HgMsOptionsCheck, ValuesThatMakeNoSenseAreRefusedByName) {
  const auto expect_refused = [](const std::string& part, auto change) {
    HgMsOptions options;
    change(options);
    try {
      const HgMs method(options);
      FAIL() << part << " was accepted";
    } catch (const InvalidOption& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  expect_refused("exploration-samples", [](HgMsOptions& o) { o.selection.samples = -1; });
  expect_refused("polished", [](HgMsOptions& o) { o.selection.polished = 0; });
  expect_refused("kernel-tolerance", [](HgMsOptions& o) { o.selection.kernel_tolerance = 0; });
  expect_refused("polish-tolerance", [](HgMsOptions& o) { o.selection.polish_tolerance = std::nan(""); });
  expect_refused("polish-iterations", [](HgMsOptions& o) { o.selection.polish_iterations = 0; });
  expect_refused("tie-tolerance", [](HgMsOptions& o) { o.selection.tie_tolerance = -1; });
  expect_refused("explore-every", [](HgMsOptions& o) { o.explore_every = 0; });
  expect_refused("explore-move", [](HgMsOptions& o) { o.explore_move = -1; });
  expect_refused("penalty-weight", [](HgMsOptions& o) { o.penalty_weight = 0; });
  expect_refused("outer-step-size", [](HgMsOptions& o) { o.leader.step_size = -1; });
}

TEST(HgMsOptionsCheck, TheRegistryMakesItWithSettings) {
  const auto method = make_method("hg_ms", {{"selection", "pessimistic"},
                                            {"exploration", "langevin"},
                                            {"exploration-samples", "7"},
                                            {"differentiation", "penalty"},
                                            {"exploration-seed", "9"}});
  ASSERT_EQ(method->name(), "hg_ms");
  const auto& options = dynamic_cast<const HgMs&>(*method).options();
  EXPECT_EQ(options.selection.selection, ManifoldSelection::pessimistic);
  EXPECT_EQ(options.selection.exploration, Exploration::langevin);
  EXPECT_EQ(options.selection.samples, 7);
  EXPECT_EQ(options.hypergradient, ManifoldHypergradient::penalty);
  EXPECT_EQ(options.seed, 9u);
}

}  // namespace
}  // namespace bilevel::testing
