// Mean and standard deviation of a few repetitions.
#pragma once

#include <cmath>
#include <span>

namespace bilevel {

struct Spread {
  double mean = 0;
  double deviation = 0;  // over N - 1; 0 for a single value
};

/// Of no values: zeros.
inline Spread spread_of(std::span<const double> values) {
  Spread spread;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) spread.mean += value / count;
  for (const double value : values) spread.deviation += (value - spread.mean) * (value - spread.mean);
  spread.deviation = values.size() > 1 ? std::sqrt(spread.deviation / (count - 1)) : 0;
  return spread;
}

}  // namespace bilevel
