// One step of BGS-Opt: order of the updates, oracle calls, memory plans, resuming.
#include <gtest/gtest.h>

#include "bgs_opt_games.hpp"
#include "bilevel/run.hpp"
#include "method_checks.hpp"

namespace bilevel::testing {
namespace {

BilevelProblem hand_problem() {
  const auto one = Eigen::MatrixXd::Identity(1, 1);
  return {"hand",
          std::make_shared<Quadratic>("f", 1, 1, QuadraticCoefficients{.yy = one, .xx = one}),
          std::make_shared<Quadratic>("g", 1, 1, QuadraticCoefficients{.yy = one, .yx = -one}),
          vec({1}),
          vec({2}),
          {}};
}

// g = (y - x)^2/2, f = (x^2 + y^2)/2, a = 1/4, M = T = 1, gamma = 1/2 from (1, 2); all numbers are dyadic, hence exact:
//   y~ = 7/4, y+ = 25/16   d = x + y+/4 = 1.390625   v = 3/4 25/16 = 75/64   xi = -v   B = -1   d + B xi = 2.5625
TEST(BgsOptStep, FollowsTheListingByHand) {
  const auto problem = hand_problem();
  const BgsOpt method(fixed_steps(1, 1, true, 0.25, 0.5));
  const auto state = method.init(problem);
  const auto report = method.step(problem, *state);
  EXPECT_EQ(state->y[0], 1.5625);
  EXPECT_EQ(bgs(*state).adjoint[0], -75.0 / 64);
  EXPECT_EQ(state->x[0], 1 - 0.5 * 2.5625) << "by the derivative at the pair before the update";
  EXPECT_EQ(state->answered_x[0], 1);
  EXPECT_EQ(state->iteration, 1);
  EXPECT_EQ(report.upper, 0.5 * (1 + 1.5625 * 1.5625));
  EXPECT_EQ(report.hypergradient_norm, 2.5625);
  EXPECT_EQ(report.lower_residual, 0.5625) << "|g_y| at y+";
  EXPECT_EQ(report.lower_steps, 2);

  method.step(problem, *state);
  const double x = 1 - 0.5 * 2.5625;
  EXPECT_EQ(state->y[0], x + 0.5625 * (1.5625 - x)) << "from the last answer";

  const BgsOpt uncorrected(fixed_steps(1, 1, false, 0.25, 0.5));
  const auto other = uncorrected.init(problem);
  EXPECT_EQ(uncorrected.step(problem, *other).hypergradient_norm, 1.390625) << "only the last step is differentiated";
  EXPECT_EQ(other->y[0], 1.5625);
}

TEST(BgsOptStep, WithoutUnrollingItIsImplicitDifferentiation) {
  const auto problem = hand_problem();
  const BgsOpt method(fixed_steps(2, 0, true, 0.25, 0.5));
  const auto state = method.init(problem);
  const auto report = method.step(problem, *state);
  EXPECT_EQ(report.hypergradient_norm, 1 + 1.5625) << "f_x - B H^-1 f_y at y+ = 25/16";
  EXPECT_EQ(state->y[0], 1.5625);
  EXPECT_EQ(report.lower_steps, 2);
}

// Two steps on a nonlinear game, where H and B differ between y, y~ and y+: the listing with a dense H.
TEST(BgsOptStep, FollowsTheListingWhereTheHessianChanges) {
  const auto problem = nonlinear_problem();
  const Objective &f = *problem.upper, &g = *problem.lower;
  constexpr double a = 0.3, gamma = 0.1;
  auto options = fixed_steps(1, 1, true, a, gamma);
  options.adjoint_tolerance = 1e-14;
  const BgsOpt method(options);
  const auto state = method.init(problem);
  Vec x = problem.x0, y = problem.y0;
  for (int step = 0; step < 2; ++step) {
    method.step(problem, *state);
    const Vec start = y - a * g.grad_y(x, y);
    y = start - a * g.grad_y(x, start);
    const Vec f_y = f.grad_y(x, y);
    const Vec v = f_y - a * g.hess_yy(x, start, f_y);
    Eigen::MatrixXd H(3, 3);
    for (Index i = 0; i < 3; ++i) H.col(i) = g.hess_yy(x, y, Vec::Unit(3, i));
    const Vec xi = -H.ldlt().solve(v);
    x -= gamma * (f.grad_x(x, y) - a * g.hess_xy(x, start, f_y) + g.hess_xy(x, y, xi));
    // H has a condition below 10, and the quantities are of order one.
    EXPECT_LE(norm(bgs(*state).adjoint - xi), 1e-12) << "step " << step;
    EXPECT_LE(norm(state->x - x), 1e-12) << "step " << step;
    EXPECT_LE(norm(state->y - y), 1e-14) << "step " << step;
  }
}

struct Calls {
  OracleCounts g, f;
};

Calls calls_of_second_step(const BgsOptOptions& options) {
  const auto problem = nonlinear_problem();
  const BgsOpt method(options);
  const auto state = method.init(problem);
  method.step(problem, *state);
  const auto lower = problem.lower->counts(), upper = problem.upper->counts();
  method.step(problem, *state);
  return {problem.lower->counts() - lower, problem.upper->counts() - upper};
}

TEST(BgsOptStep, OracleCallsAreAsTheHeaderSays) {
  for (const Index T : {0, 1, 4}) {
    for (const bool correction : {true, false}) {
      if (T == 0 && !correction) continue;
      constexpr Index M = 12;  // enough for the residual to fall to half, else values of g look for the reason
      const auto [g, f] = calls_of_second_step(fixed_steps(M, T, correction, 0.3, 0.1));
      const auto unrolled_steps = static_cast<std::uint64_t>(T);
      EXPECT_EQ(g[Oracle::grad_y], 12 + unrolled_steps + (correction ? 1 : 0)) << "T = " << T;
      EXPECT_EQ(g[Oracle::hess_xy], unrolled_steps + (correction ? 1 : 0)) << "T = " << T;
      EXPECT_EQ(g[Oracle::value], 1u) << "for the report";
      EXPECT_EQ(g[Oracle::hess_yx] + g[Oracle::grad_x], 0u);
      if (correction) {
        // Three variables: the warm start's residual, three directions and the true residual, one repeated at most.
        EXPECT_GT(g[Oracle::hess_yy], unrolled_steps);
        EXPECT_LE(g[Oracle::hess_yy], unrolled_steps + 7) << "T = " << T;
      } else {
        EXPECT_EQ(g[Oracle::hess_yy], unrolled_steps);
      }
      EXPECT_EQ(f[Oracle::value], 1u);
      EXPECT_EQ(f[Oracle::grad_x], 1u);
      EXPECT_EQ(f[Oracle::grad_y], 1u);
      EXPECT_EQ(f.total(), 3u);
    }
  }
}

TEST(BgsOptStep, NormalGradientsTakeTwoProductsEach) {
  auto options = fixed_steps(12, 0, true, 0.3, 0.1);
  options.adjoint_solver = AdjointSolver::normal_gradient;
  options.adjoint_iterations = 6;
  options.adjoint_tolerance = 1e-15;
  const auto [g, f] = calls_of_second_step(options);
  EXPECT_EQ(g[Oracle::hess_yy], 2u + 2 * 6u + 1u) << "H v and H xi to begin with, two a step, the last gradient";
}

TEST(BgsOptStep, MemoryPlansGiveTheSameRun) {
  const auto problem = nonlinear_problem();
  StopRule stop;
  stop.max_iterations = 20;
  auto options = fixed_steps(3, 8, true, 0.2, 0.1);
  const auto stored = run(problem, BgsOpt(options), stop);
  for (const auto plan : {MemoryPlan::checkpoint, MemoryPlan::reversible}) {
    options.memory = plan;
    options.checkpoints = 3;
    const auto other = run(problem, BgsOpt(options), stop);
    EXPECT_EQ(other.iterations, stored.iterations) << other.message;
    // The reversible plan recovers iterates to 1e-16 / (1 - a L)^8 with a L = 0.5: 3e-14; twenty steps add up.
    EXPECT_LE(norm(other.x - stored.x), 1e-11) << to_string(plan);
  }
}

class BgsOptResume : public ::testing::TestWithParam<BgsOptOptions> {};

TEST_P(BgsOptResume, SevenPlusTwentyThreeIsThirtyBitForBit) {
  const auto problem = flat_game().problem;
  const auto [whole, second] = expect_seven_plus_twenty_three_is_thirty(problem, BgsOpt(GetParam()));
  EXPECT_EQ(bgs(*second.state).adjoint, bgs(*whole.state).adjoint);
  EXPECT_EQ(bgs(*second.state).damped, bgs(*whole.state).damped);
  EXPECT_EQ(bgs(*second.state).image, bgs(*whole.state).image);
}

INSTANTIATE_TEST_SUITE_P(Options, BgsOptResume,
                         ::testing::Values(BgsOptOptions{}, fixed_steps(0, 2, true, 0.9, 0.1),
                                           BgsOptOptions{.warm_start_steps = 2,
                                                         .adjoint_solver = AdjointSolver::normal_gradient,
                                                         .adjoint_iterations = 3,
                                                         .leader = {.rule = LeaderRule::adam}},
                                           BgsOptOptions{.unrolled_steps = 3, .correction = false}),
                         [](const auto& setting) { return "setting" + std::to_string(setting.index); });

}  // namespace
}  // namespace bilevel::testing
