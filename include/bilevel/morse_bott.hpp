// Whether the follower's objective is parametric Morse-Bott at a critical pair, and along a line of leaders.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/objective.hpp"

namespace bilevel {

enum class MorseBottVerdict {
  holds_on_the_samples,  // every condition holds at everything that was sampled; never a proof
  fails,                 // a condition is violated by more than rounding explains
  undecided,             // no gap in the spectrum, no critical pair, or numbers that are not finite
};
std::string_view to_string(MorseBottVerdict verdict);

struct MorseBottOptions {
  /// Eigenvalues up to this times |H| (here or a hundredth of a radius away, whichever is larger) count as zero; in
  /// [1e-15, 0.1].
  double kernel_tolerance = 1e-8;
  /// The smallest eigenvalue counted as nonzero must be this many times the largest one counted as zero; at least 1.
  double gap = 1e3;
  /// |P_ker B'| / |B| up to this counts as zero; in [1e-15, 0.1].
  double range_tolerance = 1e-6;
  /// Length of the moves, in units of 1 + |x| and 1 + |y|; in [1e-6, 0.1]. Halved up to 16 times where the correction
  /// of y does not converge.
  double radius = 1e-2;
  /// Moves of x alone, along ker H alone, and of both: this many of each; at least 1.
  Index samples = 6;
  std::uint64_t seed = 1;
};

struct MorseBott {
  MorseBottVerdict verdict = MorseBottVerdict::undecided;
  std::string reason;                     // one sentence: which condition, where, with numbers
  Vec y;                                  // R^m, the critical point meant: the given one after at most ten corrections
  std::optional<Index> kernel_dimension;  // of H at (x, y); empty without a gap
  Index negative = 0;                     // eigenvalues of H below zero and outside the kernel
  double largest_zero = 0;                // the largest |eigenvalue| counted as zero; 0 without a kernel
  double smallest_nonzero = 0;            // the smallest one counted as nonzero; 0 if H = 0
  /// smallest_nonzero / max(largest_zero, rounding); infinity where one of the two kinds is missing.
  double gap = 0;
  /// |P_ker B'| / |B| (Frobenius), 0 where B is zero up to rounding. [AM22, Prop. 6]
  double range_residual = 0;
  Index expected_dimension = 0;  // n + dim ker H
  /// Of the critical set at the critical pairs that the samples led to, n + m - rank [B' H]: the one met most often.
  std::optional<Index> critical_dimension;
  /// Whether a move of x alone leads to a critical point near y with the same rank of H; empty: not settled, or n = 0.
  std::optional<bool> follows_leader;
  /// Of the part of g_y in ker H that no correction within range(H) removes: the largest, and its order in the radius.
  double kernel_residual = 0;
  std::optional<double> kernel_order;
  /// min |g_y|^2 / (2 |g - G(x)|) over points near y; empty where g has no value or does not vary. [AM22, Prop. 1]
  std::optional<double> lojasiewicz;
  double radius = 0;    // the shortest that was used, in units of 1 + |x| and 1 + |y|
  Index samples = 0;    // moves that were made
  Index unsettled = 0;  // of which the correction did not converge
};

/// Judges whether g is Morse-Bott at y with respect to x [AM22, Def. 2]: the critical set M = {g_y = 0} near (x, y) is
/// a manifold of dimension n + dim ker H. Sampled: (x, y) is moved along random directions of R^n x ker H and y
/// corrected within range(H); on such an M the whole g_y vanishes then, and H keeps its rank. Forms H and B, for m up
/// to 500; beyond, undecided. Needs grad_y, hess_yy and hess_xy; value for the Lojasiewicz constant. Throws
/// DimensionMismatch, MissingOracle, and InvalidOption for options out of range.
MorseBott morse_bott(const Objective& lower, const Vec& x, const Vec& y, const MorseBottOptions& options = {});

/// One leader of a segment.
struct MorseBottSample {
  double t = 0;  // x = from + t (to - from)
  Vec x;
  MorseBott at;
};

/// Between two leaders the rank of H or the number of its negative eigenvalues changes.
struct KernelChange {
  double t = 0;         // located to `accuracy`
  double accuracy = 0;  // of t
  Vec x;
  Index before = 0, after = 0;  // dim ker H on either side
  Index at_least = 0;           // dim ker H at x itself: no less than this
  std::string text;             // one sentence
};

struct MorseBottBranch {
  MorseBottVerdict verdict = MorseBottVerdict::undecided;  // fails if it fails somewhere, holds if it holds everywhere
  std::string reason;
  std::vector<MorseBottSample> samples;
  std::vector<KernelChange> changes;
  bool complete = true;  // false: the follower's critical point was lost before `to`
};

/// morse_bott at `leaders` >= 2 equidistant leaders from `from` to `to`, y being the last critical point with a
/// minimum-norm correction. What happens between two of them is seen by its trace only: a changed rank or index. Throws
/// as morse_bott does.
MorseBottBranch morse_bott_along(const Objective& lower, const Vec& from, const Vec& to, const Vec& y,
                                 Index leaders = 11, const MorseBottOptions& options = {});

}  // namespace bilevel
