#include <gtest/gtest.h>

#include "bilevel/hypergradient.hpp"
#include "probes.hpp"
#include "taylor.hpp"

namespace bilevel::testing {
namespace {

/// Newton's method with a dense Hessian: the follower's answer to all digits.
Vec follower_answer(const Objective& lower, const Vec& x, Vec y) {
  const Index m = lower.dim_y();
  for (int i = 0; i < 50; ++i) {
    const auto at = lower.linearize(x, y, full, Oracle::grad_y);
    Eigen::MatrixXd hessian(m, m);
    for (Index j = 0; j < m; ++j) hessian.col(j) = at.hess_yy(Vec::Unit(m, j));
    const Vec step = hessian.ldlt().solve(*at.evaluation().grad_y);
    y -= step;
    if (norm(step) <= 1e-15 * (1 + norm(y))) break;
  }
  return y;
}

TEST(Implicit, AgreesWithTheClosedForm) {
  const auto problem = quadratic_problem(4);
  const auto& lower = dynamic_cast<const Quadratic&>(*problem.lower).coefficients();
  const auto& upper = dynamic_cast<const Quadratic&>(*problem.upper).coefficients();
  Random random(1);
  for (int trial = 0; trial < 10; ++trial) {
    const Vec x = random_vec(3, random);
    const Vec y = -lower.yy.ldlt().solve(lower.yx * x + lower.y);
    const Vec adjoint = lower.yy.ldlt().solve(y + upper.y);
    const Vec expected = upper.xx * x - lower.yx.transpose() * adjoint;
    const auto result = implicit(problem, x, y, {.tolerance = 1e-13});
    EXPECT_EQ(result.status, Status::converged) << result.message;
    EXPECT_LE(norm(result.gradient - expected), 1e-11 * norm(expected));  // condition 4 and |C| over 1e-13
    EXPECT_LE(norm(result.adjoint - adjoint), 1e-11 * norm(adjoint));
    EXPECT_NEAR(result.upper, problem.upper->value(x, y), 0);
  }
  EXPECT_LE(norm(implicit(problem, problem.known->x, problem.known->y, {.tolerance = 1e-13}).gradient), 1e-10)
      << "the known solution is stationary";
}

TEST(Implicit, IsTheDerivativeOfTheResolvedValueOfANonlinearProblem) {
  const auto problem = nonlinear_problem();
  Random random(2);
  const auto value = [&](const Vec& x) {
    return problem.upper->value(x, follower_answer(*problem.lower, x, problem.y0));
  };
  for (int trial = 0; trial < 5; ++trial) {
    const Vec x = random_vec(2, random), dx = random_vec(2, random);
    const Vec y = follower_answer(*problem.lower, x, problem.y0);
    ASSERT_LE(norm(problem.lower->grad_y(x, y)), 1e-13);
    const auto result = implicit(problem, x, y, {.tolerance = 1e-12});
    const double at_x = value(x);
    expect_second_order("re-solved value", std::abs(at_x),
                        [&](double t) { return std::abs(value(x + t * dx) - at_x - t * dot(result.gradient, dx)); });
    const auto path = unrolled(problem, GradientDescentMap(*problem.lower, 0.35), x, y, {.steps = 200});
    EXPECT_LE(norm(path.gradient - result.gradient), 1e-10) << "the limit of unrolling";
  }
}

TEST(Implicit, WarmStartAtTheAnswerNeedsNoIteration) {
  const auto problem = nonlinear_problem();
  const Vec y = follower_answer(*problem.lower, problem.x0, problem.y0);
  const auto first = implicit(problem, problem.x0, y, {.tolerance = 1e-10});
  const auto before = problem.lower->counts();
  const auto second = implicit(problem, problem.x0, y, {.tolerance = 1e-9}, first.adjoint);
  EXPECT_EQ((problem.lower->counts() - before)[Oracle::hess_yy], 1u) << "the residual of the start only";
  EXPECT_EQ(second.adjoint, first.adjoint);
}

TEST(Implicit, BreaksDownAtASaddle) {
  const auto problem = two_wells(0);
  const auto result = implicit(problem, vec({0}), vec({0}), {});
  EXPECT_EQ(result.status, Status::breakdown);
  EXPECT_NE(result.message.find("curvature"), std::string::npos) << result.message;
}

// H = diag(1, 0) and f_y = (1, e): no w solves it, by e relatively.
TEST(Implicit, ABreakdownIsForgivenUpToWhatRoundingLeaves) {
  const auto with = [](double inconsistency, double rounding) {
    Oracles lower{.value = [](const Vec&, const Vec& y) { return 0.5 * y[0] * y[0]; },
                  .grad_x = [](const Vec&, const Vec&) -> Vec { return vec({0}); },
                  .grad_y = [](const Vec&, const Vec& y) -> Vec {
                    return vec({y[0], 0});
                  },
                  .hess_yy = [](const Vec&, const Vec&, const Vec& v) -> Vec {
                    return vec({v[0], 0});
                  },
                  .hess_xy = [](const Vec&, const Vec&, const Vec&) -> Vec { return vec({0}); },
                  .hess_yx = [](const Vec&, const Vec&, const Vec&) -> Vec {
                    return vec({0, 0});
                  },
                  .rounding = rounding};
    const auto upper = make_objective("f", 1, 2, [inconsistency](auto, auto y) { return y[0] + inconsistency * y[1]; });
    const BilevelProblem problem{"flat", upper, objective_of("g", 1, 2, std::move(lower)), vec({0}), vec({0, 0}), {}};
    return implicit(problem, problem.x0, problem.y0, {.tolerance = 1e-12});
  };
  const double of_double = std::numeric_limits<double>::epsilon(), of_float = std::numeric_limits<float>::epsilon();
  EXPECT_EQ(with(1e-9, of_double).status, Status::converged);
  EXPECT_EQ(with(1e-7, of_double).status, Status::breakdown) << "a double has the digits to tell";
  EXPECT_EQ(with(1e-6, of_float).status, Status::converged);
  EXPECT_EQ(with(1e-3, of_float).status, Status::breakdown);
}

TEST(Implicit, KeepsToItsIterationBudgetAndSaysSo) {
  const auto problem = quadratic_problem();
  const auto result = implicit(problem, problem.x0, problem.y0, {.tolerance = 1e-14, .max_iterations = 1});
  EXPECT_NE(result.message.find("budget"), std::string::npos) << result.message;
}

}  // namespace
}  // namespace bilevel::testing
