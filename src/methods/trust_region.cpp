#include "methods/trust_region.hpp"

#include <algorithm>
#include <cmath>

namespace bilevel {

TrustRegionStep minimise_model(const ScaledSpectrum& spectrum, const Vec& gradient, double radius) {
  constexpr int kBisections = 200;
  const Vec& lambda = spectrum.eigenvalues();
  const double zero = std::max(spectrum.rounding(), 1e-300);
  const Vec c = spectrum.coordinates(gradient);
  const auto at = [&](double t) { return Vec(-(c.array() / (lambda.array().abs().max(zero) + t))); };
  TrustRegionStep step;
  Vec d = at(0);
  step.inside = norm(d) <= radius;
  if (!step.inside) {
    double low = 0, high = norm(c) / radius;
    for (int i = 0; i < kBisections && high - low > 1e-15 * high; ++i) {
      const double middle = low > 0 && high > 4 * low ? std::sqrt(low * high) : 0.5 * (low + high);
      (norm(at(middle)) > radius ? low : high) = middle;
    }
    d = at(high);
  }
  step.length = norm(d);
  step.decrease = std::max(0.0, -(c.dot(d) + 0.5 * d.dot(lambda.cwiseProduct(d))));
  step.p = spectrum.direction(d);
  return step;
}

}  // namespace bilevel
