// Branches y_i(x) of critical points of the follower, followed along a line of leaders, and the events where they end.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/box.hpp"
#include "bilevel/critical_points.hpp"
#include "bilevel/objective.hpp"

namespace bilevel {

/// x(t) = from + t (to - from), t in [0, 1].
struct LeaderLine {
  Vec from;  // R^n
  Vec to;    // R^n
  Vec at(double t) const { return from + t * (to - from); }
};

enum class BranchEventKind {
  line_end,    // the line ends here; the branch goes on
  fold,        // two branches meet and vanish: one eigenvalue is 0 and P_ker B' is not
  pitchfork,   // one eigenvalue is 0, branches on both sides: symmetric or transcritical crossing
  degenerate,  // eigenvalues vanish, and the kind could not be told
  escape,      // |y| grows without bound as t approaches
  leaves_box,  // y leaves the box of y, widened by half its width on each side
  stalled,     // the corrector failed with eigenvalues away from 0: reported, never passed over
};
std::string_view to_string(BranchEventKind kind);

struct BranchEvent {
  BranchEventKind kind = BranchEventKind::line_end;
  double t = 0;
  Vec x;                        // R^n
  Vec y;                        // R^m, last point if the branch escapes
  double eigenvalue = 0;        // nearest to 0 there
  double accuracy = 0;          // of t: the width of the bracket, or the last Newton step
  std::vector<Index> branches;  // ids of those that meet here
  std::string text;             // one sentence with numbers
};

struct BranchPoint {
  double t = 0;
  Vec x;                // R^n
  Vec y;                // R^m
  Vec slope;            // R^m, dy/dt = -H^-1 B' (to - from)
  double smallest = 0;  // eigenvalue of H nearest to 0
  double largest = 0;   // |H|, the largest |eigenvalue|
  double lower = 0;     // g(x, y)
  double upper = 0;     // f(x, y); NaN without an upper objective
};

/// A maximal piece on which H stays invertible, so that the index is constant. [BLPV25, Prop. 3.6]
struct Branch {
  Index id = 0;                     // 0, 1, ... ; minimisers first
  Index index = 0;                  // negative eigenvalues of H
  std::vector<BranchPoint> points;  // t ascending, at least one
  BranchEvent begin, end;
  bool is_minimiser() const { return index == 0; }
  /// y(t) by cubic interpolation of the points and their slopes, and linear between the last point and an event; empty
  /// outside [begin.t, end.t], and beyond the last point of a branch that escapes.
  std::optional<Vec> at(double t) const;
};

struct BranchOptions {
  Index samples = 17;        // values of t at which critical points are searched for, to find every branch
  double first_step = 1e-2;  // in t
  double smallest_step = 1e-10;
  double largest_step = 2e-2;
  double event_accuracy = 1e-8;  // of t, relative to the line
  CriticalPointOptions search = {};
};

struct BranchMap {
  LeaderLine line;
  std::vector<Branch> branches;         // minimisers first
  std::vector<BranchEvent> events;      // without line_end; those at one place merged; t ascending
  std::vector<CriticalPoints> samples;  // the searches, t ascending
  std::vector<double> sample_ts;
  bool complete = false;     // every critical point of every sample lies on a branch, and every search was settled
  std::string completeness;  // one sentence
};

/// Searches critical points at `samples` values of t, and follows each of them in both directions (predictor
/// dy = -H^-1 B' dx, Newton corrector, step control) until an event, which is located to `event_accuracy`: folds by
/// Newton's method on g_y = 0, H v = 0, |v| = 1, crossings by the root of the eigenvalue that changes its sign. A
/// branch that runs smoothly through a crossing is cut there in two of different index. An escape is extrapolated from
/// points up to a thousand boxes away; its accuracy is how much the estimate moved when |y| last doubled. Critical
/// points that are not isolated are not followed; one event tells of them, with the number of searches that saw some.
/// Oracles: value, grad_y, hess_yy, hess_yx. Forms H: m <= kLargestSearchDimension. Throws DimensionMismatch,
/// InvalidOption.
BranchMap follow_branches(const Objective& lower, const LeaderLine& line, const Box& box_y,
                          const BranchOptions& options = {}, const Objective* upper = nullptr);

}  // namespace bilevel
