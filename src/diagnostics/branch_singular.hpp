// Where H becomes singular on a branch: its end at a fold, a zero of one eigenvalue that it runs through, or a touch.
#pragma once

#include <optional>

#include "diagnostics/branch_path.hpp"

namespace bilevel {

/// A critical point with singular H.
struct SingularPoint {
  double t = 0;
  Vec y;       // R^m
  Vec kernel;  // R^m, |.| = 1: H kernel ~ 0
  double eigenvalue = 0;
  double accuracy = 0;  // of t
  BranchEventKind kind = BranchEventKind::degenerate;
};

/// Newton's method on g_y = 0, H v = 0, |v| = 1 for (y, t, v) from a point of the branch nearby, v the eigenvector
/// nearest to the kernel. [Moore and Spence 1980] Quadratic at a fold; at other singular points linear, and seen by it.
/// Empty if it does not converge. `drive_size` is the typical |B' dx| along the branch: kernel' B' dx counts as zero
/// against it.
std::optional<SingularPoint> singular_end(const BranchTask& task, const PathPoint& from, double drive_size);

/// Between points a and b of one smooth curve whose indices differ by one: the t where the sorted eigenvalue that
/// changes sign is zero. pitchfork, or degenerate if the kernel has more than one dimension.
SingularPoint crossing(const BranchTask& task, const PathPoint& a, const PathPoint& b);

/// Among a, b, c of one smooth curve, |smallest eigenvalue| least at b: the point between a and c where it touches zero
/// without crossing, by golden section; empty if it stays away from zero.
std::optional<SingularPoint> touching(const BranchTask& task, const PathPoint& a, const PathPoint& b,
                                      const PathPoint& c);

}  // namespace bilevel
