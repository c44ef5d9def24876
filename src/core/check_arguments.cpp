#include "core/check_arguments.hpp"

#include <string_view>

#include <fmt/format.h>

#include "bilevel/status.hpp"

namespace bilevel {

void check_arguments(const Objective& objective, const Vec& x, const Vec& y, const CheckOptions& options) {
  const auto fits = [&](std::string_view what, const Vec& point, Index expected) {
    if (point.size() != expected) {
      throw DimensionMismatch(fmt::format("objective '{}' needs {} of length {}, but the check was given length {}",
                                          objective.name(), what, expected, point.size()));
    }
    if (!all_finite(point)) {
      throw InvalidInput(fmt::format("the check of objective '{}' needs a point {} without NaN or infinite entries",
                                     objective.name(), what));
    }
  };
  fits("x", x, objective.dim_x());
  fits("y", y, objective.dim_y());
  if (options.directions < 1 || options.directions > 1000) {
    throw InvalidOption(fmt::format("the check's directions is {}, but it must be in 1..1000", options.directions));
  }
  if (!(options.noise > 0 && options.noise <= 1e-2)) {
    throw InvalidOption(fmt::format("the check's noise is {:g}, but it must be in (0, 0.01]", options.noise));
  }
  if (options.batch_size > objective.samples()) {
    throw InvalidOption(fmt::format("the check's batch_size is {}, but objective '{}' has {} samples",
                                    options.batch_size, objective.name(), objective.samples()));
  }
}

}  // namespace bilevel
