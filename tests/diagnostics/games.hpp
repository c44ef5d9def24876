// Followers whose critical points are known in closed form.
#pragma once

#include <cmath>
#include <memory>
#include <vector>

#include <Eigen/QR>

#include "bilevel/autodiff.hpp"
#include "bilevel/box.hpp"
#include "bilevel/random.hpp"

namespace bilevel::testing {

inline Vec v(std::initializer_list<double> entries) {
  Vec result(static_cast<Index>(entries.size()));
  std::copy(entries.begin(), entries.end(), result.data());
  return result;
}

inline Box interval(double low, double high) { return {v({low}), v({high})}; }
inline Box cube(Index dim, double radius) { return {Vec::Constant(dim, -radius), Vec::Constant(dim, radius)}; }

/// [BLPV25, Ex. 3.5]: crit = {0} for x < 0 and {0, +-sqrt(x)} for x > 0; H = -4 x at 0 and 8 x at +-sqrt(x).
inline std::shared_ptr<const Objective> parabola() {
  return make_objective("parabola", 1, 1, [](auto x, auto y) { return square(x[0] - square(y[0])); });
}

/// [BLPV25, Rem. 3.10]: the one critical point -x/sqrt(1 - x^2) goes to infinity as |x| -> 1.
inline std::shared_ptr<const Objective> escaping() {
  return make_objective("escaping", 1, 1,
                        [](auto x, auto y) { return 0.5 * square(x[0] + y[0] / sqrt(square(y[0]) + 1.0)); });
}

/// Wells tilted by x: folds at x = -+2/(3 sqrt 3), y = +-1/sqrt 3; three branches between them, one outside.
inline std::shared_ptr<const Objective> tilted_wells(double tilt = 1) {
  return make_objective("tilted wells", 1, 1, [tilt](auto x, auto y) {
    return 0.25 * square(square(y[0])) - 0.5 * square(y[0]) - tilt * x[0] * y[0];
  });
}

/// A circle of minimisers, and a maximiser at 0, for every x.
inline std::shared_ptr<const Objective> circle() {
  return make_objective("circle", 1, 2, [](auto, auto y) { return 0.25 * square(squared_norm(y) - 1.0); });
}

inline Eigen::MatrixXd rotation(Index dim, std::uint64_t seed) {
  Random random(seed);
  Eigen::MatrixXd noise(dim, dim);
  for (Index i = 0; i < dim; ++i) {
    for (Index j = 0; j < dim; ++j) noise(i, j) = random.normal();
  }
  return noise.householderQr().householderQ();
}

/// sum_i z_i^4/4 - z_i^2/2 with z = Q (y - shift x): 3^m critical points shift x + Q' {-1, 0, 1}^m, 2^m minimisers.
inline std::shared_ptr<const Objective> rotated_wells(const Eigen::MatrixXd& Q, double shift = 0) {
  return make_objective("rotated wells", 1, Q.rows(), [Q, shift](auto x, auto y) {
    decltype(y[0] + 0.0) total = 0;
    for (Index i = 0; i < Q.rows(); ++i) {
      decltype(y[0] + 0.0) z = 0;
      for (Index j = 0; j < Q.cols(); ++j) z = z + Q(i, j) * (y[static_cast<std::size_t>(j)] - shift * x[0]);
      total = total + 0.25 * square(square(z)) - 0.5 * square(z);
    }
    return total;
  });
}

}  // namespace bilevel::testing
