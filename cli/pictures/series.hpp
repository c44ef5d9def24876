// A row of numbers over iterations, made ready for an axis.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pictures/script.hpp"

namespace bilevel::cli {

/// Positions to keep, ascending, so that a line through them looks as one through all: of each of `buckets` stretches
/// the first, the last, the lowest and the highest, which keeps every burst. All of them if they are few.
std::vector<std::size_t> thinned(const std::vector<double>& values, std::size_t buckets = 1000);

/// An axis for values: logarithmic if none is negative and the positive ones span more than `decades`.
struct ValueAxis {
  bool logarithmic = false;
  Range range;
  bool hides_zeros = false;  // there are zeros, which a logarithmic axis cannot show
  std::size_t missing = 0;   // values that are not drawable
  bool empty = false;        // nothing to draw

  /// "set yrange ..." and "set logscale y" or "unset logscale y"; `letter` is 'x' or 'y'.
  std::string commands(char letter) const;
};
ValueAxis value_axis(const std::vector<double>& values, double decades);

}  // namespace bilevel::cli
