#include <cmath>
#include <utility>

#include "bilevel/lower.hpp"
#include "bilevel/random.hpp"

namespace bilevel {

Curvature measure_curvature(const Linearization& lower, Index dim_y, const Vec& start, double tolerance,
                            Index max_products, std::uint64_t seed) {
  return measure_curvature([&](const Vec& v) { return lower.hess_yy(v); }, dim_y, start, tolerance, max_products, seed);
}

Curvature measure_curvature(const std::function<Vec(const Vec&)>& product, Index dim, const Vec& start,
                            double tolerance, Index max_products, std::uint64_t seed) {
  // A random part is always there: an earlier eigenvector alone may lie across the direction that is the largest now.
  Random random(seed);
  Vec v(dim);
  for (Index i = 0; i < dim; ++i) v[i] = random.normal();
  v /= norm(v);
  if (start.size() == dim && norm(start) > 0) {
    v += start / norm(start);
    v /= norm(v);
  }

  Curvature result{0.0, v, 0, false};
  double previous = 0;
  while (result.products < max_products) {
    Vec image = product(v);
    ++result.products;
    // |H v| rather than v'Hv: eigenvalues of either sign bound the step size of a nonconvex follower.
    result.largest = norm(image);
    if (!(result.largest > 0) || !std::isfinite(result.largest)) {
      result.converged = result.largest == 0;
      return result;
    }
    v = std::move(image);
    v /= result.largest;
    result.eigenvector = v;
    if (std::abs(result.largest - previous) <= tolerance * result.largest) {
      result.converged = true;
      return result;
    }
    previous = result.largest;
  }
  return result;
}

}  // namespace bilevel
