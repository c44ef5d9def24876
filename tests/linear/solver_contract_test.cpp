// What every solver but cg (which has tests of its own) owes its callers, whatever its method.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "linear/pseudo_inverse.hpp"
#include "message_of.hpp"

namespace bilevel {
namespace {

using testing::indefinite_spectrum;
using testing::Matrix;
using testing::message_of;
using testing::normal_vector;
using testing::symmetric_operator;
using testing::with_spectrum;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

class SolverContract : public ::testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<LinearSolver> solver(double tolerance = 1e-10, Index max_iterations = 0) const {
    return make_linear_solver(GetParam(), tolerance, max_iterations);
  }
};

TEST_P(SolverContract, CountsItsProducts) {
  Random random(31);
  const Matrix a = with_spectrum(random, indefinite_spectrum(20, 4, 10));
  Index calls = 0;
  const auto op = LinearOperator::symmetric(20, [&](const Vec& v) -> Vec {
    ++calls;
    return a * v;
  });
  for (const Vec& b : {Vec(a * normal_vector(random, 20)), normal_vector(random, 20)}) {
    calls = 0;
    const auto result = solver()->solve(op, b);
    EXPECT_EQ(result.products, calls) << result.message;
  }
}

TEST_P(SolverContract, AStartAtTheSolutionNeedsNoIteration) {
  Random random(32);
  const Matrix a = with_spectrum(random, indefinite_spectrum(40, 3, 10));
  const Vec b = a * normal_vector(random, 40);
  const auto cold = solver(1e-8)->solve(symmetric_operator(a), b);
  const auto warm = solver(1e-8)->solve(symmetric_operator(a), b, &cold.x);
  EXPECT_EQ(warm.status, Status::converged) << warm.message;
  EXPECT_EQ(warm.iterations, 0);
  EXPECT_EQ(warm.products, 1);
  EXPECT_EQ(warm.x, cold.x);
  const Vec near = cold.x + 1e-6 * normal_vector(random, 40);
  EXPECT_LT(solver(1e-8)->solve(symmetric_operator(a), b, &near).iterations, cold.iterations);
}

TEST_P(SolverContract, KeepsToTheBudget) {
  Random random(33);
  const Matrix a = with_spectrum(random, indefinite_spectrum(40, 3, 50));
  const Vec b = a * normal_vector(random, 40);
  for (const Index budget : {1, 4}) {
    const auto result = solver(1e-10, budget)->solve(symmetric_operator(a), b);
    EXPECT_EQ(result.status, Status::budget_reached) << result.message;
    EXPECT_EQ(result.iterations, budget);
    EXPECT_LT(result.residual, norm(b));
    EXPECT_DOUBLE_EQ(result.residual, norm(b - a * result.x));
  }
}

TEST_P(SolverContract, AToleranceOfZeroEndsAtRounding) {
  Random random(34);
  const Matrix a = with_spectrum(random, indefinite_spectrum(20, 6, 10));
  const Vec b = a * normal_vector(random, 20);
  const auto result = solver(0, 20000)->solve(symmetric_operator(a), b);
  EXPECT_EQ(result.status, Status::stagnated) << result.message;
  EXPECT_TRUE(result.consistent) << result.message;
  EXPECT_LT(result.iterations, 10000);
  EXPECT_LT(result.relative_residual, 1e-14);  // epsilon times condition 10, and some
}

TEST_P(SolverContract, AZeroRightHandSideGivesZero) {
  const auto same = LinearOperator::symmetric(4, [](const Vec& v) { return v; });
  const Vec start = Vec::Ones(4);
  const auto result = solver()->solve(same, Vec::Zero(4), &start);
  EXPECT_EQ(result.status, Status::converged);
  EXPECT_EQ(result.products, 0);
  EXPECT_EQ(result.x, Vec::Zero(4));
  EXPECT_EQ(solver()->solve(LinearOperator::symmetric(0, [](const Vec& v) { return v; }), Vec(0)).status,
            Status::converged);
}

TEST_P(SolverContract, NamesTheIterationWhereAProductIsNotFinite) {
  for (const double bad : {kNaN, kInfinity}) {
    for (const int first : {1, 6, 13}) {
      Random random(35);
      const Matrix a = with_spectrum(random, indefinite_spectrum(30, 3, 30));
      int calls = 0;
      const auto op = LinearOperator::symmetric(30, [&](const Vec& v) -> Vec {
        Vec product = a * v;
        if (++calls >= first) product[2] = bad;
        return product;
      });
      const Vec b = a * normal_vector(random, 30);
      const auto result = solver()->solve(op, b);
      EXPECT_EQ(result.status, Status::nonfinite) << result.message;
      EXPECT_NE(result.message.find("product at iteration"), std::string::npos) << result.message;
      EXPECT_TRUE(all_finite(result.x));
      EXPECT_LE(result.residual, norm(b));
      EXPECT_LE(result.iterations, first);
    }
  }
}

TEST_P(SolverContract, KeepsTheProgressMadeBeforeOneProductThatIsNotFinite) {
  Random random(36);
  const Matrix a = with_spectrum(random, indefinite_spectrum(30, 3, 10));
  int calls = 0;
  const auto op = LinearOperator::symmetric(30, [&](const Vec& v) -> Vec {
    Vec product = a * v;
    if (++calls == 12) product[2] = kNaN;
    return product;
  });
  const Vec b = a * normal_vector(random, 30);
  const auto result = solver()->solve(op, b);
  EXPECT_EQ(result.status, Status::nonfinite) << result.message;
  EXPECT_DOUBLE_EQ(result.residual, norm(b - a * result.x));
}

TEST_P(SolverContract, RefusesToStartFromWhatIsNotFinite) {
  const auto same = LinearOperator::symmetric(2, [](const Vec& v) { return v; });
  const Vec bad = Vec::Constant(2, kInfinity);
  const auto from_b = solver()->solve(same, bad);
  EXPECT_EQ(from_b.status, Status::nonfinite);
  EXPECT_EQ(from_b.x, Vec::Zero(2));
  EXPECT_NE(from_b.message.find("right-hand side"), std::string::npos);
  EXPECT_NE(solver()->solve(same, Vec::Ones(2), &bad).message.find("warm start"), std::string::npos);
  const auto huge = LinearOperator::symmetric(2, [](const Vec& v) -> Vec { return 1e200 * v; });
  const Vec far = Vec::Constant(2, 1e200);
  const auto fallen_back = solver()->solve(huge, Vec::Ones(2), &far);
  EXPECT_EQ(fallen_back.status, Status::nonfinite);
  EXPECT_EQ(fallen_back.x, Vec::Zero(2));
}

TEST_P(SolverContract, IsTheSameAtEveryScaleOfTheRightHandSide) {
  for (const bool consistent : {true, false}) {
    Random random(37);
    const Matrix a = with_spectrum(random, indefinite_spectrum(12, 3, 8));
    const Vec b = consistent ? Vec(a * normal_vector(random, 12)) : normal_vector(random, 12);
    const auto plain = solver()->solve(symmetric_operator(a), b);
    for (const int power : {-900, -60, 60, 900}) {  // 2^-900 squared underflows, 2^900 squared overflows
      const double factor = std::ldexp(1.0, power);
      const auto scaled = solver()->solve(symmetric_operator(a), factor * b);
      EXPECT_EQ(scaled.status, plain.status) << scaled.message;
      EXPECT_EQ(scaled.iterations, plain.iterations);
      EXPECT_EQ(scaled.x, factor * plain.x);
    }
  }
}

TEST_P(SolverContract, IsTheSameAtEveryScaleOfTheOperator) {
  Random random(38);
  const Matrix a = with_spectrum(random, indefinite_spectrum(12, 3, 8));
  for (const bool consistent : {true, false}) {
    const Vec b = consistent ? Vec(a * normal_vector(random, 12)) : normal_vector(random, 12);
    const auto plain = solver()->solve(symmetric_operator(a), b);
    for (const double factor : {1e-200, 1e200}) {  // squares of the products underflow and overflow
      const auto op = LinearOperator::symmetric(12, [&](const Vec& v) -> Vec { return factor * Vec(a * v); });
      const auto scaled = solver()->solve(op, b);
      EXPECT_EQ(scaled.status, plain.status) << scaled.message;
      EXPECT_EQ(scaled.consistent, consistent);
      // Both meet tolerance 1e-10 times condition 8.
      EXPECT_LT(norm(factor * scaled.x - plain.x), 2e-9 * norm(plain.x)) << scaled.message;
    }
  }
}

TEST_P(SolverContract, RefusesMisuseInOneSentence) {
  const std::string name = GetParam();
  EXPECT_EQ(solver()->name(), name);
  EXPECT_EQ(message_of<InvalidOption>([&] { solver(-1.0); }), name + "'s tolerance is -1, but it must be in [0, 1)");
  EXPECT_THROW(solver(kNaN), InvalidOption);
  EXPECT_NE(message_of<InvalidOption>([&] { solver(1e-3, -2); }).find(name + "'s max_iterations is -2, but it must"),
            std::string::npos);
  const LinearOperator plain(2, 2, [](const Vec& v) { return v; });
  if (solver()->requirements().symmetric) {
    EXPECT_THROW(solver()->solve(plain, Vec::Ones(2)), InvalidOption);
  } else {
    EXPECT_THROW(solver()->solve(plain, Vec::Ones(2)), MissingOracle);
  }
}

INSTANTIATE_TEST_SUITE_P(Names, SolverContract,
                         ::testing::Values("minres", "lsqr", "minres_qlp", "normal_gradient", "reparametrised"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(LinearSolverNames, AreAllKnownAndTheNearestOneIsOffered) {
  for (const auto& name : linear_solver_names()) EXPECT_EQ(make_linear_solver(name, 1e-6, 0)->name(), name);
  EXPECT_EQ(message_of<InvalidOption>([] { make_linear_solver("minrez", 1e-6, 0); }),
            "there is no linear solver 'minrez', did you mean 'minres'?; the solvers are "
            "cg, minres, lsqr, minres_qlp, normal_gradient, reparametrised");
}

}  // namespace
}  // namespace bilevel
