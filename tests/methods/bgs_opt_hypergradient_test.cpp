// BGS-Opt's direction against the re-solved value function, also where the follower's minimisers form a ring.
#include <gtest/gtest.h>

#include "bgs_opt_games.hpp"

namespace bilevel::testing {
namespace {

/// d at (x0, y0), from the first move.
Vec direction(const BilevelProblem& problem, BgsOptOptions options) {
  options.leader.step_size = 1;
  const BgsOpt method(options);
  const auto state = method.init(problem);
  const auto report = method.step(problem, *state);
  EXPECT_EQ(report.status, Status::converged) << report.message;
  return problem.x0 - state->x;
}

std::vector<BgsOptOptions> corrected() {
  std::vector<BgsOptOptions> all;
  for (const auto solver : {AdjointSolver::automatic, AdjointSolver::normal_gradient}) {
    for (const auto& [M, T] : std::vector<std::pair<Index, Index>>{{200, 0}, {200, 1}, {0, 200}, {100, 7}}) {
      all.push_back({.warm_start_steps = M,
                     .unrolled_steps = T,
                     .inner_step_size = 0.3,
                     .adjoint_solver = solver,
                     .adjoint_tolerance = 1e-13,
                     .adjoint_iterations = 500});
    }
  }
  return all;
}

TEST(BgsOptHypergradient, IsTheDerivativeOfTheResolvedValueFunction) {
  const auto problem = nonlinear_problem();
  const auto phi = [&](const Vec& x) {
    const auto answer = NewtonCg().solve(*problem.lower, x, problem.y0, {.tolerance = 1e-13});
    return problem.upper->value(x, answer.y);
  };
  Random random(5);
  const Vec dx = random_vec(2, random);
  const double here = phi(problem.x0);
  for (const auto& options : corrected()) {
    const double slope = direction(problem, options).dot(dx);
    expect_second_order("phi", here, [&](double t) { return std::abs(phi(problem.x0 + t * dx) - here - t * slope); });
  }
}

// g = (|y - s|^2 - 1)^2/4 with s = (x_0 + x_1^2, sin x_1): a ring of minimisers around s(x), so H is singular. Its
// gradient flow runs along rays from s(x), hence the selection is s + (y - s)/|y - s| in closed form. f's slope has a
// part along the ring, where H xi = -v has no solution.
BilevelProblem ring_problem() {
  auto lower = make_objective("ring", 2, 2, [](auto x, auto y) {
    return 0.25 * square(square(y[0] - x[0] - square(x[1])) + square(y[1] - sin(x[1])) - 1.0);
  });
  auto upper = make_objective("distance", 2, 2, [](auto x, auto y) {
    return 0.5 * (square(y[0] - 2.0) + square(y[1] + 1.0)) + 0.1 * square(x[0]) + 0.3 * x[1] * y[0];
  });
  const Vec x = vec({0.3, -0.4});
  return {"ring", upper, lower, x, vec({0.3 + 0.16 + 0.6, std::sin(-0.4) + 0.8}), {}};
}

TEST(BgsOptHypergradient, FollowsTheSelectionOnARingOfMinimisers) {
  const auto problem = ring_problem();
  ASSERT_LE(norm(problem.lower->grad_y(problem.x0, problem.y0)), 1e-15) << "on the ring";
  const auto phi = [&](const Vec& x) {
    const Vec centre = vec({x[0] + x[1] * x[1], std::sin(x[1])});
    const Vec y = centre + (problem.y0 - centre) / norm(problem.y0 - centre);
    return problem.upper->value(x, y);
  };
  Random random(6);
  const Vec dx = random_vec(2, random);
  const double here = phi(problem.x0);
  for (const auto& options : corrected()) {
    const double slope = direction(problem, options).dot(dx);
    expect_second_order("phi", here, [&](double t) { return std::abs(phi(problem.x0 + t * dx) - here - t * slope); });
  }
}

TEST(BgsOptHypergradient, WithoutCorrectionItIsTheDerivativeOfTheUnrolledSteps) {
  const auto problem = nonlinear_problem();
  constexpr double a = 0.3;
  const GradientDescentMap map(*problem.lower, a);
  Vec start = problem.y0;
  for (int j = 0; j < 4; ++j) start = map.apply(problem.x0, start);
  const auto L_T = [&](const Vec& x) {
    Vec y = start;
    for (int j = 0; j < 3; ++j) y = map.apply(x, y);
    return problem.upper->value(x, y);
  };
  Random random(7);
  const Vec dx = random_vec(2, random);
  const double here = L_T(problem.x0);
  const double slope =
      direction(problem, {.warm_start_steps = 4, .unrolled_steps = 3, .correction = false, .inner_step_size = a})
          .dot(dx);
  expect_second_order("L_T", here, [&](double t) { return std::abs(L_T(problem.x0 + t * dx) - here - t * slope); });
}

}  // namespace
}  // namespace bilevel::testing
