// What first and second order at a point leave open: whether g falls along the kernel of H, and how the leader's value
// function bends.
#pragma once

#include <optional>

#include "bilevel/problem.hpp"
#include "diagnostics/certificate_spectrum.hpp"

namespace bilevel {

struct KernelProbe {
  bool falls = false;    // a path along a kernel direction, from y on, lies below g(x, y)
  Index directions = 0;  // how many were followed
  bool finite = true;    // false: g was not finite at y
};

/// Follows both ways along the kernel's basis (at most ten) and a few random combinations, at distances from 1e-4 to
/// 1e-1 of 1 + |y|; where all eigenvalues are known each point is also moved back by a Newton step outside the kernel,
/// so that curved valleys are followed. The first change of g above its rounding decides. Needs g's value.
KernelProbe probe_kernel(const Objective& lower, const Vec& x, const Vec& y, const FollowerSpectrum& spectrum,
                         std::uint64_t seed);

/// How much the leader's gradient changes over a unit of 1 + |x|, along a random direction, with y solved anew: what a
/// residual is small against where all of its terms vanish at the solution. 0 where that fails. Needs all eigenvalues
/// of H and no kernel.
double leader_change(const BilevelProblem& problem, const Vec& x, const Vec& y, const FollowerSpectrum& spectrum,
                     std::uint64_t seed);

struct LeaderCurvature {
  double smallest = 0;  // smallest eigenvalue of the Hessian of x -> f(x, y(x))
  double error = 0;     // estimate: its asymmetry, the truncation and the rounding of the differences
  double size = 0;      // its largest eigenvalue in size
};

/// By central differences of f_x - B H^-1 f_y over two steps (4 n of them), with y solved anew by Newton's method, H's
/// factors at (x, y) kept. Needs all eigenvalues of H and no kernel. Empty where something was not finite or Newton did
/// not converge. `gradient_scale`: the size of the terms of the leader's gradient.
std::optional<LeaderCurvature> leader_curvature(const BilevelProblem& problem, const Vec& x, const Vec& y,
                                                const FollowerSpectrum& spectrum, double gradient_scale);

}  // namespace bilevel
