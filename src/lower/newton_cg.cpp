#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "bilevel/lower.hpp"

namespace bilevel {

namespace {

constexpr OracleSet kWant = Oracle::value | Oracle::grad_y;

constexpr double kSignificant = 1e-3;

/// A direction of descent; `finite` is false where a product with H was not.
struct Direction {
  Vec p;
  bool finite = true;
};

/// H p = -gradient by conjugate gradients to |H p + gradient| <= accuracy |gradient|, cut short at curvature <= 0 up to
/// the products' relative `rounding`.
Direction newton_direction(const Linearization& at, const Vec& gradient, double accuracy, double rounding,
                           Index budget) {
  Direction result;
  result.p = Vec::Zero(gradient.size());
  Vec r = -gradient, d = r;
  double rr = dot(r, r), size = 0;
  const double target = accuracy * std::sqrt(rr);
  for (Index i = 0; i < budget && std::sqrt(rr) > target; ++i) {
    const Vec q = at.hess_yy(d);
    const double dd = dot(d, d), dq = dot(d, q);
    if (!std::isfinite(dq) || !all_finite(q)) return {.p = -gradient, .finite = false};
    size = std::max(size, norm(q) / std::sqrt(dd));
    const double noise = 10 * rounding * size * dd;
    if (dq <= noise) {
      // d is one of descent because d'gradient = -r'r. A flat one is worth following only while the residual that it
      // comes from is no rounding.
      if (dq < -noise) return {.p = std::abs(rr / dq) * d};
      if (std::sqrt(rr) > kSignificant * norm(gradient)) return {.p = d};
      return result;
    }
    const double step = rr / dq;
    result.p += step * d;
    r -= step * q;
    const double next = dot(r, r);
    if (!std::isfinite(next)) return {.p = -gradient};
    d = r + (next / rr) * d;
    rr = next;
  }
  return result;
}

}  // namespace

LowerSolver::Summary NewtonCg::solve(const Objective& lower, const Vec& x, const Vec& start,
                                     const Options& options) const {
  constexpr double kArmijo = 1e-4, kWolfe = 0.9;
  const double rounding = std::max(1e-14, lower.rounding());  // of a value
  constexpr int kLineSearchSteps = 60, kPatience = 10;
  constexpr double kEndless = 0x1p50;  // a step that long and still downhill: there is no minimiser this way
  constexpr double kLoosest = 0.1;
  const Index cg_budget = std::clamp<Index>(2 * start.size(), 10, 1000);

  Summary summary;
  summary.y = start;
  auto now = lower.evaluate(kWant, x, summary.y);
  const double first = norm(*now.grad_y);
  const double target = options.target(first);
  const auto finish = [&](Status status, std::string_view why) {
    summary.status = status;
    summary.message = fmt::format("{} after {} Newton iterations: |g_y| = {:.3g}, target {:.3g}{}", to_string(status),
                                  summary.iterations, summary.residual, target, why);
    return summary;
  };

  double least_value = std::numeric_limits<double>::infinity(), least_residual = least_value;
  int idle = 0;  // iterations since the value or the residual last fell by more than rounding
  for (;; ++summary.iterations) {
    summary.value = *now.value;
    summary.residual = norm(*now.grad_y);
    if (!std::isfinite(summary.value) || !std::isfinite(summary.residual)) {
      return finish(Status::nonfinite, ", g or its gradient is not finite at the start");
    }
    if (summary.residual <= target) return finish(Status::converged, "");
    if (options.interrupt && options.interrupt->load()) return finish(Status::interrupted, "");
    if (summary.iterations >= options.max_iterations) return finish(Status::budget_reached, "");
    const bool value_fell = summary.value < least_value - rounding * std::abs(summary.value);
    const bool progress = value_fell || summary.residual < 0.5 * least_residual;
    idle = progress ? 0 : idle + 1;
    if (idle >= kPatience) return finish(Status::stagnated, ", rounding forbids a smaller gradient");
    least_value = std::min(least_value, summary.value);
    least_residual = std::min(least_residual, summary.residual);

    const auto at = lower.linearize(x, summary.y);
    auto direction =
        newton_direction(at, *now.grad_y, std::min(kLoosest, summary.residual / first), lower.rounding(), cg_budget);
    if (!direction.finite) return finish(Status::nonfinite, ", a product with H is not finite");
    double slope = dot(*now.grad_y, direction.p);
    if (!(slope < 0) || !all_finite(direction.p)) {
      direction = {.p = -*now.grad_y};
      slope = -summary.residual * summary.residual;
    }

    // Bisection between the largest step known too short and the smallest known too long; without an upper end, twice
    // as long. Where only the value's fall is settled and the steps run out, the best such step is taken.
    double step = 1, too_short = 0, too_long = std::numeric_limits<double>::infinity();
    std::optional<std::pair<Vec, Evaluation>> lowered;
    for (int i = 0; i < kLineSearchSteps; ++i) {
      Vec trial = summary.y + step * direction.p;
      auto next = lower.evaluate(kWant, x, trial);
      const double value = *next.value;
      const double next_slope = dot(*next.grad_y, direction.p);
      // Where the value's fall drowns in its rounding, the slopes still tell it.  [Hager and Zhang 2005, (4.1)]
      const bool falls =
          value <= summary.value + kArmijo * step * slope ||
          (value <= summary.value + rounding * std::abs(summary.value) && next_slope <= (2 * kArmijo - 1) * slope);
      if (!falls || !std::isfinite(value) || !std::isfinite(next_slope) || !all_finite(*next.grad_y)) {
        too_long = step;
      } else {
        const bool long_enough = next_slope >= kWolfe * slope;
        too_short = step;
        lowered = {std::move(trial), std::move(next)};
        if (long_enough) break;
        if (step >= kEndless) return finish(Status::diverged, ", g falls without bound along a direction");
      }
      step = std::isinf(too_long) ? 2 * too_short : 0.5 * (too_short + too_long);
    }
    if (!lowered) {
      return finish(Status::stagnated, ", no step lowers the value further");
    }
    summary.y = std::move(lowered->first);
    now = std::move(lowered->second);
  }
}

}  // namespace bilevel
