// The adjoint system xi ~ -H^+ v: singular, indefinite, inconsistent and not finite.
#include <gtest/gtest.h>

#include <limits>

#include "methods/adjoint_system.hpp"
#include "probes.hpp"
#include "taylor.hpp"

namespace bilevel::testing {
namespace {

struct System {
  Eigen::MatrixXd H;
  Vec v, xi;  // xi = -H^+ v
  LinearOperator hessian() const {
    return LinearOperator::symmetric(H.rows(), [this](const Vec& u) -> Vec { return H * u; });
  }
};

/// v has parts along all eigenvectors, also those of eigenvalue 0.
System system_of(const Vec& eigenvalues) {
  Random random(8);
  System system;
  system.H = with_eigenvalues(eigenvalues, random);
  system.v = random_vec(eigenvalues.size(), random);
  Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd> decomposition;
  decomposition.setThreshold(1e-10);  // between rounding and the least eigenvalue
  decomposition.compute(system.H);
  system.xi = -decomposition.solve(system.v);
  return system;
}

TEST(BgsOptAdjoint, BothSolversFindTheMinimumNormSolution) {
  for (const auto& eigenvalues : {vec({0, 0, 0.5, 1, 2}), vec({-2, -0.5, 0, 1, 1.5}), vec({0.5, 1, 1, 2, 3})}) {
    const auto system = system_of(eigenvalues);
    const Vec zero = Vec::Zero(5);
    const auto cg = solve_normal_equations(system.hessian(), system.v, zero, 0, {.tolerance = 1e-13});
    const auto descent = descend_normal_equations(system.hessian(), system.v, zero, 1e-13, 5000);
    for (const auto& solved : {cg, descent}) {
      EXPECT_EQ(solved.status, Status::converged) << solved.message;
      // H^2 xi = -H v to 1e-13 of |H v| <= 3 |v|, over the least eigenvalue 1/4 of H^2.
      EXPECT_LE(norm(solved.x - system.xi), 1e-11) << solved.message;
    }
    EXPECT_LE(cg.iterations, 7) << "as many as H^2 has eigenvalues, and rounding";
  }
}

TEST(BgsOptAdjoint, AStartInTheKernelChangesNothingElse) {
  const auto system = system_of(vec({0, 0.5, 1, 1.5, 2}));
  Vec kernel = system.v + system.H * system.xi;  // the part of v that no xi reaches
  ASSERT_GT(norm(kernel), 0.01);
  const auto solved = descend_normal_equations(system.hessian(), system.v, kernel, 1e-13, 5000);
  EXPECT_EQ(solved.status, Status::converged) << solved.message;
  EXPECT_LE(norm(solved.x - system.xi - kernel), 1e-11) << "as above";
}

TEST(BgsOptAdjoint, AnUnreachableRightHandSideGivesZero) {
  const Eigen::MatrixXd H = Vec(vec({0, 1})).asDiagonal();
  const auto hessian = LinearOperator::symmetric(2, [&](const Vec& u) -> Vec { return H * u; });
  const Vec v = vec({1, 0}), start = vec({0, 3});
  EXPECT_EQ(descend_normal_equations(hessian, v, start, 1e-9, 10).x, Vec::Zero(2));
  EXPECT_EQ(solve_normal_equations(hessian, v, start, 0, {}).x, Vec::Zero(2));
}

TEST(BgsOptAdjoint, ABudgetEndsItAndNumbersThatAreNotFiniteAreNamed) {
  const auto system = system_of(vec({0, 0.1, 1, 1.5, 2}));
  const auto three = descend_normal_equations(system.hessian(), system.v, Vec::Zero(5), 1e-13, 3);
  EXPECT_EQ(three.status, Status::budget_reached);
  EXPECT_EQ(three.iterations, 3);
  EXPECT_EQ(three.products, 2 + 2 * 3 + 1) << "H v and H xi, two a step, the last gradient";
  // The best step along the direction: |H xi + v|^2 falls, hence so does what is left beside the unreachable part.
  EXPECT_LT(norm(system.H * three.x + system.v), norm(system.v));

  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    const auto broken = LinearOperator::symmetric(5, [&](const Vec& u) -> Vec { return bad * u; });
    EXPECT_EQ(descend_normal_equations(broken, system.v, Vec::Zero(5), 1e-9, 10).status, Status::nonfinite);
    EXPECT_EQ(solve_normal_equations(broken, system.v, Vec::Zero(5), 0, {}).status, Status::nonfinite);
  }
}

}  // namespace
}  // namespace bilevel::testing
