// Selections of the core: what they answer, their derivatives, and what they refuse.
#include "bilevel/selection.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "bilevel/hypergradient.hpp"
#include "message_of.hpp"
#include "morse_bott_examples.hpp"
#include "selection/dense_answers.hpp"
#include "taylor.hpp"

namespace bilevel {
namespace {

using testing::vec;

UnrolledSelection unrolled_selection(const std::shared_ptr<const Objective>& g, double step_size, Index steps) {
  return UnrolledSelection(g, std::make_shared<GradientDescentMap>(*g, step_size), {.steps = steps});
}

SolverSelection solver_selection(const std::shared_ptr<const Objective>& g, double tolerance = 1e-11) {
  return SolverSelection(g, std::make_shared<Lbfgs>(), {.tolerance = tolerance}, std::make_shared<Minres>());
}

TEST(UnrolledSelection, DerivativeIsThatOfTheFiniteMap) {
  for (const auto& follower : testing::morse_bott_followers()) {
    SCOPED_TRACE(follower.name);
    // 7 steps are far from converged.
    const auto selection = unrolled_selection(follower.lower, 0.1, 7);
    Random random(2);
    const Vec start = follower.y + testing::random_vec(follower.y.size(), random, 0.1 * follower.spread);
    const Vec dx = testing::random_vec(follower.x.size(), random);
    const Vec v = testing::random_vec(follower.y.size(), random);
    const auto point = selection.record(follower.x, start);
    EXPECT_EQ(point->answer().y, selection.select(follower.x, start).y);
    const auto moved = point->push_forward(dx);
    ASSERT_EQ(moved.status, Status::converged);
    testing::expect_second_order("answer along x", point->answer().y.norm(), [&](double t) {
      return (selection.select(follower.x + t * dx, start).y - point->answer().y - t * moved.value).norm();
    });
    const auto pulled = point->pull_back(v);
    // Two orders of summation of a few hundred terms.
    EXPECT_NEAR(dot(pulled.value, dx), dot(v, moved.value), 1e-12 * (1 + norm(v) * norm(moved.value)));
  }
}

TEST(UnrolledSelection, HypergradientIsTheUnrolledOne) {
  const auto problem = testing::nonlinear_problem();
  const auto selection = unrolled_selection(problem.lower, 0.2, 12);
  const auto found = selection.hypergradient(*problem.upper, problem.x0, problem.y0);
  const auto expected =
      unrolled(problem, GradientDescentMap(*problem.lower, 0.2), problem.x0, problem.y0, {.steps = 12});
  ASSERT_EQ(found.status, Status::converged);
  EXPECT_EQ(found.answer.y, expected.y);
  EXPECT_EQ(found.upper, expected.upper);
  // The same terms, but f_x is added last instead of first.
  EXPECT_LE(norm(found.gradient - expected.gradient), 1e-14 * (1 + norm(expected.gradient)));
}

TEST(UnrolledSelection, SaysThatAFiniteMapIsNotCriticalAndWhatItCost) {
  const auto problem = testing::quadratic_problem();
  const auto few = unrolled_selection(problem.lower, 0.4, 3).select(problem.x0, vec({1, 1, 1, 1}));
  EXPECT_EQ(few.status, Status::budget_reached);
  EXPECT_EQ(few.residual, norm(problem.lower->grad_y(problem.x0, few.y)));
  EXPECT_EQ(few.iterations, 3);
  // One gradient for the residual of the start, one a step, one for the residual of the answer.
  EXPECT_EQ(few.work[Oracle::grad_y], 5u);
  // Curvature is at least 0.5: the error falls by 0.8 a step, 200 steps leave 4e-20 of it.
  EXPECT_EQ(unrolled_selection(problem.lower, 0.4, 200).select(problem.x0, problem.y0).status, Status::converged);
}

TEST(SolverSelection, DerivativeIsMinusBTimesThePseudoInverse) {
  for (const auto& follower : testing::morse_bott_followers()) {
    SCOPED_TRACE(follower.name);
    const auto selection = solver_selection(follower.lower);
    const Eigen::MatrixXd expected = testing::answers_derivative(*follower.lower, follower.x, follower.y);
    const auto point = selection.record(follower.x, follower.y);
    EXPECT_EQ(point->answer().y, follower.y) << "a critical start must be kept";
    for (Index i = 0; i < follower.x.size(); ++i) {
      const auto moved = point->push_forward(Vec::Unit(follower.x.size(), i));
      ASSERT_EQ(moved.status, Status::converged) << moved.message;
      // MINRES to 1e-10, over a smallest nonzero eigenvalue of at least 1e-3 of |H|.
      EXPECT_LE(norm(moved.value - expected.row(i).transpose()), 1e-7 * expected.norm());
    }
    for (Index j = 0; j < follower.y.size(); ++j) {
      const auto pulled = point->pull_back(Vec::Unit(follower.y.size(), j));
      ASSERT_EQ(pulled.status, Status::converged) << pulled.message;
      EXPECT_LE(norm(pulled.value - expected.col(j)), 1e-7 * expected.norm());
    }
  }
}

TEST(SolverSelection, HypergradientVanishesAtTheKnownSolution) {
  const auto problem = testing::quadratic_problem();
  const auto found = solver_selection(problem.lower).hypergradient(*problem.upper, problem.known->x, problem.y0);
  ASSERT_EQ(found.status, Status::converged) << found.message;
  EXPECT_NEAR(found.upper, problem.known->upper, 1e-9);
  // |g_y| = 1e-11 and MINRES to 1e-10, times condition 4.
  EXPECT_LE(norm(found.gradient), 1e-8);
}

TEST(SolverSelection, HypergradientVanishesAtTheEquilibriumOfADegenerateGame) {
  // g = y'Ay/2 + y'AMx with 9 of 40 curvatures zero, f = x'Qx/2 + c'y: x* = Q^-1 M'A A+ c, whatever y in ker A.
  constexpr Index n = 6, m = 40, flat = 9;
  Random random(8);
  Vec curvature = Vec::Zero(m);
  curvature.tail(m - flat) = Vec::LinSpaced(m - flat, 0.1, 1);
  const Eigen::MatrixXd A = testing::with_eigenvalues(curvature, random);
  const Eigen::MatrixXd Q = testing::with_eigenvalues(Vec::LinSpaced(n, 0.5, 2), random);
  Eigen::MatrixXd M(m, n);
  for (Index j = 0; j < n; ++j) M.col(j) = testing::random_vec(m, random);
  const Vec c = testing::random_vec(m, random), start = testing::random_vec(m, random);
  const auto g = std::make_shared<Quadratic>("g", n, m, QuadraticCoefficients{.yy = A, .yx = A * M});
  const Quadratic f("f", n, m, QuadraticCoefficients{.xx = Q, .y = c});
  const Vec solution = Q.ldlt().solve(M.transpose() * (A * (testing::pseudo_inverse(A) * c)));

  // c has a part in ker A, which B = (AM)' does not see.
  const auto selection = solver_selection(g, 1e-9);
  const auto found = selection.hypergradient(f, solution, start);
  ASSERT_EQ(found.status, Status::converged) << found.message;
  // MINRES to 1e-10 of |c|, condition 10, |B| of about 10.
  EXPECT_LE(norm(found.gradient), 1e-7);
  const auto elsewhere = selection.hypergradient(f, Vec::Zero(n), start);
  ASSERT_EQ(elsewhere.status, Status::converged) << elsewhere.message;
  EXPECT_LE(norm(elsewhere.gradient + Q * solution), 1e-7 * norm(Q * solution));
}

TEST(SolverSelection, SaysWhereTheFollowerIsNotMorseBott) {
  // At x = 0 the ring of minimisers is whole, and B' = (y_1, 0) has the part y_1 y_2 along the tangent.
  const auto g = testing::ring_that_deforms();
  const auto selection = solver_selection(g);
  const Vec x = vec({0}), y = vec({0.6, 0.8});
  const auto moved = selection.push_forward(x, y, vec({1}));
  EXPECT_EQ(moved.status, Status::breakdown);
  EXPECT_EQ(moved.value.size(), 0);
  EXPECT_NE(moved.message.find("not Morse-Bott"), std::string::npos) << moved.message;
  EXPECT_EQ(selection.pull_back(x, y, vec({1, 0})).status, Status::breakdown);
  // Along the normal of the ring nothing leaks: v = y has no part in the kernel.
  EXPECT_EQ(selection.pull_back(x, y, y).status, Status::converged);
}

TEST(SolverSelection, SaysThatItsAnswerIsASaddle) {
  // At x = 0.19 the point (0.9, 0) is critical with curvatures 2 * 0.81 and -0.19.
  const auto selection = solver_selection(testing::ring_that_deforms());
  const auto pulled = selection.pull_back(vec({0.19}), vec({0.9, 0}), vec({0, 1}));
  EXPECT_EQ(pulled.status, Status::breakdown);
  EXPECT_NE(pulled.message.find("saddle"), std::string::npos) << pulled.message;
}

TEST(SolverSelection, HasNoDerivativeWhereTheFollowerIsNotSolved) {
  const auto problem = testing::nonlinear_problem();
  const SolverSelection hasty(problem.lower, std::make_shared<Lbfgs>(), {.tolerance = 1e-10, .max_iterations = 1},
                              std::make_shared<Minres>());
  const auto found = hasty.hypergradient(*problem.upper, problem.x0, problem.y0);
  EXPECT_EQ(found.answer.status, Status::budget_reached);
  EXPECT_EQ(found.status, Status::lower_failed);
  EXPECT_EQ(found.gradient.size(), 0);
}

TEST(WarmStartedSelection, IsTheSelectionAtTheWarmStart) {
  const auto follower = testing::ring_that_moves();
  const auto map = std::make_shared<GradientDescentMap>(*follower.lower, 0.1);
  const auto inner = std::make_shared<UnrolledSelection>(unrolled_selection(follower.lower, 0.1, 5));
  const WarmStartedSelection selection(map, 3, inner);
  const Vec start = follower.y + vec({0.2, -0.1});
  Vec warm = start;
  for (int i = 0; i < 3; ++i) warm = map->apply(follower.x, warm);
  EXPECT_EQ(selection.select(follower.x, start).y, inner->select(follower.x, warm).y);
  const Vec v = vec({0.3, 0.7});
  EXPECT_EQ(selection.pull_back(follower.x, start, v).value, inner->pull_back(follower.x, warm, v).value);
  const Vec dx = vec({1, -1});
  EXPECT_EQ(selection.push_forward(follower.x, start, dx).value, inner->push_forward(follower.x, warm, dx).value);
  EXPECT_NE(selection.pull_back(follower.x, start, v).value, inner->pull_back(follower.x, start, v).value);
}

TEST(SelectionMap, NumbersThatAreNotFiniteAreAStatus) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto follower = testing::ring_that_moves();
  const auto selection = unrolled_selection(follower.lower, 0.1, 5);
  const auto answer = selection.select(vec({nan, 0}), follower.y);
  EXPECT_EQ(answer.status, Status::nonfinite);
  EXPECT_NE(answer.message.find("x is not finite"), std::string::npos) << answer.message;
  EXPECT_EQ(selection.pull_back(follower.x, vec({nan, 0}), vec({1, 0})).status, Status::nonfinite);
  EXPECT_EQ(selection.push_forward(follower.x, follower.y, vec({1, nan})).status, Status::nonfinite);
  // Steps that overshoot: |y| is cubed and more at each, which is infinite long before 50.
  const auto wild = unrolled_selection(follower.lower, 1e3, 50);
  const auto point = wild.record(follower.x, vec({5, 5}));
  EXPECT_EQ(point->answer().status, Status::nonfinite);
  EXPECT_LT(point->answer().iterations, 50);
  EXPECT_EQ(point->pull_back(vec({1, 0})).status, Status::nonfinite);
}

TEST(SelectionMap, RefusesMisuseInASentence) {
  const auto follower = testing::ring_that_moves();
  const auto& g = follower.lower;
  const auto map = std::make_shared<GradientDescentMap>(*g, 0.1);
  const auto selection = unrolled_selection(g, 0.1, 5);
  EXPECT_THROW(selection.select(vec({1}), follower.y), DimensionMismatch);
  EXPECT_THROW(selection.pull_back(follower.x, follower.y, vec({1, 2, 3})), DimensionMismatch);
  EXPECT_THROW(selection.record(follower.x, follower.y)->push_forward(vec({1})), DimensionMismatch);
  EXPECT_THROW(selection.hypergradient(*testing::quartic(), follower.x, follower.y), DimensionMismatch);
  EXPECT_THROW(UnrolledSelection(g, map, {.steps = 0}), InvalidOption);
  EXPECT_THROW(UnrolledSelection(g, map, {.tolerance = -1}), InvalidOption);
  EXPECT_THROW(UnrolledSelection(g, nullptr, {}), InvalidInput);
  EXPECT_THROW(UnrolledSelection(nullptr, map, {}), InvalidInput);
  EXPECT_THROW(WarmStartedSelection(map, -1, std::make_shared<UnrolledSelection>(selection)), InvalidOption);
  EXPECT_THROW(WarmStartedSelection(map, 1, nullptr), InvalidInput);
  EXPECT_THROW(SolverSelection(g, nullptr, {}, std::make_shared<Minres>()), InvalidInput);
  EXPECT_THROW(SolverSelection(g, std::make_shared<Lbfgs>(), {}, nullptr), InvalidInput);
  auto oracles = testing::oracles_of(g);
  oracles.grad_y = nullptr;
  EXPECT_THROW(UnrolledSelection(testing::objective_of("no gradient", 2, 2, oracles), map, {}), MissingOracle);
}

}  // namespace
}  // namespace bilevel
