#include "descent.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/Eigenvalues>

namespace bilevel::robust {

namespace {

/// phi at x, with the answer on the branch of `near`; false if the follower has none there.
bool evaluate(const ExactGame& game, const RealVec& x, const RealVec& near, Point& point) {
  auto y = game.answer(x, near);
  if (!y || !y->allFinite()) return false;
  point = {x, *y, game.upper(x, *y)};
  return std::isfinite(point.value);
}

struct Step {
  RealVec move;
  Real gain = 0;  // that the quadratic model promises
};

/// Minimiser of gradient's + s'hessian s / 2 over |s| <= radius.
Step best_step(const RealVec& gradient, const RealMat& hessian, Real radius) {
  const Eigen::SelfAdjointEigenSolver<RealMat> eigen(hessian);
  const RealVec& values = eigen.eigenvalues();
  const RealVec slopes = eigen.eigenvectors().transpose() * gradient;
  const Real size = values.cwiseAbs().maxCoeff();
  const auto length = [&](Real shift) { return (slopes.array() / (values.array() + shift)).matrix().norm(); };
  RealVec part;
  const Real least = values.minCoeff();
  if (least > 1e-17L * size && length(0) <= radius) {
    part = -(slopes.array() / values.array()).matrix();
  } else {
    Real low = std::max<Real>(0, -least) + 1e-17L * size, high = low + gradient.norm() / radius + 1e-30L;
    if (length(low) <= radius) {
      part = -(slopes.array() / (values.array() + low)).matrix();
      if (least < -1e-9L * size) {  // the hard case: the slope says nothing along the downward bend
        const Real rest = std::sqrt(std::max<Real>(0, radius * radius - part.squaredNorm()));
        part[0] += part[0] < 0 ? -rest : rest;
      }
    } else {
      for (int halving = 0; halving < 100; ++halving) {
        const Real middle = (low + high) / 2;
        (length(middle) > radius ? low : high) = middle;
      }
      part = -(slopes.array() / (values.array() + high)).matrix();
    }
  }
  const Real gain = -slopes.dot(part) - part.dot(values.cwiseProduct(part)) / 2;
  return {eigen.eigenvectors() * part, gain};
}

}  // namespace

Descent descend(const ExactGame& game, const Point& start, const DescentOptions& options) {
  Descent result{start};
  Point& here = result.end;
  Real radius = options.radius;
  for (int step = 0; step < options.max_steps; ++step) {
    const RealVec gradient = game.value_slope(here.x, here.y);
    const RealMat hessian = game.value_curvature(here.x, here.y);
    if (!gradient.allFinite() || !hessian.allFinite()) return result;
    bool moved = false, widened = false;
    while (!moved) {
      const Step best = best_step(gradient, hessian, radius);
      // What is left below counts for nothing against what was gained, or against rounding.
      const Real counts =
          std::max({options.negligible, 1e-9L * (start.value - here.value), 1e-17L * std::abs(here.value)});
      if (best.gain <= counts) {
        result.minimum = best.move.norm() < radius || radius >= options.widest;
        if (result.minimum || widened || radius >= options.widest) return result;
        widened = true;
        radius = options.widest;
        continue;
      }
      Point next;
      const bool exists = evaluate(game, here.x + best.move, here.y, next);
      const Real gained = exists ? here.value - next.value : -1;
      const bool edge = best.move.norm() > 0.9L * radius;
      if (gained > best.gain / 10) {
        moved = true;
        here = std::move(next);
      }
      if (gained < best.gain / 4) {
        radius = std::min(radius, best.move.norm()) / 4;
        if (radius < 1e-14L * (1 + here.x.norm())) return result;
      } else if (edge && gained > best.gain / 2) {
        radius = std::min(2 * radius, options.widest);
      }
    }
    if (options.enough && options.enough(here)) return result;
  }
  return result;
}

}  // namespace bilevel::robust
