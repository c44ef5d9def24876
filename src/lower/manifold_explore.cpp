#include "lower/manifold_explore.hpp"

#include <array>
#include <cmath>
#include <utility>

namespace bilevel {

namespace {

Vec normal_vector(Index size, Random& random) {
  Vec v(size);
  for (auto& entry : v) entry = random.normal();
  return v;
}

/// The end of a chain whose noise adds up to `length` in each direction: tau = length^2 / (2 h steps).
Vec langevin_chain(const Objective& lower, const Vec& x, const FollowerPoint& from, double length, Random& random) {
  constexpr Index kSteps = 30;
  constexpr double kStable = 0.5;  // h |H|; beyond 2 the chain would blow up
  const double h = kStable / from.size();
  const double noise = length / std::sqrt(static_cast<double>(kSteps));  // sqrt(2 h tau)
  Vec y = from.y();
  for (Index i = 0; i < kSteps; ++i) {
    const Vec next = y - h * lower.grad_y(x, y) + noise * normal_vector(y.size(), random);
    if (!all_finite(next) || norm(next) > 1e3 * (1 + norm(from.y()))) return y;
    y = next;
  }
  return y;
}

}  // namespace

KernelBasis kernel_basis(FollowerPoint& point, Index limit, Random& random) {
  // Of a random unit vector; one direction of m is expected to hold 1 / sqrt(m) of it.
  const double gone = negligible(1e-7, point.rounding());
  const Index m = point.y().size();
  KernelBasis basis{Eigen::MatrixXd(m, 0), false};
  const auto deflate = [&](Vec& v) { v -= basis.vectors * (basis.vectors.transpose() * v); };
  while (basis.vectors.cols() <= limit) {
    Vec v = normal_vector(m, random);
    v /= norm(v);
    deflate(v);
    Vec p = point.kernel_part(v);
    deflate(p);
    if (!point.finite()) return basis;
    if (norm(p) <= gone || basis.vectors.cols() == m) {
      basis.complete = true;
      return basis;
    }
    if (basis.vectors.cols() == limit) return basis;
    p /= norm(p);
    deflate(p);
    basis.vectors.conservativeResize(m, basis.vectors.cols() + 1);
    basis.vectors.rightCols(1) = p / norm(p);
  }
  return basis;
}

std::vector<FollowerPoint> explore(const Objective& lower, const Vec& x, FollowerPoint& from, Index count,
                                   Index dimension, const SelectionOptions& options, Random& random, Index& steps) {
  constexpr std::array kLengths{0.3, 1.0, 3.0};  // of 1 + |y|: the manifold's own size is not known
  const Index m = from.y().size();
  const double unit = 1 + norm(from.y());
  std::vector<FollowerPoint> found;
  for (Index i = 0; i < count; ++i) {
    const double length = kLengths[static_cast<std::size_t>(i) % kLengths.size()] * unit;
    // A walk: moves from `from` alone do not get round a sphere.
    FollowerPoint& base = found.empty() ? from : found.back();
    Vec start = base.y();
    if (options.exploration == Exploration::langevin) {
      start = langevin_chain(lower, x, base, length / std::sqrt(static_cast<double>(dimension)), random);
    } else {
      Vec v = normal_vector(m, random);
      if (options.exploration == Exploration::tangent) v = base.rough_kernel_part(v);
      const double size = norm(v);
      if (!(size > 0) || !std::isfinite(size)) continue;
      start += (length / size) * v;
    }
    auto point = send_down(lower, x, start, options.kernel_tolerance, from.size(), options.descent_iterations, steps);
    if (point) found.push_back(std::move(*point));
  }
  return found;
}

}  // namespace bilevel
