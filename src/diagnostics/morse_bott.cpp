#include "bilevel/morse_bott.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "diagnostics/morse_bott_samples.hpp"

namespace bilevel {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string where(MoveKind kind) {
  switch (kind) {
    case MoveKind::leader: return "as x moves";
    case MoveKind::kernel: return "along the kernel of H";
    case MoveKind::both: return "as x moves, along the kernel of H";
  }
  return "";
}

MorseBott conclude(MorseBott result, MorseBottVerdict verdict, std::string reason) {
  result.verdict = verdict;
  result.reason = std::move(reason);
  return result;
}

std::string dimension_text(const MorseBott& r) {
  return r.critical_dimension && *r.critical_dimension != r.expected_dimension
             ? fmt::format("; the critical set has dimension {} beside it, where a Morse-Bott one has {}",
                           *r.critical_dimension, r.expected_dimension)
             : "";
}

void describe(MorseBott& r, const CriticalPlace& place) {
  r.y = place.y;
  r.largest_zero = place.largest_zero;
  r.smallest_nonzero = place.smallest_nonzero;
  r.negative = place.negative;
  const auto kernel = place.spectrum.kernel.cols();
  const double rounding = std::numeric_limits<double>::epsilon() * place.size;
  const bool both = kernel > 0 && kernel < place.y.size();
  r.gap = both ? r.smallest_nonzero / std::max(r.largest_zero, rounding) : kInfinity;
  const double size = place.mixed.norm();
  // Where x does not move the follower B is rounding, and so is its part in the kernel.
  const double floor = place.floor / (1 + norm(place.x));
  r.range_residual = size > floor ? (place.spectrum.kernel.transpose() * place.mixed).norm() / size : 0;
}

void count(MorseBott& r, const std::vector<Move>& moves, Index kernel) {
  std::map<Index, Index> dimensions;
  bool leader_settled = true, leader_moved = false, follows = true;
  r.radius = kInfinity;
  for (const Move& move : moves) {
    ++r.samples;
    if (!move.settled) {
      ++r.unsettled;
      if (move.kind == MoveKind::leader) leader_settled = false;
      continue;
    }
    r.radius = std::min(r.radius, move.radius);
    if (move.dimension) ++dimensions[*move.dimension];
    if (!move.vanishes && move.outside > r.kernel_residual) {
      r.kernel_residual = move.outside;
      r.kernel_order = move.order;
    }
    if (move.kind != MoveKind::leader) continue;
    leader_moved = true;
    if (move.doubtful) leader_settled = false;
    follows = follows && move.vanishes && move.kernel_dimension == kernel;
  }
  if (r.radius == kInfinity) r.radius = 0;
  Index most = 0;
  for (const auto& [dimension, times] : dimensions) {
    if (times > most) {
      most = times;
      r.critical_dimension = dimension;
    }
  }
  if (moves.empty()) r.critical_dimension = r.expected_dimension;
  if (leader_moved && (leader_settled || !follows)) r.follows_leader = follows;
}

}  // namespace

std::string_view to_string(MorseBottVerdict verdict) {
  switch (verdict) {
    case MorseBottVerdict::holds_on_the_samples: return "holds on the samples";
    case MorseBottVerdict::fails: return "fails";
    case MorseBottVerdict::undecided: return "undecided";
  }
  return "unknown";
}

MorseBott morse_bott(const Objective& lower, const Vec& x, const Vec& y, const MorseBottOptions& options) {
  check_morse_bott(lower, x, y, options);
  MorseBott result;
  result.y = y;
  if (y.size() > kMorseBottLimit) {
    return conclude(
        result, MorseBottVerdict::undecided,
        fmt::format("the follower has {} variables, and H is formed for up to {} only", y.size(), kMorseBottLimit));
  }
  const CriticalPlace place = critical_place(lower, x, y, options, options.radius);
  if (!place.not_finite.empty()) {
    return conclude(result, MorseBottVerdict::undecided, fmt::format("{} is not finite here", place.not_finite));
  }
  describe(result, place);
  if (!place.critical()) {
    return conclude(result, MorseBottVerdict::undecided,
                    fmt::format("this is no critical pair: |g_y| = {:.3g} after corrections of y", place.residual));
  }
  if (!(result.gap >= options.gap)) {
    return conclude(result, MorseBottVerdict::undecided,
                    fmt::format("the eigenvalues of H have no gap: the largest counted as zero is {:.3g}, the "
                                "smallest counted as nonzero {:.3g}",
                                result.largest_zero, result.smallest_nonzero));
  }
  const Index kernel = place.spectrum.kernel.cols();
  result.kernel_dimension = kernel;
  result.expected_dimension = x.size() + kernel;
  const auto moves = sample_moves(lower, place, options);
  count(result, moves, kernel);
  result.lojasiewicz = lojasiewicz_constant(lower, place, options);
  if (result.range_residual > options.range_tolerance) {
    return conclude(result, MorseBottVerdict::fails,
                    fmt::format("B' reaches into the kernel of H: |P_ker B'| / |B| = {:.3g} [AM22, Prop. 6]{}",
                                result.range_residual, dimension_text(result)));
  }
  for (const Move& move : moves) {
    if (!move.settled || move.vanishes || move.doubtful) continue;
    return conclude(result, MorseBottVerdict::fails,
                    fmt::format("{} no critical point is left beside y: g_y keeps a part of {:.3g} in the kernel of "
                                "H, of order {:.2g} in the length {:.2g} of the move{}",
                                where(move.kind), move.outside, move.order, move.radius, dimension_text(result)));
  }
  for (const Move& move : moves) {
    if (!move.settled || move.doubtful || move.kernel_dimension == kernel) continue;
    return conclude(result, MorseBottVerdict::fails,
                    fmt::format("{} the kernel of H goes from dimension {} to {}{}", where(move.kind), kernel,
                                move.kernel_dimension, dimension_text(result)));
  }
  const auto doubtful = std::count_if(moves.begin(), moves.end(), [](const Move& move) { return move.doubtful; });
  if (result.unsettled > 0 || doubtful > 0) {
    return conclude(result, MorseBottVerdict::undecided,
                    fmt::format("of {} moves {} could not be corrected to a critical point, and {} left a part of g_y "
                                "that is neither rounding nor of a clear order",
                                moves.size(), result.unsettled, doubtful));
  }
  return conclude(result, MorseBottVerdict::holds_on_the_samples,
                  moves.empty()
                      ? std::string("H is invertible and there is no leader to move")
                      : fmt::format("at all {} moves of length {:.2g} a critical point was found beside y, with a "
                                    "kernel of H of dimension {}",
                                    moves.size(), result.radius, kernel));
}

}  // namespace bilevel
