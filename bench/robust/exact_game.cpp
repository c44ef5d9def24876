#include "exact_game.hpp"

#include <cmath>

namespace bilevel::robust {

RealVec ExactGame::value_slope(const RealVec& x, const RealVec& y) const {
  const auto [f_x, f_y] = upper_gradients(x, y);
  return f_x + slope(x, y).transpose() * f_y;
}

RealMat ExactGame::value_curvature(const RealVec& x, const RealVec& y) const {
  const Index n = x.size();
  RealMat result(n, n);
  for (Index i = 0; i < n; ++i) {
    // Central differences: their own error, step^2 against rounding / step, is about 1e-12.
    const Real step = 1e-6L * (1 + std::abs(x[i]));
    RealVec slopes[2];
    for (const int side : {0, 1}) {
      RealVec moved = x;
      moved[i] += side == 0 ? -step : step;
      const auto there = answer(moved, y);
      slopes[side] = there ? value_slope(moved, *there) : value_slope(x, y);
    }
    result.col(i) = (slopes[1] - slopes[0]) / (2 * step);
  }
  return (result + result.transpose()) / 2;
}

std::optional<RealVec> NewtonGame::answer(const RealVec& x, const RealVec& near) const {
  RealVec y = near;
  Lower at = lower(x, y);
  for (int step = 0; step < 200; ++step) {
    const RealVec direction = -Eigen::LDLT<RealMat>(hessian(x, y)).solve(at.gradient);
    if (!direction.allFinite()) return std::nullopt;
    const Real decrement = -at.gradient.dot(direction);
    Real length = 1;
    Lower next;
    bool moved = false;
    for (int halving = 0; halving < 60 && !moved; ++halving, length /= 2) {
      next = lower(x, y + length * direction);
      // Near the minimum the values are level to rounding: there the gradient decides.
      moved = next.value <= at.value - length * decrement / 10000 || next.gradient.norm() < at.gradient.norm() / 2;
      if (moved) y += length * direction;
    }
    if (!moved) break;
    at = std::move(next);
    // The next step would be about the square of this one.
    if (direction.norm() <= 1e-12L * (1 + y.norm())) break;
  }
  return y;
}

RealMat NewtonGame::slope(const RealVec& x, const RealVec& y) const {
  return -Eigen::LDLT<RealMat>(hessian(x, y)).solve(cross(x, y));
}

RealVec NewtonGame::value_slope(const RealVec& x, const RealVec& y) const {
  const auto [f_x, f_y] = upper_gradients(x, y);
  return f_x - cross(x, y).transpose() * Eigen::LDLT<RealMat>(hessian(x, y)).solve(f_y);
}

// With w = H^-1 f_y the sum f - w'g_y has no slope in y, so that y's own bend does not count.
RealMat NewtonGame::value_curvature(const RealVec& x, const RealVec& y) const {
  const Eigen::LDLT<RealMat> factors(hessian(x, y));
  const RealMat turn = -factors.solve(cross(x, y));
  const auto [xx, yx, yy] = curvature(x, y, factors.solve(upper_gradients(x, y).y));
  const RealMat mixed = turn.transpose() * yx;
  return xx + mixed + mixed.transpose() + turn.transpose() * (yy * turn);
}

}  // namespace bilevel::robust
