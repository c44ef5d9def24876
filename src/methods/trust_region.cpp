#include "methods/trust_region.hpp"

#include <algorithm>
#include <cmath>

namespace bilevel {

TrustRegionStep minimise_model(const ScaledSpectrum& spectrum, const Vec& gradient, double radius, double side) {
  constexpr int kBisections = 200;
  const Vec& lambda = spectrum.eigenvalues();
  const double zero = spectrum.rounding();
  const Vec c = spectrum.coordinates(gradient);
  const auto at = [&](double t) {
    Vec d(c.size());
    for (Index k = 0; k < c.size(); ++k) d[k] = c[k] == 0 ? 0 : -c[k] / std::max(lambda[k] + t, 1e-300);
    return d;
  };
  TrustRegionStep step;
  Vec d;
  if (lambda[0] > zero && norm(d = at(0)) <= radius) {
    step.inside = true;
  } else {
    // |d(t)| falls from infinity, or from the hard case's value, to 0 as t grows from max(0, -lambda_min).
    const double least = std::max(0.0, -lambda[0]);
    double low = least, high = least + norm(c) / radius + zero;
    for (int i = 0; i < kBisections && high - low > 1e-15 * high; ++i) {
      const double middle = low > 0 && high > 4 * low ? std::sqrt(low * high) : 0.5 * (low + high);
      (norm(at(middle)) > radius ? low : high) = middle;
    }
    d = at(high);
    const double length = norm(d);
    if (length < 0.999 * radius && lambda[0] < -zero) {
      // The hard case: the gradient has no part along the most negative curvature.
      const double rest = std::sqrt(std::max(0.0, radius * radius - length * length + d[0] * d[0]));
      d[0] = d[0] != 0 ? std::copysign(rest, d[0]) : side * rest;
    }
  }
  step.length = norm(d);
  step.decrease = std::max(0.0, -(c.dot(d) + 0.5 * d.dot(lambda.cwiseProduct(d))));
  step.p = spectrum.direction(d);
  return step;
}

}  // namespace bilevel
