#include "bilevel/box.hpp"

#include <cmath>

#include <fmt/format.h>

#include "bilevel/status.hpp"

namespace bilevel {

bool Box::contains(const Vec& p, double margin) const {
  const Vec slack = margin * (high - low);
  return ((p - low + slack).array() >= 0).all() && ((high + slack - p).array() >= 0).all();
}

void Box::validate(Index dim, const char* what) const {
  if (low.size() != dim || high.size() != dim) {
    throw DimensionMismatch(fmt::format("{} needs {} lower and {} upper bounds, but has {} and {}", what, dim, dim,
                                        low.size(), high.size()));
  }
  for (Index i = 0; i < dim; ++i) {
    // One comparison for both: it fails on NaN too.
    if (!std::isfinite(low[i]) || !std::isfinite(high[i]) || !(low[i] <= high[i])) {
      throw InvalidInput(fmt::format("{}: entry {} goes from {} to {}, but needs finite bounds, the lower one first",
                                     what, i + 1, low[i], high[i]));
    }
  }
}

Box box_around(const Vec& centre, double radius) {
  const Vec reach = radius * centre.cwiseAbs().cwiseMax(1.0);
  return {centre - reach, centre + reach};
}

}  // namespace bilevel
