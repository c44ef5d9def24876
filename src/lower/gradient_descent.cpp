#include <cmath>

#include <fmt/format.h>

#include "bilevel/lower.hpp"

namespace bilevel {

LowerSolver::Summary GradientDescent::solve(const Objective& lower, const Vec& x, const Vec& start,
                                            const Options& options) const {
  Summary summary;
  summary.y = start;
  double step_size = step_size_;
  if (step_size <= 0) {
    const auto curvature = measure_curvature(lower.linearize(x, start), lower.dim_y());
    step_size = curvature.largest > 0 ? 0.9 / curvature.largest : 1.0;
  }
  double target = 0;
  for (;; ++summary.iterations) {
    const auto evaluation = lower.evaluate(Oracle::value | Oracle::grad_y, x, summary.y);
    summary.value = *evaluation.value;
    summary.residual = norm(*evaluation.grad_y);
    if (!std::isfinite(summary.value) || !std::isfinite(summary.residual)) {
      summary.status = Status::nonfinite;
      summary.message =
          fmt::format("the follower became non-finite after {} steps of size {:.3g}", summary.iterations, step_size);
      return summary;
    }
    if (summary.iterations == 0) target = options.target(summary.residual);
    if (summary.residual <= target) {
      summary.status = Status::converged;
      break;
    }
    if (options.interrupt && options.interrupt->load()) {
      summary.status = Status::interrupted;
      break;
    }
    if (summary.iterations >= options.max_iterations) break;
    summary.y -= step_size * *evaluation.grad_y;
  }
  summary.message = fmt::format("{} after {} gradient steps of size {:.3g}: |g_y| = {:.3g}, target {:.3g}",
                                to_string(summary.status), summary.iterations, step_size, summary.residual, target);
  return summary;
}

}  // namespace bilevel
