// How well a list of suspects finds the rows that are really mislabelled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bilevel {

/// Detection of wrong rows. `wrong` counts rows whose label differs from the truth, so a perfect cleaner scores 1.
struct Detection {
  std::size_t wrong = 0;    // rows that are really mislabelled
  std::size_t flagged = 0;  // rows that were called suspect
  double precision = 0;     // really wrong among the flagged; 1 if none is flagged
  double recall = 0;        // flagged among the really wrong; 1 if none is wrong
  double f1 = 0;            // harmonic mean of the two
  double auc = 0.5;  // chance that a wrong row is ranked more suspicious than a right one, ties half; 0.5 if undefined
};

/// flagged and is_wrong hold N flags (0 or not), suspicion N numbers, greater = more suspicious.
/// Throws DimensionMismatch if the lengths differ, InvalidInput for a suspicion that is not a number.
Detection measure_detection(std::span<const std::uint8_t> flagged, std::span<const double> suspicion,
                            std::span<const std::uint8_t> is_wrong);

}  // namespace bilevel
