// Derivative tests by Taylor slope: the remainder of a first-order expansion falls as t^2, that of a wrong one as t.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "bilevel/objective.hpp"
#include "bilevel/random.hpp"

namespace bilevel::testing {

inline Vec random_vec(Index size, Random& random, double scale = 1) {
  Vec v(size);
  for (Index i = 0; i < size; ++i) v[i] = scale * random.normal();
  return v;
}

/// `remainder(t)` is the norm of an expansion's remainder, `scale` that of its terms. Between t = 1e-2 and 1e-3 a
/// second order remainder falls by 100, a first order one by 10; 40 separates them and leaves room for the third order.
/// Below 1e-13 of the scale there is only rounding (some thousand operations of 1e-16).
template <class Remainder>
void expect_second_order(const std::string& what, double scale, const Remainder& remainder) {
  const double coarse = remainder(1e-2);
  const double fine = remainder(1e-3);
  EXPECT_LE(fine, coarse / 40 + 1e-13 * (1 + scale)) << what << ": remainders " << coarse << " and " << fine;
}

/// All oracles against each other at (x, y): slopes, adjointness, symmetry, and that fused calls give the single ones'
/// answers (up to the rounding of another order of summation).
inline void expect_consistent_oracles(const Objective& phi, const Vec& x, const Vec& y, std::uint64_t seed,
                                      Batch batch = full) {
  Random random(seed);
  const Vec dx = random_vec(phi.dim_x(), random);
  const Vec dy = random_vec(phi.dim_y(), random);
  const Vec dz = random_vec(phi.dim_y(), random);
  const auto at = phi.linearize(x, y, batch, Oracle::value | Oracle::grad_x | Oracle::grad_y);
  const double value = *at.evaluation().value;
  const Vec& grad_x = *at.evaluation().grad_x;
  const Vec& grad_y = *at.evaluation().grad_y;
  const Vec Hdy = at.hess_yy(dy);
  const Vec Bdy = at.hess_xy(dy);
  const Vec Btdx = at.hess_yx(dx);

  expect_second_order("value along x", std::abs(value),
                      [&](double t) { return std::abs(phi.value(x + t * dx, y, batch) - value - t * grad_x.dot(dx)); });
  expect_second_order("value along y", std::abs(value),
                      [&](double t) { return std::abs(phi.value(x, y + t * dy, batch) - value - t * grad_y.dot(dy)); });
  expect_second_order("grad_y along y", grad_y.norm(),
                      [&](double t) { return (phi.grad_y(x, y + t * dy, batch) - grad_y - t * Hdy).norm(); });
  expect_second_order("grad_x along y", grad_x.norm(),
                      [&](double t) { return (phi.grad_x(x, y + t * dy, batch) - grad_x - t * Bdy).norm(); });
  expect_second_order("grad_y along x", grad_y.norm(),
                      [&](double t) { return (phi.grad_y(x + t * dx, y, batch) - grad_y - t * Btdx).norm(); });

  // Equal in exact arithmetic; sums of some thousand terms in another order differ by about 1e-13 of their size.
  const auto near = [](double a, double b, double scale) { return std::abs(a - b) <= 1e-12 * (1 + scale); };
  EXPECT_TRUE(near(dx.dot(Bdy), Btdx.dot(dy), dx.norm() * Bdy.norm())) << "u'(B v) is not (B'u)'v";
  EXPECT_TRUE(near(dz.dot(Hdy), at.hess_yy(dz).dot(dy), dz.norm() * Hdy.norm())) << "H is not symmetric";
  const auto both = at.both(dy);
  EXPECT_LE((both.hess_yy - Hdy).norm(), 1e-12 * (1 + Hdy.norm()));
  EXPECT_LE((both.hess_xy - Bdy).norm(), 1e-12 * (1 + Bdy.norm()));
  EXPECT_TRUE(near(phi.value(x, y, batch), value, std::abs(value)));
  EXPECT_LE((phi.grad_x(x, y, batch) - grad_x).norm(), 1e-12 * (1 + grad_x.norm()));
  EXPECT_LE((phi.grad_y(x, y, batch) - grad_y).norm(), 1e-12 * (1 + grad_y.norm()));
}

}  // namespace bilevel::testing
