// The exact hypergradient at a solved follower, and the curvature of the leader's value, against the re-solved value.
#include "hypergradient/leader_answer.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "bilevel/autodiff.hpp"
#include "hypergradient/leader_hessian.hpp"
#include "probes.hpp"
#include "taylor.hpp"

namespace bilevel::testing {
namespace {

/// A nonlinear game with two leader and three follower variables; `unit` changes the unit of x_1 and y_1.
BilevelProblem curved(double unit = 1, int p = 2) {
  auto upper = make_objective("f", 2, 3, [unit](auto x, auto y) {
    return square(x[0] / unit - 1.0) + sin(x[1]) * y[1] + square(y[0] / unit + y[2]) + exp(0.3 * y[2]);
  });
  auto lower = make_objective("g", 2, 3, [unit, p](auto x, auto y) {
    const auto a = x[0] / unit, u = y[0] / unit;
    return exp(u) - u * (2.0 + a) + pow(y[1] - u * x[1], p) + square(y[2] - a * x[1]) + 0.1 * square(square(y[2]));
  });
  return {"curved", upper, lower, vec({0.4 * unit, 0.7}), vec({0, 0.3, -0.2}), {}};
}

LeaderAnswer answer_at(const BilevelProblem& problem, const Vec& x) {
  AnswerMemory memory;
  return answer_leader(problem, x, problem.y0, memory);
}

TEST(AnswerLeader, AgreesWithDifferencesOfTheResolvedValue) {
  for (const int p : {2, 4}) {
    for (const double unit : {1e-6, 1.0, 1e6}) {
      const auto problem = curved(unit, p);
      const auto at = answer_at(problem, problem.x0);
      ASSERT_TRUE(at.ok()) << at.message;
      const Vec d = vec({0.6 * unit, -0.8});
      expect_second_order("phi along d", std::abs(at.upper), [&](double t) {
        const auto there = answer_at(problem, problem.x0 + t * d);
        return std::abs(there.upper - at.upper - t * at.gradient.dot(d));
      });
    }
  }
}

TEST(AnswerLeader, ByProductsIsTheSameAsFormed) {
  // More follower variables than are formed: the same game beside 300 that follow x exactly.
  const Index m = kFormedFollower + 100;
  auto upper = make_objective("f", 2, m, [](auto x, auto y) {
    auto sum = square(x[0] - 1.0);
    for (Index j = 0; j < y.size(); ++j) sum += square(y[j] - 0.01 * static_cast<double>(j)) / 100.0;
    return sum;
  });
  auto lower = make_objective("g", 2, m, [](auto x, auto y) {
    auto sum = exp(y[0]) - y[0];
    for (Index j = 0; j < y.size(); ++j) sum += (1.0 + 0.1 * static_cast<double>(j % 7)) * square(y[j] - x[j % 2]);
    return sum;
  });
  const BilevelProblem problem{"wide", upper, lower, vec({0.3, -0.4}), Vec::Zero(m), {}};
  const auto at = answer_at(problem, problem.x0);
  ASSERT_TRUE(at.ok()) << at.message;
  EXPECT_FALSE(at.formed);
  const Vec d = vec({1, 0.5});
  expect_second_order("phi along d", std::abs(at.upper), [&](double t) {
    return std::abs(answer_at(problem, problem.x0 + t * d).upper - at.upper - t * at.gradient.dot(d));
  });
}

TEST(AnswerLeader, TellsAManifoldFromAFlatMinimum) {
  auto upper = make_objective("f", 1, 2, [](auto, auto y) { return square(y[0] - 2.0) + y[1]; });
  auto ring =
      make_objective("ring", 1, 2, [](auto x, auto y) { return square(square(y[0] - x[0]) + square(y[1]) - 1.0); });
  const auto on_ring = answer_at({"ring", upper, ring, vec({0}), vec({0.3, 0.9}), {}}, vec({0}));
  EXPECT_EQ(on_ring.status, Status::breakdown);
  EXPECT_TRUE(on_ring.manifold) << on_ring.message;
  // y starts exactly at its flat answer, where H and B vanish: dy/dx = (2, 1) all the same.
  auto flat = make_objective(
      "flat", 1, 2, [](auto x, auto y) { return square(square(y[0] - 2.0 * x[0])) + square(square(y[1] - x[0])); });
  const auto at_flat = answer_at({"flat", upper, flat, vec({1}), vec({2, 1}), {}}, vec({1}));
  ASSERT_TRUE(at_flat.ok()) << at_flat.message;
  EXPECT_TRUE(at_flat.flat);
  EXPECT_NEAR(at_flat.gradient[0], 2 * (2.0 - 2) * 2 + 1, 1e-10);
}

TEST(LeaderHessian, IsTheDerivativeOfTheHypergradient) {
  for (const double unit : {1e-6, 1.0, 1e6}) {
    const auto problem = curved(unit);
    const auto at = answer_at(problem, problem.x0);
    AnswerMemory memory;
    Vec steps = 1e-6 * problem.x0.cwiseAbs();
    const auto measured = leader_hessian(problem, at, memory, steps);
    ASSERT_TRUE(measured.finite);
    EXPECT_EQ(measured.answers, 0) << "corrections of the answer at hand suffice";
    for (Index i = 0; i < 2; ++i) {
      const double h = 1e-4 * problem.x0[i];
      const Vec e = h * Vec::Unit(2, i);
      const Vec column =
          (answer_at(problem, problem.x0 + e).gradient - answer_at(problem, problem.x0 - e).gradient) / (2 * h);
      const Vec size = measured.hessian.diagonal().cwiseAbs().cwiseSqrt();
      for (Index j = 0; j < 2; ++j) {
        // Forward differences of 1e-6 and central ones of 1e-4 are both off by about 1e-6 of the curvature.
        EXPECT_NEAR(measured.hessian(j, i), column[j], 1e-5 * size[i] * size[j]) << unit;
      }
    }
  }
}

}  // namespace
}  // namespace bilevel::testing
