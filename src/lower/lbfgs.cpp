#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "bilevel/lower.hpp"
#include "lower/lbfgs_pairs.hpp"

namespace bilevel {

LowerSolver::Summary Lbfgs::solve(const Objective& lower, const Vec& x, const Vec& start,
                                  const Options& options) const {
  constexpr double kArmijo = 1e-4, kWolfe = 0.9;
  const double rounding = std::max(1e-14, lower.rounding());  // of a value
  constexpr int kLineSearchSteps = 40;
  constexpr OracleSet want = Oracle::value | Oracle::grad_y;

  Summary summary;
  summary.y = start;
  LbfgsPairs pairs(memory_);
  auto now = lower.evaluate(want, x, summary.y);
  const double target = options.target(norm(*now.grad_y));
  const auto finish = [&](Status status, std::string_view why) {
    summary.status = status;
    summary.message = fmt::format("{} after {} L-BFGS iterations: |g_y| = {:.3g}, target {:.3g}{}", to_string(status),
                                  summary.iterations, summary.residual, target, why);
    return summary;
  };

  for (;; ++summary.iterations) {
    summary.value = *now.value;
    summary.residual = norm(*now.grad_y);
    if (!std::isfinite(summary.value) || !std::isfinite(summary.residual)) return finish(Status::nonfinite, "");
    if (summary.residual <= target) return finish(Status::converged, "");
    if (options.interrupt && options.interrupt->load()) return finish(Status::interrupted, "");
    if (summary.iterations >= options.max_iterations) return finish(Status::budget_reached, "");

    Vec direction = pairs.direction(*now.grad_y);
    double slope = dot(*now.grad_y, direction);
    if (!(slope < 0)) {
      pairs.clear();
      direction = -*now.grad_y;
      slope = -summary.residual * summary.residual;
    }

    // Bisection between the largest step known too short and the smallest known too long.
    double step = pairs.empty() ? std::min(1.0, 1.0 / summary.residual) : 1.0;
    double too_short = 0, too_long = std::numeric_limits<double>::infinity();
    bool accepted = false;
    for (int i = 0; i < kLineSearchSteps && !accepted; ++i) {
      const Vec trial = summary.y + step * direction;
      auto next = lower.evaluate(want, x, trial);
      const double next_slope = dot(*next.grad_y, direction);
      // Where the value's fall drowns in its rounding, the slopes still tell it.  [Hager and Zhang 2005, (4.1)]
      const bool falls = *next.value <= summary.value + kArmijo * step * slope ||
                         (*next.value <= summary.value + rounding * std::abs(summary.value) &&
                          next_slope <= (2 * kArmijo - 1) * slope);
      if (!falls || !std::isfinite(next_slope)) {
        too_long = step;
      } else if (next_slope < kWolfe * slope) {
        too_short = step;
      } else {
        pairs.add(trial - summary.y, *next.grad_y - *now.grad_y);
        summary.y = trial;
        now = std::move(next);
        accepted = true;
      }
      step = std::isinf(too_long) ? 2 * too_short : 0.5 * (too_short + too_long);
    }
    if (!accepted) {
      // At rounding level no step lowers the value any more; from a stale model a restart still may.
      if (pairs.empty()) return finish(Status::stagnated, ", no step lowers the value further");
      pairs.clear();
    }
  }
}

}  // namespace bilevel
