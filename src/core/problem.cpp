#include "bilevel/problem.hpp"

#include <fmt/format.h>

#include "bilevel/status.hpp"

namespace bilevel {

void BilevelProblem::validate() const {
  if (!upper || !lower) {
    throw DimensionMismatch(fmt::format("problem '{}' needs an upper and a lower objective, but {} is missing", name,
                                        upper ? "the lower" : "the upper"));
  }
  std::string misfits;
  const auto expect = [&](std::string_view what, Index has, Index needs) {
    if (has != needs)
      misfits +=
          fmt::format("{}{} has {} where the lower objective has {}", misfits.empty() ? "" : "; ", what, has, needs);
  };
  expect("the upper objective's x", upper->dim_x(), dim_x());
  expect("the upper objective's y", upper->dim_y(), dim_y());
  expect("the start x0", x0.size(), dim_x());
  expect("the start y0", y0.size(), dim_y());
  if (!misfits.empty()) throw DimensionMismatch(fmt::format("problem '{}' does not fit together: {}", name, misfits));
  if (!all_finite(x0) || !all_finite(y0)) {
    throw InvalidInput(fmt::format("problem '{}' starts at a point with NaN or infinite entries", name));
  }
}

}  // namespace bilevel
