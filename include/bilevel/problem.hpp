// A bilevel problem: minimise f(x, y) over x, where y minimises g(x, .).
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "bilevel/objective.hpp"

namespace bilevel {

/// A solution known in closed form, for tests and examples.
struct KnownSolution {
  Vec x;         // R^n
  Vec y;         // R^m
  double upper;  // f(x, y)
};

/// Leader (upper) and follower (lower) objectives on the same (x, y), and a start.
struct BilevelProblem {
  std::string name;
  std::shared_ptr<const Objective> upper;  // f
  std::shared_ptr<const Objective> lower;  // g
  Vec x0;                                  // R^n
  Vec y0;                                  // R^m
  std::optional<KnownSolution> known;

  Index dim_x() const { return lower->dim_x(); }
  Index dim_y() const { return lower->dim_y(); }
  /// The worse of the two objectives' rounding().
  double rounding() const { return std::max(upper->rounding(), lower->rounding()); }

  /// Throws DimensionMismatch when the two objectives or the start disagree on n or m, naming all misfits at once.
  void validate() const;
};

}  // namespace bilevel
