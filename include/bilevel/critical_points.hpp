// All critical points of the follower's objective g(x, .) in a box, each classified.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/box.hpp"
#include "bilevel/objective.hpp"

namespace bilevel {

/// By the inertia of H = d2_yy g.
enum class CriticalKind { minimiser, saddle, maximiser, degenerate };
std::string_view to_string(CriticalKind kind);

struct CriticalPoint {
  Vec y;  // R^m, g_y(x, y) = 0
  CriticalKind kind = CriticalKind::degenerate;
  Index index = 0;      // negative eigenvalues of H
  Index kernel = 0;     // eigenvalues within the tolerance of 0
  Vec eigenvalues;      // R^m, ascending
  double smallest = 0;  // the eigenvalue nearest to 0, with its sign
  double lower = 0;     // g(x, y)
  double upper = 0;     // f(x, y); NaN without an upper objective
  double residual = 0;  // |g_y(x, y)|
  /// False where the search saw further critical points as near as it can tell: a curve of them, say. Always true for
  /// an H without kernel.
  bool isolated = true;
};

struct CriticalPointOptions {
  /// Runs of Newton's method, m > 1; 0: 64 + 32 m. More while new points keep coming, at most 20 times that, but only 3
  /// times where every second hit is then still a new point: there are too many to be listed.
  Index starts = 0;
  Index resolution = 4000;             // m = 1: cells that the box is cut into; roots nearer than a cell may be missed
  double tolerance = 1e-10;            // |g_y| relative to its median over the box
  double degenerate_tolerance = 1e-6;  // |eigenvalue| <= tolerance * max(1, |H|) counts as zero
  double merge_distance = 1e-6;        // points nearer than this times the box's diameter are one
  std::uint64_t seed = 1;
};

struct CriticalPoints {
  std::vector<CriticalPoint> points;  // minimisers first, then by index; among equals by g
  bool exhaustive = false;            // m = 1: every sign change of g_y between cells was found
  /// Starts of which the last half found nothing new; a point that was hit only once says that others may be missing.
  /// m = 1: true, unless g_y is nowhere a number.
  bool settled = false;
  std::string completeness;  // one sentence: how complete the list is believed to be, and why
  Index starts = 0;          // Newton runs, or cells
  Index gradients = 0;       // evaluations of g_y

  Index count(CriticalKind kind) const;
};

/// Largest m for which this search is offered: it forms the m x m Hessian, which no method does.
inline constexpr Index kLargestSearchDimension = 50;

/// m = 1: brackets every sign change of g_y over `resolution` cells, and touching zeros between them; exhaustive up to
/// the resolution. m > 1: Newton's method (damped on |g_y|^2) from a scrambled low-discrepancy sequence of starts, with
/// deflation of the points already found: from every fourth start Newton's method runs again on g_y times
/// prod_i (1 / |y - y_i|^2 + 1), and cannot end at the points y_i. [Brown and Farrell 2015] Of critical points that are
/// not isolated, at most four are listed. Points outside the box, widened by 1e-6 of its width, are dropped. `upper`
/// may be null. Same arguments, same answer. Throws DimensionMismatch, InvalidOption, and InvalidInput for m >
/// kLargestSearchDimension or a box without width in some coordinate.  [BLPV25, sec. 3: crit g_x]
CriticalPoints find_critical_points(const Objective& lower, const Vec& x, const Box& box,
                                    const CriticalPointOptions& options = {}, const Objective* upper = nullptr);

/// Inertia of H at y, without moving it; forms H.
CriticalPoint classify(const Objective& lower, const Vec& x, const Vec& y, double degenerate_tolerance = 1e-6,
                       const Objective* upper = nullptr);

}  // namespace bilevel
