#include "core/taylor_slope.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace bilevel {

namespace {

// A remainder this many times the noise is known to 10 %, which moves the slope of four points by less than 0.1.
constexpr double kAboveNoise = 10;
// The slope is fitted over the smallest steps above the noise, where terms of higher order matter least.
constexpr std::size_t kFitted = 4;
// Fewer steps above the noise are all long ones, whose remainder proves nothing: a wrong derivative that they could
// show would be an error of some hundred times the noise.
constexpr std::size_t kFewest = 6;
// A range of steps that makes a plateau: 1 to 64.
constexpr std::size_t kPlateau = 7;
constexpr double kFlatSlope = 0.5;

struct Sample {
  double log_step, log_remainder;
};

double fit(std::span<const Sample> samples) {
  double mean_step = 0, mean_remainder = 0;
  for (const auto& s : samples) {
    mean_step += s.log_step / static_cast<double>(samples.size());
    mean_remainder += s.log_remainder / static_cast<double>(samples.size());
  }
  double covariance = 0, variance = 0;
  for (const auto& s : samples) {
    covariance += (s.log_step - mean_step) * (s.log_remainder - mean_remainder);
    variance += (s.log_step - mean_step) * (s.log_step - mean_step);
  }
  return covariance / variance;
}

}  // namespace

TaylorSlope taylor_slope(const std::function<double(double)>& remainder, double scale, double noise) {
  // Terms that vanish at the point itself are not in `scale`; a step of 1000 times the noise keeps them out of sight.
  const double smallest_step = std::max(1e3 * noise, 0x1p-40);
  const double floor = kAboveNoise * noise * scale;
  std::vector<Sample> samples;
  bool finite = false;
  int below = 0;  // one small remainder may be a change of sign, two in a row are noise
  for (double t = 1; t >= smallest_step && below < 2; t /= 2) {
    const double r = remainder(t);
    if (!std::isfinite(r)) continue;  // a long step may leave the function's domain
    finite = true;
    below = r > floor ? 0 : below + 1;
    if (r > floor) samples.push_back({std::log(t), std::log(r)});
  }
  if (!finite) return {.slope = 0, .finite = false};
  if (samples.size() < kFewest) return {.slope = std::numeric_limits<double>::infinity()};
  TaylorSlope result{.slope = fit(std::span(samples).last(kFitted))};
  for (std::size_t first = 0; first + kPlateau <= samples.size(); ++first) {
    result.flat = result.flat || fit(std::span(samples).subspan(first, kPlateau)) < kFlatSlope;
  }
  return result;
}

}  // namespace bilevel
