// HOAG: solved followers, on problems whose solutions are known.
#include "bilevel/hoag.hpp"

#include <gtest/gtest.h>

#include "bilevel/run.hpp"
#include "bilevel/status.hpp"
#include "message_of.hpp"
#include "method_checks.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

TEST(Hoag, SolvesTheQuadraticGameByGradientStepsAndByAdam) {
  const auto problem = quadratic_problem(3);
  const auto result = run(problem, Hoag(), {.tolerance = 1e-7});
  EXPECT_EQ(result.status, Status::converged) << result.message;
  // A hypergradient 1e-7 of the first one, over curvatures of phi between 0.5 and 5.
  EXPECT_LE(norm(result.x - problem.known->x), 1e-5);
  EXPECT_LE(norm(result.y - problem.known->y), 1e-5);
  // Adam comes to rest slowly: its steps shrink only when f rises.
  const auto adam =
      run(problem, Hoag({.leader = {.rule = LeaderRule::adam}}), {.tolerance = 0, .max_iterations = 3000});
  EXPECT_LE(norm(adam.x - problem.known->x), 1e-3);
}

TEST(Hoag, ItsHypergradientIsTheSlopeOfTheReSolvedValue) {
  const auto problem = nonlinear_problem();
  const auto value = [&](const Vec& x) {
    return problem.upper->value(
        x, Lbfgs().solve(*problem.lower, x, problem.y0, {.tolerance = 1e-12, .max_iterations = 1000}).y);
  };
  // A given step size makes the move the hypergradient itself.
  constexpr double kStep = 1e-3;
  const auto result = run(problem, Hoag({.leader = {.step_size = kStep}}), {.tolerance = 0, .max_iterations = 1});
  const Vec gradient = (problem.x0 - result.state->x) / kStep;
  for (Index i = 0; i < problem.dim_x(); ++i) {
    constexpr double kT = 1e-4;  // central differences: error of order t^2 and of 1e-12 / t
    const Vec e = kT * Vec::Unit(problem.dim_x(), i);
    EXPECT_NEAR(gradient[i], (value(problem.x0 + e) - value(problem.x0 - e)) / (2 * kT), 1e-6);
  }
}

TEST(Hoag, OneStepCallsWhatItSays) {
  const auto problem = nonlinear_problem();
  const auto result = run(problem, Hoag(), {.tolerance = 0, .max_iterations = 1});
  EXPECT_EQ(result.lower_calls[Oracle::hess_xy], 1U);
  EXPECT_EQ(result.lower_calls[Oracle::hess_yx], 0U);
  EXPECT_GT(result.lower_calls[Oracle::hess_yy], 0U);
  EXPECT_LE(result.lower_calls[Oracle::hess_yy], 4U) << "m = 3, and one more for rounding";
  for (const auto oracle : {Oracle::value, Oracle::grad_x, Oracle::grad_y}) EXPECT_EQ(result.upper_calls[oracle], 1U);
}

TEST(Hoag, ResumesBitForBitAndRepeatsItself) {
  expect_seven_plus_twenty_three_is_thirty(nonlinear_problem(), Hoag());
  expect_same_trace_twice(nonlinear_problem(), Hoag(), {.max_iterations = 20});
}

TEST(Hoag, NamesWhatItCannotWorkWith) {
  EXPECT_NE(message_of<InvalidOption>([] { Hoag({.lowest = 1, .highest = -1}); }).find("above option 'highest'"),
            std::string::npos);
  EXPECT_THROW(Hoag({.adjoint_tolerance = 2}), InvalidOption);
  auto problem = quadratic_problem();
  auto lower = oracles_of(problem.lower);
  lower.hess_xy = nullptr;
  problem.lower = objective_of("g without hess_xy", 3, 4, lower);
  EXPECT_NE(message_of<MissingOracle>([&] { run(problem, Hoag()); }).find("hess_xy"), std::string::npos);
}

TEST(Hoag, AFollowerThatIsNotFiniteIsNamedAndRolledBack) {
  auto problem = quadratic_problem();
  auto lower = oracles_of(problem.lower);
  lower.grad_y = [inner = problem.lower](const Vec& x, const Vec& y) -> Vec {
    return x == Vec(quadratic_problem().x0) ? inner->grad_y(x, y) : Vec(y * std::nan(""));
  };
  problem.lower = objective_of("g with a hole", 3, 4, lower);
  const auto result = run(problem, Hoag());
  EXPECT_EQ(result.status, Status::nonfinite) << result.message;
  EXPECT_NE(result.message.find("follower"), std::string::npos) << result.message;
  EXPECT_TRUE(all_finite(result.x) && all_finite(result.y));
}

}  // namespace
}  // namespace bilevel::testing
