// SMBG with default options on problems whose solutions are known.
#include <gtest/gtest.h>

#include <Eigen/LU>

#include "bilevel/run.hpp"
#include "bilevel/smbg.hpp"
#include "method_checks.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

/// f times `factor`: the same solution.
BilevelProblem scaled(BilevelProblem problem, double factor) {
  const auto inner = problem.upper;
  auto oracles = oracles_of(inner);
  oracles.value = [=](const Vec& x, const Vec& y) { return factor * inner->value(x, y); };
  oracles.grad_x = [=](const Vec& x, const Vec& y) { return Vec(factor * inner->grad_x(x, y)); };
  oracles.grad_y = [=](const Vec& x, const Vec& y) { return Vec(factor * inner->grad_y(x, y)); };
  problem.upper = objective_of("scaled f", problem.dim_x(), problem.dim_y(), oracles);
  problem.known->upper *= factor;
  return problem;
}

/// y* = (x_0, x_0^2), so that phi(x) = (1 - x_0)^2 + 10 (x_1 - x_0^2)^2.
BilevelProblem rosenbrock_problem() {
  auto lower = make_objective(
      "parabola", 2, 2, [](auto x, auto y) { return 0.5 * square(y[0] - x[0]) + 0.5 * square(y[1] - square(x[0])); });
  auto upper =
      make_objective("valley", 2, 2, [](auto x, auto y) { return square(1.0 - y[0]) + 10.0 * square(x[1] - y[1]); });
  return {"rosenbrock", upper, lower, vec({-1, 1}), vec({0, 0}), KnownSolution{vec({1, 1}), vec({1, 1}), 0}};
}

/// y* solves y^3 + y = x; curvature grows from 1 at the start to 28 at the first answer.
BilevelProblem quartic_problem() {
  auto lower = make_objective(
      "quartic", 1, 1, [](auto x, auto y) { return 0.25 * square(square(y[0])) + 0.5 * square(y[0]) - x[0] * y[0]; });
  auto upper = make_objective("target", 1, 1, [](auto, auto y) { return 0.5 * square(y[0] - 1.0); });
  return {"quartic", upper, lower, vec({30}), vec({0}), KnownSolution{vec({2}), vec({1}), 0}};
}

std::vector<BilevelProblem> closed_form_problems() {
  auto far = quadratic_problem(5);
  far.x0 = Vec::Constant(3, 20);
  return {quadratic_problem(1),
          quadratic_problem(2),
          scaled(quadratic_problem(2), 1e-4),
          scaled(quadratic_problem(4), 1e4),
          far,
          rosenbrock_problem(),
          quartic_problem()};
}

void expect_solved(const BilevelProblem& problem, const RunResult& result, bool warm, const std::string& how) {
  const auto& known = *problem.known;
  const std::string what = problem.name + ", " + how + ": " + result.message;
  // The stop rule is relative to the first hypergradient, and so to the distance at the start.
  const double scale = 1 + norm(known.x - problem.x0);
  EXPECT_LE(norm(result.x - known.x), 1e-6 * scale) << what;
  // A cold path reduces the residual it begins with by 1e-6, and curvature 0.5 divides that; a warm one goes on
  // falling.
  EXPECT_LE(norm(result.y - known.y), (warm ? 1e-6 : 1e-5) * scale) << what;
}

struct Setting {
  LeaderRule rule;
  HypergradientKind kind;
  bool warm;
};

class DefaultOptions : public ::testing::TestWithParam<Setting> {};

TEST_P(DefaultOptions, ReachKnownSolutions) {
  const auto [rule, kind, warm] = GetParam();
  for (const auto& problem : closed_form_problems()) {
    SmbgOptions options;
    options.leader.rule = rule;
    options.hypergradient = kind;
    options.warm_start = warm;
    StopRule stop;  // Adam turns slowly: momentum and a step of at most 0.5 a coordinate
    if (rule == LeaderRule::adam) stop.max_iterations = 2000;
    const auto result = run(problem, Smbg(options), stop);
    EXPECT_TRUE(result.status == Status::converged || rule == LeaderRule::adam)
        << problem.name << ": " << result.message;
    expect_solved(problem, result, warm, std::string(to_string(rule)) + ", " + std::string(to_string(kind)));
  }
}

INSTANTIATE_TEST_SUITE_P(Settings, DefaultOptions,
                         ::testing::Values(Setting{LeaderRule::gradient_descent, HypergradientKind::unrolled, true},
                                           Setting{LeaderRule::gradient_descent, HypergradientKind::unrolled, false},
                                           Setting{LeaderRule::gradient_descent, HypergradientKind::forward, true},
                                           Setting{LeaderRule::gradient_descent, HypergradientKind::implicit, true},
                                           Setting{LeaderRule::gradient_descent, HypergradientKind::implicit, false},
                                           Setting{LeaderRule::adam, HypergradientKind::unrolled, true},
                                           Setting{LeaderRule::adam, HypergradientKind::unrolled, false},
                                           Setting{LeaderRule::adam, HypergradientKind::implicit, true}),
                         [](const auto& setting) {
                           return std::string(setting.param.rule == LeaderRule::adam ? "adam" : "descent") + "_" +
                                  std::string(to_string(setting.param.kind)) + (setting.param.warm ? "_warm" : "_cold");
                         });

TEST(SmbgConvergence, AnIllConditionedFollowerIsSolvedByImplicitDifferentiation) {
  SmbgOptions options;
  options.hypergradient = HypergradientKind::implicit;
  const auto problem = quadratic_problem(1, 50);
  StopRule stop;
  stop.max_iterations = 3000;
  stop.tolerance = 1e-9;  // |dy*/dx| is in the hundreds, and so is phi's condition in the ten thousands
  const auto result = run(problem, Smbg(options), stop);
  EXPECT_LE(norm(result.x - problem.known->x), 1e-4) << result.message;
}

// H = A and C constant: with T differentiated steps at y*(x) the hypergradient is Q x + M_T'(y*(x) - t),
// M_T = -a sum_{j<T} (I - a A)^j C, whose zero is known.
TEST(SmbgConvergence, TruncationHasTheBiasThatTheoryGives) {
  const auto problem = quadratic_problem(3);
  const auto& lower = dynamic_cast<const Quadratic&>(*problem.lower).coefficients();
  const auto& upper = dynamic_cast<const Quadratic&>(*problem.upper).coefficients();
  constexpr double a = 0.4;
  double last_bias = std::numeric_limits<double>::infinity();
  for (const Index differentiated : {1, 3, 10, 30}) {
    Eigen::MatrixXd power = Eigen::MatrixXd::Identity(4, 4), sum = Eigen::MatrixXd::Zero(4, 4);
    for (Index j = 0; j < differentiated; ++j) {
      sum += power;
      power = power * (Eigen::MatrixXd::Identity(4, 4) - a * lower.yy);
    }
    const Eigen::MatrixXd truncated = -a * sum * lower.yx, exact = -lower.yy.ldlt().solve(lower.yx);
    const Vec y_at_0 = -lower.yy.ldlt().solve(lower.y);
    const Vec expected =
        (upper.xx + truncated.transpose() * exact).partialPivLu().solve(truncated.transpose() * (-upper.y - y_at_0));

    SmbgOptions options{.hypergradient = HypergradientKind::truncated, .inner_steps = 60, .inner_step_size = a};
    options.truncated_steps = differentiated;
    StopRule stop;
    stop.max_iterations = 2000;
    stop.tolerance = 1e-10;
    const auto result = run(problem, Smbg(options), stop);
    EXPECT_LE(norm(result.x - expected), 1e-6 * (1 + norm(expected))) << differentiated << ": " << result.message;
    const double bias = norm(expected - problem.known->x);
    EXPECT_LT(bias, last_bias);
    last_bias = bias;
  }
}

// [BLPV25, Thm 4.2]: the limit's distance to the branch's solution vanishes with k like rho^k. Cold start: a warm one
// forgets the follower's lag. H is constant here, so that there is no extra factor k.
TEST(SmbgConvergence, LimitApproachesTheSolutionLikeRhoToTheK) {
  const auto problem = quadratic_problem(2);
  constexpr double a = 0.4, rho = 1 - a * 0.5;  // eigenvalues of H from 0.5 to 2
  std::vector<double> ks, distances;
  for (const Index k : {1, 2, 4, 8, 16, 32, 48}) {
    SmbgOptions options{.inner_steps = k, .inner_step_size = a, .warm_start = false};
    StopRule stop;
    stop.max_iterations = 2000;
    stop.tolerance = 1e-12;
    const auto result = run(problem, Smbg(options), stop);
    const double distance = norm(result.x - problem.known->x);
    EXPECT_TRUE(distances.empty() || distance < distances.back()) << "k = " << k;
    ks.push_back(static_cast<double>(k));
    distances.push_back(distance);
  }
  // The last three: there the slowest mode is alone.
  for (std::size_t i = 5; i < ks.size(); ++i) {
    const double slope = std::log(distances[i] / distances[i - 1]) / (ks[i] - ks[i - 1]);
    EXPECT_NEAR(slope / std::log(rho), 1, 0.05) << "from k = " << ks[i - 1] << " to " << ks[i];
  }
}

TEST(SmbgConvergence, StaysOnTheBranchItStartsOn) {
  for (const double y0 : {1.0, -1.0}) {
    const auto problem = two_wells(y0);
    const auto result = run(problem, Smbg());
    EXPECT_EQ(result.status, Status::converged) << result.message;
    EXPECT_EQ(result.y[0] > 0, y0 > 0);
    EXPECT_NEAR(std::abs(result.y[0]), 1, 0.1);
    // Stationary: x + f_y dy/dx = 0 with dy/dx = 0.1 / (3 y^2 - 1).
    const double y = result.y[0];
    EXPECT_NEAR(result.x[0] + 0.1 * (y - 2) * 0.1 / (3 * y * y - 1), 0, 1e-7);
  }
}

TEST(SmbgConvergence, LeavesASaddle) {
  auto problem = two_wells(0);
  problem.x0 = vec({0});
  ASSERT_EQ(problem.lower->grad_y(problem.x0, problem.y0)[0], 0) << "an exact saddle of the follower";
  const auto result = run(problem, Smbg());
  EXPECT_GT(std::abs(result.y[0]), 0.9) << result.message;
  EXPECT_NEAR(problem.lower->grad_y(result.x, result.y)[0], 0, 1e-6);
}

TEST(SmbgConvergence, SameOptionsSameTrace) {
  for (const auto rule : {LeaderRule::gradient_descent, LeaderRule::adam}) {
    SmbgOptions options;
    options.leader.rule = rule;
    StopRule stop;
    stop.max_iterations = 40;
    expect_same_trace_twice(nonlinear_problem(), Smbg(options), stop);
  }
}

}  // namespace
}  // namespace bilevel::testing
