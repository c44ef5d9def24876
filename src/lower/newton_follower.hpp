// The follower answered to rounding by Newton's method on a formed Hessian: for small followers, in any units.
#pragma once

#include <atomic>
#include <string>

#include <Eigen/Core>

#include "bilevel/objective.hpp"
#include "bilevel/status.hpp"
#include "linear/scaled_spectrum.hpp"

namespace bilevel {

/// m up to which Newton's method forms H: beyond, products are cheaper than the m that forming takes.
inline constexpr Index kFormedFollower = 200;

/// g at one point with everything of second order formed: 2 m products.
struct FormedFollower {
  Vec y;                    // R^m
  double value = 0;         // g
  Vec gradient;             // g_y, R^m
  Eigen::MatrixXd hessian;  // H, m x m
  Eigen::MatrixXd cross;    // B, n x m
  ScaledSpectrum spectrum;  // of H
  /// What rounding in x, y and the sums makes of g_y, by entry: eps (|H| |y| + |B|' |x|).
  Vec noise;
  bool finite = false;
};

/// Forms g at (x, y). `finite` is false, and what is left empty, where a number was not finite.
FormedFollower form_follower(const Objective& lower, const Vec& x, const Vec& y);

struct CorrectedFollower {
  Vec y;
  /// Every step made |g_y| ten times smaller, or |g_y| was at rounding level when one did not.
  bool settled = false;
};

/// y after at most `most` chord steps with the H of `at`, a point nearby: one gradient each, as long as each makes
/// |g_y| ten times smaller.
CorrectedFollower correct_follower(const Objective& lower, const Vec& x, Vec y, const FormedFollower& at, int most);

struct FollowerAnswer {
  FormedFollower at;  // the answer
  /// converged: a minimiser as far as second order and rounding can tell (its Hessian may be singular); lower_failed;
  /// diverged: g falls without end along a direction; nonfinite; interrupted
  Status status = Status::lower_failed;
  std::string message;
  Vec scale;            // R^m, |y_j| or its last move, whichever is more: the unit that y_j is measured in
  double distance = 0;  // largest |H^-1 g_y|_j / scale_j: how far the minimiser still is
  Index iterations = 0;
  bool flat = false;  // Newton's steps shrank by a steady factor: the curvature vanishes at the answer
};

struct FollowerOptions {
  Index max_iterations = 200;
  const std::atomic<bool>* interrupt = nullptr;
};

/// Minimises g(x, .) from `start`: Newton steps with the absolute values of H's eigenvalues, so that saddles and maxima
/// are left, a weak Wolfe line search, and extrapolation of each coordinate whose Newton steps shrink by a steady
/// factor, as they do by (p - 2) / (p - 1) at a minimum that is flat to order p (Aitken 1926). Stops at rounding level,
/// not at a tolerance: what it returns does not depend on units.
FollowerAnswer solve_follower(const Objective& lower, const Vec& x, const Vec& start,
                              const FollowerOptions& options = {});

/// "along (0, 1)": a direction for messages, scaled to a largest entry of 1, its first entries if it is long.
std::string direction_text(const Vec& direction);

}  // namespace bilevel
