#include "hypergradient/manifold_polish.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

namespace bilevel {

namespace {

/// The last few (s, d) = (move, change of the tangent slope) along S(x), as if S(x) were flat: they are few steps old.
class SecantPairs {
 public:
  bool add(const Vec& s, const Vec& d) {
    constexpr std::size_t kMemory = 10;
    const double curvature = dot(s, d);
    if (!(curvature > 1e-10 * norm(s) * norm(d))) return false;
    if (pairs_.size() == kMemory) pairs_.pop_front();
    pairs_.push_back({s, d, 1 / curvature});
    return true;
  }
  bool empty() const { return pairs_.empty(); }
  void clear() { pairs_.clear(); }

  /// The step that the pairs imply for `slope`; without pairs -first_step slope. Nocedal and Wright, Algorithm 7.4.
  Vec direction(const Vec& slope, double first_step) const {
    Vec q = -slope;
    std::vector<double> alpha(pairs_.size());
    for (std::size_t i = pairs_.size(); i-- > 0;) {
      alpha[i] = pairs_[i].rho * dot(pairs_[i].s, q);
      q -= alpha[i] * pairs_[i].d;
    }
    q *= pairs_.empty() ? first_step : last_step();
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      q += (alpha[i] - pairs_[i].rho * dot(pairs_[i].d, q)) * pairs_[i].s;
    }
    return q;
  }
  double last_step() const { return 1 / (pairs_.back().rho * dot(pairs_.back().d, pairs_.back().d)); }

 private:
  struct Pair {
    Vec s, d;
    double rho;
  };
  std::deque<Pair> pairs_;
};

struct Trial {
  RankedPoint ranked;
  Vec tangent;
};

}  // namespace

std::optional<RankedPoint> rank(const Objective& upper, const Vec& x, FollowerPoint point, SelectionMemory& memory) {
  auto f = upper.evaluate(Oracle::value | Oracle::grad_y, x, point.y());
  if (!std::isfinite(*f.value) || !all_finite(*f.grad_y)) return std::nullopt;
  memory.upper_slope = std::max(memory.upper_slope, norm(*f.grad_y));
  memory.size = std::max(memory.size, point.size());
  return RankedPoint{std::move(point), std::move(*f.grad_y), *f.value};
}

Polished polish(const BilevelProblem& problem, const Vec& x, RankedPoint start, double sign,
                const SelectionOptions& options, SelectionMemory& memory, Index& steps) {
  constexpr double kArmijo = 1e-4, kLongest = 0.5, kFirst = 0.01, kFar = 1e8;
  const double shortest = std::max(1e-14, problem.rounding()), rounding = negligible(1e-13, problem.rounding());
  const double unit = 1 + norm(start.point.y());
  Polished now{.best = std::move(start), .tangent = {}};
  now.tangent = now.best.point.kernel_part(now.best.slope);
  SecantPairs pairs;
  double radius = memory.tangent_step > 0 ? kLongest * unit : kFirst * unit;
  const auto trial_at = [&](const Vec& y) -> std::optional<Trial> {
    auto settled = settle(*problem.lower, x, y, options.kernel_tolerance, memory.size, steps);
    if (!settled || !now.best.point.same_level(settled->value())) return std::nullopt;
    auto ranked = rank(*problem.upper, x, std::move(*settled), memory);
    if (!ranked) return std::nullopt;
    Vec tangent = ranked->point.kernel_part(ranked->slope);
    return Trial{std::move(*ranked), std::move(tangent)};
  };

  for (;; ++now.iterations) {
    const Vec& y = now.best.point.y();
    if (!now.best.point.finite() || !all_finite(now.tangent)) {
      now.status = Status::nonfinite;
      return now;
    }
    const double residual = norm(now.tangent);
    if (residual <= options.polish_tolerance * memory.upper_slope) {
      now.status = Status::converged;
      return now;
    }
    if (norm(y) > kFar * unit) {
      now.status = Status::diverged;
      return now;
    }
    if (radius <= shortest * (1 + norm(y))) {
      now.status = Status::stagnated;
      return now;
    }
    if (now.iterations == options.polish_iterations) return now;

    const Vec slope = sign * now.tangent;
    const double first_step = memory.tangent_step > 0 ? memory.tangent_step : radius / residual;
    Vec d = now.best.point.rough_kernel_part(pairs.direction(slope, first_step));
    if (!(dot(d, slope) < 0)) {
      pairs.clear();
      d = -first_step * slope;
    }
    if (norm(d) > radius) d *= radius / norm(d);
    const double promised = dot(d, slope), length = norm(d);

    auto next = trial_at(y + d);
    if (!next) {
      radius = 0.25 * length;
      continue;
    }
    if (pairs.add(next->ranked.point.y() - y, sign * (next->tangent - now.tangent))) {
      memory.tangent_step = pairs.last_step();
    }
    const double rise = sign * (next->ranked.upper - now.best.upper);
    const bool falls =
        rise <= kArmijo * promised ||
        (rise <= rounding * (std::abs(now.best.upper) + residual * length) && norm(next->tangent) < 0.9 * residual);
    if (!falls) {
      radius = 0.25 * length;
      continue;
    }
    if (length > 0.9 * radius) radius = std::max(std::min(4 * radius, kLongest * (1 + norm(y))), radius);
    now.best = std::move(next->ranked);
    now.tangent = std::move(next->tangent);
  }
}

}  // namespace bilevel
