// Moves of a critical pair along R^n x ker H: is there a critical pair beside it each time?
#pragma once

#include "diagnostics/morse_bott_place.hpp"

namespace bilevel {

enum class MoveKind { leader, kernel, both };

struct Move {
  MoveKind kind = MoveKind::leader;
  bool settled = false;  // y was corrected to P_range g_y = 0 at both radii
  double radius = 0;
  double outside = 0;              // |P_ker g_y| there, at the radius
  double order = 0;                // its order, from half the radius; NaN if it is rounding
  bool vanishes = false;           // it is rounding
  bool doubtful = false;           // neither rounding nor of a clear order
  Index kernel_dimension = 0;      // of H there
  std::optional<Index> dimension;  // of the critical set at the critical pair nearby
};

std::vector<Move> sample_moves(const Objective& lower, const CriticalPlace& place, const MorseBottOptions& options);

/// min |g_y|^2 / (2 |g - g(x, y)|) at points beside y.
std::optional<double> lojasiewicz_constant(const Objective& lower, const CriticalPlace& place,
                                           const MorseBottOptions& options);

}  // namespace bilevel
