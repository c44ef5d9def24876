// How fast the follower's objective rises around its answer: the exponent p and the modulus mu of uniform convexity.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bilevel/objective.hpp"

namespace bilevel {

enum class UniformConvexityVerdict {
  fits,                // one power of the distance describes the least excess on all spheres
  no_single_exponent,  // positive excess, but its exponent differs from sphere to sphere
  not_convex,          // somewhere g lies below its tangent at y by more than rounding
  undecided,           // too few spheres on which the excess stands above rounding: flat along some direction, say
};
std::string_view to_string(UniformConvexityVerdict verdict);

struct UniformConvexityOptions {
  double radius = 0.3;    // of the largest sphere, in units of 1 + |y|; in [1e-6, 1e3]
  Index spheres = 12;     // each of 1 / sqrt 2 the radius of the one before; at least 4
  Index directions = 16;  // random ones on each sphere, beside their opposites; at least 1
  Index descents = 30;    // steps along the sphere from the best of them towards less excess; at least 0
  std::uint64_t seed = 1;
};

struct UniformConvexity {
  UniformConvexityVerdict verdict = UniformConvexityVerdict::undecided;
  double exponent = 0;  // p of the fit; 0 if undecided or not convex
  double modulus = 0;   // mu: the largest with which every sample satisfies the inequality with this p
  /// Exponents between neighbouring spheres, the smallest and the largest: equal for a pure power.
  double least_exponent = 0, largest_exponent = 0;
  double misfit = 0;                               // largest |log excess - fit|
  double largest_radius = 0, smallest_radius = 0;  // of the spheres that were used
  Index spheres = 0;                               // that were used
  Index samples = 0;                               // points y2 at which g was evaluated
  std::string text;                                // one sentence with the numbers
};

/// Fits p and mu in  g(x, y2) - g(x, y) - <g_y(x, y), y2 - y> >= (mu / p) |y2 - y|^p, y the follower's answer at x:
/// a line through the log of the least excess on spheres around y against the log of their radii. [UniBiO]
///
/// The exponent is that near y, over the radii that the text names: y^4 / 4 - y has p = 2 close to its minimiser y = 1
/// and 4 far from it. On samples, never a proof: the least excess on a sphere is sought by descent from random
/// directions and from the best one of the larger sphere. Needs value and grad_y. Throws DimensionMismatch,
/// MissingOracle, and InvalidOption for options out of range.
UniformConvexity estimate_uniform_convexity(const Objective& lower, const Vec& x, const Vec& y,
                                            const UniformConvexityOptions& options = {});

}  // namespace bilevel
