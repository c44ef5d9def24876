#include "bilevel/uniform_convexity.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "bilevel/random.hpp"
#include "bilevel/status.hpp"

namespace bilevel {

std::string_view to_string(UniformConvexityVerdict verdict) {
  switch (verdict) {
    case UniformConvexityVerdict::fits: return "fits";
    case UniformConvexityVerdict::no_single_exponent: return "no single exponent";
    case UniformConvexityVerdict::not_convex: return "not convex";
    case UniformConvexityVerdict::undecided: return "undecided";
  }
  return "unknown";
}

namespace {

/// g(x, y + d) above its tangent at y.
class Excess {
 public:
  Excess(const Objective& lower, const Vec& x, const Vec& y) : lower_(lower), x_(x), y_(y) {
    const auto at = lower.evaluate(Oracle::value | Oracle::grad_y, x, y);
    value_ = *at.value;
    gradient_ = *at.grad_y;
  }

  struct Point {
    Vec d;
    double excess = std::numeric_limits<double>::infinity();
    double rounding = 0;  // of the excess
    Vec gradient;         // R^m, of the excess in d
  };

  Point at(const Vec& d) {
    ++samples_;
    const auto there = lower_.evaluate(Oracle::value | Oracle::grad_y, x_, y_ + d);
    const double tangent = dot(gradient_, d);
    constexpr double kRounding = 1e-14;  // of sums of some tens of terms
    return {d, *there.value - value_ - tangent,
            kRounding * (std::abs(*there.value) + std::abs(value_) + std::abs(tangent)), *there.grad_y - gradient_};
  }

  Index samples() const { return samples_; }

 private:
  const Objective& lower_;
  const Vec &x_, &y_;
  double value_ = 0;
  Vec gradient_;
  Index samples_ = 0;
};

/// Along great circles against the gradient, by angles that shrink where the excess does not fall.
Excess::Point descend(Excess& excess, Excess::Point point, Index steps) {
  const double radius = norm(point.d);
  double angle = 0.3;
  for (Index i = 0; i < steps; ++i) {
    Vec tangent = point.gradient - dot(point.gradient, point.d) / (radius * radius) * point.d;
    const double length = norm(tangent);
    if (!(length > 1e-12 * norm(point.gradient)) || !std::isfinite(length)) break;
    tangent *= radius / length;
    auto next = excess.at(std::cos(angle) * point.d - std::sin(angle) * tangent);
    if (next.excess < point.excess) {
      point = std::move(next);
      angle = std::min(1.5 * angle, 0.7);
    } else {
      angle *= 0.3;
    }
  }
  return point;
}

/// The least excess found on the sphere; `along` is where it was on the last one and becomes where it is here.
Excess::Point least_on_sphere(Excess& excess, double radius, const UniformConvexityOptions& options, Random& random,
                              Vec& along, Index m) {
  std::vector<Excess::Point> starts;
  const auto add = [&](Vec direction) {
    const double length = norm(direction);
    if (!(length > 0)) return;
    direction *= radius / length;
    starts.push_back(excess.at(direction));
    starts.push_back(excess.at(-direction));
  };
  if (m == 1) {
    add(Vec::Ones(1));
  } else {
    for (Index i = 0; i < options.directions; ++i) {
      Vec direction(m);
      for (auto& entry : direction) entry = random.normal();
      add(std::move(direction));
    }
    if (along.size() > 0) add(along);
  }
  const auto less = [](const auto& a, const auto& b) { return a.excess < b.excess; };
  auto best = *std::min_element(starts.begin(), starts.end(), less);
  if (m > 1) best = descend(excess, std::move(best), options.descents);
  along = best.d;
  return best;
}

struct Line {
  double slope, offset, misfit;
};

Line fit(const std::vector<double>& log_radius, const std::vector<double>& log_excess) {
  const auto count = static_cast<double>(log_radius.size());
  double mean_r = 0, mean_e = 0, rr = 0, re = 0;
  for (std::size_t i = 0; i < log_radius.size(); ++i) {
    mean_r += log_radius[i] / count;
    mean_e += log_excess[i] / count;
  }
  for (std::size_t i = 0; i < log_radius.size(); ++i) {
    rr += (log_radius[i] - mean_r) * (log_radius[i] - mean_r);
    re += (log_radius[i] - mean_r) * (log_excess[i] - mean_e);
  }
  Line line{re / rr, mean_e - re / rr * mean_r, 0};
  for (std::size_t i = 0; i < log_radius.size(); ++i) {
    line.misfit = std::max(line.misfit, std::abs(log_excess[i] - line.slope * log_radius[i] - line.offset));
  }
  return line;
}

void check(const UniformConvexityOptions& options) {
  const auto demand = [](bool holds, std::string_view name, double value, std::string_view allowed) {
    if (holds) return;
    throw InvalidOption(fmt::format("uniform convexity: {} must be {}, but is {}", name, allowed, value));
  };
  demand(options.radius >= 1e-6 && options.radius <= 1e3, "radius", options.radius, "from 1e-6 to 1e3");
  demand(options.spheres >= 4, "spheres", static_cast<double>(options.spheres), "at least 4");
  demand(options.directions >= 1, "directions", static_cast<double>(options.directions), "at least 1");
  demand(options.descents >= 0, "descents", static_cast<double>(options.descents), "at least 0");
}

}  // namespace

UniformConvexity estimate_uniform_convexity(const Objective& lower, const Vec& x, const Vec& y,
                                            const UniformConvexityOptions& options) {
  constexpr double kAboveRounding = 100;  // the log of an excess is then right to a hundredth
  constexpr std::size_t kFewest = 4;
  constexpr double kOneExponent = 0.2;
  check(options);
  UniformConvexity result;
  Excess excess(lower, x, y);
  Random random(options.seed);
  Vec along;
  std::vector<double> log_radius, log_excess;
  double radius = options.radius * (1 + norm(y));
  result.largest_radius = radius;
  for (Index j = 0; j < options.spheres; ++j, radius *= std::sqrt(0.5)) {
    const auto least = least_on_sphere(excess, radius, options, random, along, y.size());
    result.samples = excess.samples();
    if (least.excess < -kAboveRounding * least.rounding) {
      result.verdict = UniformConvexityVerdict::not_convex;
      result.smallest_radius = radius;
      result.text = fmt::format("not convex: at a distance of {:.3g} g lies {:.3g} below its tangent (from {} samples)",
                                radius, -least.excess, result.samples);
      return result;
    }
    if (!(least.excess > kAboveRounding * least.rounding) || !std::isfinite(least.excess)) continue;
    log_radius.push_back(std::log(radius));
    log_excess.push_back(std::log(least.excess));
  }
  result.spheres = static_cast<Index>(log_radius.size());
  if (log_radius.size() < kFewest) {
    result.smallest_radius = radius * std::sqrt(2.0);
    result.text = fmt::format(
        "undecided: g rises above rounding on {} of {} spheres of radius {:.2g} to {:.2g} only; "
        "it may be flat along a direction (from {} samples)",
        result.spheres, options.spheres, result.smallest_radius, result.largest_radius, result.samples);
    return result;
  }
  result.largest_radius = std::exp(log_radius.front());
  result.smallest_radius = std::exp(log_radius.back());
  const Line line = fit(log_radius, log_excess);
  result.exponent = line.slope;
  result.misfit = line.misfit;
  result.least_exponent = std::numeric_limits<double>::infinity();
  result.largest_exponent = -result.least_exponent;
  double log_modulus = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < log_radius.size(); ++i) {
    log_modulus = std::min(log_modulus, log_excess[i] - line.slope * log_radius[i]);
    if (i == 0) continue;
    const double local = (log_excess[i] - log_excess[i - 1]) / (log_radius[i] - log_radius[i - 1]);
    result.least_exponent = std::min(result.least_exponent, local);
    result.largest_exponent = std::max(result.largest_exponent, local);
  }
  result.modulus = line.slope * std::exp(log_modulus);
  const bool one = result.largest_exponent - result.least_exponent <= kOneExponent;
  result.verdict = one ? UniformConvexityVerdict::fits : UniformConvexityVerdict::no_single_exponent;
  result.text =
      fmt::format("p = {:.2f}, mu = {:.3g} (from {} samples at distances of {:.2g} to {:.2g}; {})", result.exponent,
                  result.modulus, result.samples, result.smallest_radius, result.largest_radius,
                  one ? fmt::format("the fit is within {:.2g} %", 100 * std::expm1(result.misfit))
                      : fmt::format("no single exponent: {:.2f} to {:.2f} between neighbouring distances",
                                    result.least_exponent, result.largest_exponent));
  return result;
}

}  // namespace bilevel
