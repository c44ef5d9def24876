// One step of DPBG: order of the updates, oracle calls, derivatives, memory plans, options, resuming.
#include <gtest/gtest.h>

#include "bilevel/dpbg.hpp"
#include "bilevel/registry.hpp"
#include "bilevel/run.hpp"
#include "method_checks.hpp"
#include "probes.hpp"
#include "taylor.hpp"

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

DpbgOptions fixed_steps(Index k, double a, double a_f) {
  DpbgOptions options{.inner_steps = k, .inner_step_size = a};
  options.leader.step_size = a_f;
  return options;
}

const Dpbg::State& dpbg(const OuterMethod::State& state) { return dynamic_cast<const Dpbg::State&>(state); }

// g = (y - x)^2/2, f = (x^2 + y^2)/2, a = 1/4, k = 2, a_f = 1/2 from (1, 2); all numbers are dyadic, hence exact:
//   y: 2, 7/4, 25/16     v: 25/16, 75/64, 225/256     u = 1 + (25/16)/4 + (75/64)/4 = 1.68359375
TEST(DpbgStep, FollowsThePaperByHand) {
  const auto problem = hand_problem();
  const Dpbg method(fixed_steps(2, 0.25, 0.5));
  const auto state = method.init(problem);
  const auto report = method.step(problem, *state);
  EXPECT_EQ(state->x[0], 1 - 0.5 * 1.68359375);
  EXPECT_EQ(dpbg(*state).z[0], 2 - 0.5 * 0.87890625) << "both move by the derivative at the pair before the update";
  EXPECT_EQ(state->y[0], 1.5625) << "A^2(1, 2)";
  EXPECT_EQ(state->answered_x[0], 1);
  EXPECT_EQ(state->iteration, 1);
  EXPECT_EQ(report.upper, 0.5 * (1 + 1.5625 * 1.5625));
  EXPECT_EQ(report.hypergradient_norm, norm(vec({1.68359375, 0.87890625}))) << "of phi^k in (x, z)";
  EXPECT_EQ(report.lower_steps, 2);

  method.step(problem, *state);
  const double x = 1 - 0.5 * 1.68359375, z = 2 - 0.5 * 0.87890625;
  EXPECT_EQ(state->y[0], x + 0.5625 * (z - x)) << "from the moved start, not from the last answer";
}

TEST(DpbgStep, OracleCallsAreAsTheHeaderSays) {
  const auto problem = nonlinear_problem();
  const Dpbg method(fixed_steps(7, 0.3, 0.01));
  const auto state = method.init(problem);
  for (int step = 1; step <= 9; ++step) {
    const auto lower = problem.lower->counts(), upper = problem.upper->counts();
    method.step(problem, *state);
    const auto g = problem.lower->counts() - lower, f = problem.upper->counts() - upper;
    const bool measures = step == 1 || step == 2 || step == 4 || step == 8;
    EXPECT_EQ(g[Oracle::grad_y], 7u);
    EXPECT_EQ(g[Oracle::hess_xy], 7u);
    EXPECT_EQ(g[Oracle::value], 1u) << "for the report";
    if (measures) {
      EXPECT_GT(g[Oracle::hess_yy], 7u) << "the curvature at both ends; step " << step;
      EXPECT_LE(g[Oracle::hess_yy], 7u + 60u);
    } else {
      EXPECT_EQ(g[Oracle::hess_yy], 7u) << "step " << step;
    }
    EXPECT_EQ(f[Oracle::value], 1u);
    EXPECT_EQ(f[Oracle::grad_x], 1u);
    EXPECT_EQ(f[Oracle::grad_y], 1u);
    EXPECT_EQ(f.total(), 3u);
  }
}

// With a_f tiny the two moves over a_f are the two derivatives of phi^k: compared with phi^k itself.
TEST(DpbgStep, MovesAlongTheGradientOfPhiK) {
  const auto problem = nonlinear_problem();
  constexpr Index k = 6;
  constexpr double a = 0.3, a_f = 0.5;
  const auto phi = [&](const Vec& x, const Vec& z) {
    const GradientDescentMap map(*problem.lower, a);
    Vec y = z;
    for (Index j = 0; j < k; ++j) y = map.apply(x, y);
    return problem.upper->value(x, y);
  };
  const Dpbg method(fixed_steps(k, a, a_f));
  const auto state = method.init(problem);
  method.step(problem, *state);
  const Vec gradient_x = (problem.x0 - state->x) / a_f, gradient_z = (problem.y0 - dpbg(*state).z) / a_f;
  Random random(3);
  const Vec dx = random_vec(2, random), dz = random_vec(3, random);
  const double here = phi(problem.x0, problem.y0), slope = gradient_x.dot(dx) + gradient_z.dot(dz);
  expect_second_order("phi^k", here, [&](double t) {
    return std::abs(phi(problem.x0 + t * dx, problem.y0 + t * dz) - here - t * slope);
  });
}

TEST(DpbgStep, MemoryPlansGiveTheSameRun) {
  const auto problem = nonlinear_problem();
  StopRule stop;
  stop.max_iterations = 20;
  auto options = fixed_steps(8, 0.2, 0.05);
  const auto stored = run(problem, Dpbg(options), stop);
  for (const auto plan : {MemoryPlan::checkpoint, MemoryPlan::reversible}) {
    options.memory = plan;
    options.checkpoints = 3;
    const auto other = run(problem, Dpbg(options), stop);
    EXPECT_EQ(other.iterations, 20) << other.message;
    // The reversible plan recovers iterates to 1e-16 / (1 - a L)^8 with a L = 0.5: 3e-14; twenty steps add up.
    EXPECT_LE(norm(other.x - stored.x), 1e-11) << to_string(plan);
    EXPECT_LE(norm(dpbg(*other.state).z - dpbg(*stored.state).z), 1e-11) << to_string(plan);
  }
}

class DpbgResume : public ::testing::TestWithParam<DpbgOptions> {};

TEST_P(DpbgResume, SevenPlusTwentyThreeIsThirtyBitForBit) {
  const auto problem = two_wells(0.3);
  const auto [whole, second] = expect_seven_plus_twenty_three_is_thirty(problem, Dpbg(GetParam()));
  EXPECT_EQ(dpbg(*second.state).z, dpbg(*whole.state).z);
  ASSERT_EQ(second.findings.size(), whole.findings.size());
  for (std::size_t i = 0; i < whole.findings.size(); ++i) {
    EXPECT_EQ(second.findings[i].value, whole.findings[i].value) << whole.findings[i].name;
    EXPECT_EQ(second.findings[i].text, whole.findings[i].text);
  }
}

DpbgOptions with(LeaderRule rule, std::optional<double> a_f) {
  DpbgOptions options;
  options.leader = {.rule = rule, .step_size = a_f};
  return options;
}

INSTANTIATE_TEST_SUITE_P(Options, DpbgResume,
                         ::testing::Values(with(LeaderRule::gradient_descent, std::nullopt),
                                           with(LeaderRule::gradient_descent, 0.1),
                                           with(LeaderRule::adam, std::nullopt)),
                         [](const auto& setting) { return "setting" + std::to_string(setting.index); });

TEST(DpbgStep, MissingOraclesAreAllNamedBeforeTheFirstStep) {
  auto problem = quadratic_problem();
  auto lower = oracles_of(problem.lower), upper = oracles_of(problem.upper);
  lower.hess_xy = nullptr;
  upper.grad_x = nullptr;
  problem.lower = objective_of("poor g", 3, 4, lower);
  problem.upper = objective_of("poor f", 3, 4, upper);
  try {
    Dpbg().init(problem);
    FAIL() << "two oracles are missing";
  } catch (const MissingOracle& error) {
    const std::string message = error.what();
    for (const std::string part : {"dpbg", "grad_x of 'poor f'", "hess_xy of 'poor g'"}) {
      EXPECT_NE(message.find(part), std::string::npos) << message << " lacks " << part;
    }
  }
}

TEST(DpbgOptionsCheck, ValuesOutOfRangeAreRejectedByName) {
  const auto expect_refused = [](const std::string& option, auto change) {
    expect_refused_by_name<Dpbg, DpbgOptions>(option, change);
  };
  expect_refused("inner-steps", [](DpbgOptions& o) { o.inner_steps = 0; });
  expect_refused("inner-step-size", [](DpbgOptions& o) { o.inner_step_size = 0; });
  expect_refused("inner-step-size", [](DpbgOptions& o) { o.inner_step_size = std::nan(""); });
  expect_refused("checkpoints", [](DpbgOptions& o) { o.checkpoints = 0; });
  expect_refused("outer-step-size", [](DpbgOptions& o) { o.leader.step_size = -1; });
  expect_refused("first-decay", [](DpbgOptions& o) { o.leader.first_decay = 1; });
  expect_refused("second-decay", [](DpbgOptions& o) { o.leader.second_decay = 2; });
}

TEST(DpbgOptionsCheck, TheRegistryMakesItWithSettings) {
  const auto method =
      make_method("dpbg", {{"inner-steps", "9"}, {"inner-step-size", "0.09"}, {"memory", "checkpoint"}});
  ASSERT_EQ(method->name(), "dpbg");
  const auto& options = dynamic_cast<const Dpbg&>(*method).options();
  EXPECT_EQ(options.inner_steps, 9);
  EXPECT_EQ(options.inner_step_size, 0.09);
  EXPECT_EQ(options.memory, MemoryPlan::checkpoint);
}

}  // namespace
}  // namespace bilevel::testing
