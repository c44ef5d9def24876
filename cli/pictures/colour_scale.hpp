// Colours for values that span decades: a monotone scale that gives the low values their share of the range.
#pragma once

#include <string>
#include <vector>

namespace bilevel::cli {

/// position(v) = log(1 + (v - min) / s) / log(1 + (max - min) / s), s the value that a tenth of the v - min lie
/// below: linear near the minimum, logarithmic far above it.
class ColourScale {
 public:
  /// Values that are not drawable are left out; any number of values, also none.
  explicit ColourScale(const std::vector<double>& values);

  double lowest() const { return lowest_; }
  double highest() const { return highest_; }
  /// In [0, 1]; NaN for a value that is not drawable.
  double position(double value) const;
  /// The value at a position in [0, 1].
  double value(double position) const;
  /// Round values, ascending, about evenly placed on the scale; at least one.
  std::vector<double> ticks(int about = 8) const;

 private:
  double lowest_ = 0, highest_ = 0;
  double softness_ = 1;  // s
};

/// Commands for a colour bar with true values at their positions; `title` stands beside it.
std::string colour_bar(const ColourScale& scale, const std::string& title);

}  // namespace bilevel::cli
