// Whether derivatives on a batch are derivatives of what the same batch gives.
#pragma once

#include <vector>

#include "bilevel/objective.hpp"

namespace bilevel {

/// A derivative that is none of its function on the batch.
struct BatchMisfit {
  Oracle function, derivative;
};

struct BatchSlopes {
  double worst;  // of the Taylor slopes; infinite if only rounding remains, or nothing was to be measured
  std::vector<BatchMisfit> misfits;
};

/// The Taylor slopes of value and gradients at (x, y) averaged over `batch`, along u in R^n or v in R^m of each
/// direction. The averages over an epoch do not show a product that ignores its batch: they are right. A pair with an
/// oracle of `wrong` is left out.
BatchSlopes batch_slopes(const Objective& objective, const Vec& x, const Vec& y, Batch batch, const Vec& u,
                         const Vec& v, double noise, double smallest_slope, OracleSet wrong);

}  // namespace bilevel
