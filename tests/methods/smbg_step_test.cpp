// One step of SMBG: order of the updates, oracle calls, options.
#include <gtest/gtest.h>

#include "bilevel/run.hpp"
#include "bilevel/smbg.hpp"
#include "method_checks.hpp"
#include "probes.hpp"

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

SmbgOptions fixed_steps(Index k, double a, double a_f) {
  SmbgOptions options{.inner_steps = k, .inner_step_size = a};
  options.leader = {.rule = LeaderRule::gradient_descent, .step_size = a_f};
  return options;
}

// g = (y - x)^2/2, f = (x^2 + y^2)/2, a = 1/4, k = 2, a_f = 1/2 from (1, 2); all numbers are dyadic, hence exact:
//   y: 2, 7/4, 25/16     v = 25/16, 75/64     u = 1 + v/4 + v'/4 = 1.68359375     x = 1 - u/2
TEST(SmbgStep, FollowsThePaperByHand) {
  const auto problem = hand_problem();
  const Smbg method(fixed_steps(2, 0.25, 0.5));
  const auto state = method.init(problem);
  const auto report = method.step(problem, *state);
  EXPECT_EQ(state->y[0], 1.5625) << "y_1 = A^2(x_0, y_0), at the leader before its update";
  EXPECT_EQ(state->x[0], 1 - 0.5 * 1.68359375) << "the derivative at the pair before the update";
  EXPECT_EQ(state->answered_x[0], 1);
  EXPECT_EQ(state->iteration, 1);
  EXPECT_EQ(report.upper, 0.5 * (1 + 1.5625 * 1.5625));
  EXPECT_EQ(report.hypergradient_norm, 1.68359375);
  EXPECT_EQ(report.lower_residual, 0.75) << "|g_y| before the last inner step";
  EXPECT_EQ(report.lower_steps, 2);

  method.step(problem, *state);
  const double x = 1 - 0.5 * 1.68359375;
  EXPECT_EQ(state->y[0], x + 0.5625 * (1.5625 - x)) << "warm: y_2 = A^2(x_1, y_1)";
}

TEST(SmbgStep, ColdStartBeginsAtTheProblemsStart) {
  const auto problem = hand_problem();
  auto options = fixed_steps(2, 0.25, 0.5);
  options.warm_start = false;
  const Smbg method(options);
  const auto state = method.init(problem);
  method.step(problem, *state);
  const double x = state->x[0];
  method.step(problem, *state);
  EXPECT_EQ(state->y[0], x + 0.5625 * (2 - x));
}

TEST(SmbgStep, OracleCallsAreAsTheHeaderSays) {
  const auto problem = nonlinear_problem();
  const Smbg method(fixed_steps(7, 0.3, 0.1));
  const auto state = method.init(problem);
  for (int step = 0; step < 5; ++step) {
    const auto lower = problem.lower->counts(), upper = problem.upper->counts();
    method.step(problem, *state);
    const auto g = problem.lower->counts() - lower, f = problem.upper->counts() - upper;
    EXPECT_EQ(g[Oracle::grad_y], 7u);
    EXPECT_EQ(g[Oracle::hess_yy], 7u);
    EXPECT_EQ(g[Oracle::hess_xy], 7u);
    EXPECT_EQ(g[Oracle::value], 1u) << "for the report";
    EXPECT_EQ(g.total(), 22u);
    EXPECT_EQ(f[Oracle::value], 1u);
    EXPECT_EQ(f[Oracle::grad_x], 1u);
    EXPECT_EQ(f[Oracle::grad_y], 1u);
    EXPECT_EQ(f.total(), 3u);
  }
}

TEST(SmbgStep, MeasuringTheCurvatureIsCountedOnTop) {
  const auto problem = nonlinear_problem();
  const auto products = measure_curvature(problem.lower->linearize(problem.x0, problem.y0), problem.dim_y()).products;
  SmbgOptions options{.inner_steps = 30};
  options.leader.step_size = 1e-3;
  const Smbg method(options);
  const auto state = method.init(problem);
  const auto start = problem.lower->counts();
  method.step(problem, *state);
  const auto first = problem.lower->counts();
  EXPECT_EQ((first - start)[Oracle::hess_yy], 30u + static_cast<std::uint64_t>(products));
  EXPECT_EQ((first - start)[Oracle::grad_y], 30u);
  method.step(problem, *state);
  EXPECT_EQ((problem.lower->counts() - first)[Oracle::hess_yy], 30u) << "x has not moved far";
}

TEST(SmbgStep, OtherHypergradientsCallWhatTheyNeed) {
  const auto problem = nonlinear_problem();
  const auto calls = [&](HypergradientKind kind) {
    auto options = fixed_steps(6, 0.3, 0.1);
    options.hypergradient = kind;
    options.truncated_steps = 2;
    const Smbg method(options);
    const auto state = method.init(problem);
    const auto before = problem.lower->counts();
    method.step(problem, *state);
    return problem.lower->counts() - before;
  };
  const auto truncated = calls(HypergradientKind::truncated);
  EXPECT_EQ(truncated[Oracle::grad_y], 6u);
  EXPECT_EQ(truncated[Oracle::hess_yy], 2u);
  EXPECT_EQ(truncated[Oracle::hess_xy], 2u);
  const auto forward = calls(HypergradientKind::forward);
  EXPECT_EQ(forward[Oracle::grad_y], 6u);
  EXPECT_EQ(forward[Oracle::hess_yy], 12u) << "one for each leader variable";
  EXPECT_EQ(forward[Oracle::hess_yx], 12u);
  const auto implicit_calls = calls(HypergradientKind::implicit);
  EXPECT_EQ(implicit_calls[Oracle::grad_y], 7u);
  EXPECT_EQ(implicit_calls[Oracle::hess_xy], 1u);
  EXPECT_LE(implicit_calls[Oracle::hess_yy], 5u) << "conjugate gradients on three variables and the residual";
}

TEST(SmbgStep, MissingOraclesAreAllNamedBeforeTheFirstStep) {
  auto problem = quadratic_problem();
  auto lower = oracles_of(problem.lower), upper = oracles_of(problem.upper);
  lower.hess_xy = nullptr;
  lower.hess_yx = nullptr;
  upper.grad_x = nullptr;
  problem.lower = objective_of("poor g", 3, 4, lower);
  problem.upper = objective_of("poor f", 3, 4, upper);
  for (const auto kind : {HypergradientKind::unrolled, HypergradientKind::forward}) {
    SmbgOptions options;
    options.hypergradient = kind;
    try {
      Smbg(options).init(problem);
      FAIL() << "an oracle is missing";
    } catch (const MissingOracle& error) {
      const std::string message = error.what();
      for (const std::string part : {"smbg", "grad_x of 'poor f'", "hess_xy", "of 'poor g'"}) {
        EXPECT_NE(message.find(part), std::string::npos) << message << " lacks " << part;
      }
      EXPECT_EQ(message.find("hess_yx of") != std::string::npos, kind == HypergradientKind::forward) << message;
    }
  }
}

TEST(SmbgOptionsCheck, ValuesOutOfRangeAreRejectedByName) {
  const auto expect_refused = [](const std::string& option, auto change) {
    expect_refused_by_name<Smbg, SmbgOptions>(option, change);
  };
  expect_refused("inner-steps", [](SmbgOptions& o) { o.inner_steps = 0; });
  expect_refused("max-inner-steps", [](SmbgOptions& o) { o.max_inner_steps = 0; });
  expect_refused("inner-step-size", [](SmbgOptions& o) { o.inner_step_size = -0.1; });
  expect_refused("inner-step-size", [](SmbgOptions& o) { o.inner_step_size = std::nan(""); });
  expect_refused("truncated-steps", [](SmbgOptions& o) { o.truncated_steps = 0; });
  expect_refused("checkpoints", [](SmbgOptions& o) { o.checkpoints = 0; });
  expect_refused("cg-tolerance", [](SmbgOptions& o) { o.cg_tolerance = 2; });
  expect_refused("cg-iterations", [](SmbgOptions& o) { o.cg_iterations = -1; });
  expect_refused("outer-step-size", [](SmbgOptions& o) { o.leader.step_size = 0; });
  expect_refused("first-decay", [](SmbgOptions& o) { o.leader.first_decay = 1; });
  expect_refused("second-decay", [](SmbgOptions& o) { o.leader.second_decay = -0.1; });
}

}  // namespace
}  // namespace bilevel::testing
