// Kinks that a Taylor slope runs into.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

#include "bilevel/objective.hpp"

namespace bilevel {

/// The nearest kink up to `order` (see Kink) that a step of at most an eighth of (dx, dy) from (x, y) reaches, as far
/// as its argument is linear: beyond, there are enough short steps for a slope that knows nothing of it.
inline std::optional<Kink> kink_in_the_way(const Objective& objective, const Vec& x, const Vec& y, const Vec& dx,
                                           const Vec& dy, int order) {
  constexpr double kProbe = 1e-6, kLongestStep = 0.125;
  const auto here = objective.kinks(x, y);
  const auto there = objective.kinks(x + kProbe * dx, y + kProbe * dy);
  for (const Kink& kink : here) {
    if (kink.order > order) continue;
    if (kink.distance == 0) return kink;
    const auto moved = std::ranges::find(there, kink.what, &Kink::what);
    if (moved == there.end()) continue;
    const double change = std::abs(moved->distance - kink.distance) / kProbe;
    if (kink.distance <= kLongestStep * change) return kink;
  }
  return std::nullopt;
}

}  // namespace bilevel
