#include "linear/scaling.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace bilevel {

double scaled_norm(const Vec& v) {
  const double largest = v.size() == 0 ? 0.0 : v.lpNorm<Eigen::Infinity>();
  return largest > 0 ? largest * norm(v / largest) : 0.0;
}

double power_of_two_near(const Vec& v) {
  return std::ldexp(1.0, std::clamp(std::ilogb(v.lpNorm<Eigen::Infinity>()), -1000, 1000));
}

void check_stop(std::string_view name, const LinearStop& stop, std::string_view default_budget) {
  if (!(stop.tolerance >= 0 && stop.tolerance < 1)) {
    throw InvalidOption(fmt::format("{}'s tolerance is {}, but it must be in [0, 1)", name, stop.tolerance));
  }
  if (stop.max_iterations < 0) {
    throw InvalidOption(fmt::format("{}'s max_iterations is {}, but it must be at least 0 (0 means {})", name,
                                    stop.max_iterations, default_budget));
  }
}

std::optional<LinearSolver::Summary> answer_without_iteration(std::string_view name, Index size, const Vec& b,
                                                              const Vec* warm_start) {
  LinearSolver::Summary summary;
  summary.x = Vec::Zero(size);
  if (!all_finite(b) || (warm_start && !all_finite(*warm_start))) {
    summary.status = Status::nonfinite;
    summary.residual = summary.relative_residual = std::numeric_limits<double>::quiet_NaN();
    summary.message = fmt::format("{} did not start: {} has entries that are not finite", name,
                                  all_finite(b) ? "the warm start" : "the right-hand side");
    return summary;
  }
  if ((b.array() == 0.0).all()) {
    summary.status = Status::converged;
    summary.message = fmt::format("{} converged after 0 iterations: the right-hand side is zero", name);
    return summary;
  }
  return std::nullopt;
}

}  // namespace bilevel
