// Eigenvalues in a matrix's own units.
#include "linear/scaled_spectrum.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "probes.hpp"

namespace bilevel::testing {
namespace {

Eigen::MatrixXd definite(Index n, std::uint64_t seed) {
  Random random(seed);
  Eigen::MatrixXd A(n, n);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < n; ++j) A(i, j) = random.normal();
  }
  return A * A.transpose() + 0.1 * Eigen::MatrixXd::Identity(n, n);
}

TEST(ScaledSpectrum, DoesNotDependOnUnits) {
  const Eigen::MatrixXd A = definite(5, 1);
  const Vec units = vec({1e-6, 1, 1e6, 1e3, 1e-2});
  const ScaledSpectrum plain(A), scaled(units.asDiagonal() * A * units.asDiagonal());
  // Entries are rounded once each in the product with the units.
  EXPECT_LE((plain.eigenvalues() - scaled.eigenvalues()).norm(), 1e-13);
  EXPECT_LE((scaled.scale().cwiseQuotient(units) - plain.scale()).norm(), 1e-13 * plain.scale().norm());
}

TEST(ScaledSpectrum, SolvesAndLeavesTheKernelOut) {
  const Eigen::MatrixXd A = definite(4, 2);
  const Vec b = vec({1, -2, 3, 0.5});
  EXPECT_LE((A * ScaledSpectrum(A).solve(b) - b).norm(), 1e-12 * b.norm()) << "condition some hundred times rounding";
  // A line of minimisers: one eigenvalue is rounding, and what lies in its direction is left out.
  Eigen::MatrixXd line(2, 2);
  line << 1, 1, 1, 1;
  const ScaledSpectrum spectrum(line);
  EXPECT_LE(std::abs(spectrum.smallest()), spectrum.rounding());
  EXPECT_LE((spectrum.solve(vec({2, 2})) - vec({1, 1})).norm(), 1e-14);
  EXPECT_LE(spectrum.solve(vec({1, -1})).norm(), 1e-14);
}

TEST(ScaledSpectrum, IllConditionedIsNotSingular) {
  for (const double condition : {1e6, 1e10, 1e12}) {
    Eigen::MatrixXd A(2, 2);  // eigenvalues condition and 1 along (1, 1) and (1, -1)
    A << condition + 1, condition - 1, condition - 1, condition + 1;
    const ScaledSpectrum spectrum(0.5 * A);
    EXPECT_GT(spectrum.smallest(), spectrum.rounding()) << condition;
  }
  Eigen::MatrixXd flat(2, 2);  // a coordinate that has nearly no curvature of its own is no kernel either
  flat << 1, 0, 0, 1e-60;
  EXPECT_GT(ScaledSpectrum(flat).smallest(), 0.5);
}

TEST(ScaledSpectrum, ZeroRowsAreItsKernel) {
  Eigen::MatrixXd A = Eigen::MatrixXd::Zero(3, 3);
  A(0, 0) = 4;
  const ScaledSpectrum spectrum(A);
  EXPECT_EQ(spectrum.eigenvalues()[0], 0);
  EXPECT_EQ(spectrum.eigenvalues()[1], 0);
  EXPECT_NEAR(spectrum.largest(), 1, 1e-15);
  EXPECT_TRUE(ScaledSpectrum(Eigen::MatrixXd::Zero(2, 2)).solve(vec({1, 1})).isZero(0));
}

}  // namespace
}  // namespace bilevel::testing
