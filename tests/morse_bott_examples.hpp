// Followers with manifolds of minimisers, each at an exactly known critical pair: parametric Morse-Bott ones
// [AM22, Def. 2], and ones that are not.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "bilevel/autodiff.hpp"
#include "bilevel/quadratic.hpp"
#include "bilevel/random.hpp"
#include "probes.hpp"

namespace bilevel::testing {

struct DegenerateFollower {
  std::string name;
  std::shared_ptr<const Objective> lower;
  Vec x, y;       // g_y(x, y) = 0 up to rounding
  Index kernel;   // dim ker H at (x, y)
  double spread;  // size of the starts around y from which descent comes back to the same manifold
};

/// y'Ay/2 + y'Cx with A = diag of rank 4 of 6 in a random basis and range(C) inside range(A): minimisers form a plane.
inline DegenerateFollower singular_quadratic() {
  constexpr Index n = 3, m = 6;
  Random random(5);
  const Eigen::MatrixXd A = with_eigenvalues(vec({0, 0, 0.5, 1, 2, 3}), random);
  Eigen::MatrixXd M(m, n);
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) M(i, j) = random.normal();
  }
  const Vec x = vec({0.3, -0.7, 0.4});
  auto lower = std::make_shared<Quadratic>("singular quadratic", n, m, QuadraticCoefficients{.yy = A, .yx = A * M});
  return {"singular quadratic", std::move(lower), x, -M * x, 2, 1.0};
}

/// A ring of minimisers, |y - c(x)|^2 = 1 + x_2, that moves and grows with x. [AM22, fig. 2 left]
inline DegenerateFollower ring_that_moves() {
  auto lower = make_objective("ring that moves", 2, 2, [](auto x, auto y) {
    return 0.25 * square(square(y[0] - x[0]) + square(y[1] - 0.5 * x[0]) - 1.0 - x[1]);
  });
  const Vec x = vec({0.4, 0.21});
  const double angle = 0.7, radius = 1.1;  // 1.1^2 = 1 + x_2
  return {"ring that moves",
          std::move(lower),
          x,
          vec({x[0] + radius * std::cos(angle), 0.5 * x[0] + radius * std::sin(angle)}),
          1,
          0.3};
}

/// Least squares with more weights (6) than rows (3), the targets being the leader's: |A y - x|^2 / 2.
inline DegenerateFollower least_squares() {
  constexpr Index rows = 3, weights = 6;
  Random random(11);
  Eigen::MatrixXd A(rows, weights);
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < weights; ++j) A(i, j) = random.normal();
  }
  Vec y(weights);
  for (auto& entry : y) entry = random.normal();
  QuadraticCoefficients coefficients{
      .yy = A.transpose() * A, .yx = -A.transpose(), .xx = Eigen::MatrixXd::Identity(rows, rows)};
  auto lower = std::make_shared<Quadratic>("least squares", rows, weights, std::move(coefficients));
  return {"over-parameterised least squares", std::move(lower), A * y, y, weights - rows, 1.0};
}

/// |U V' - X|_F^2 / 2 for a 3 x 3 matrix X (the leader, row by row) and factors U, V of 3 x 3: wherever U and V are
/// invertible the minimisers are a manifold of dimension 9.
inline DegenerateFollower matrix_factorisation() {
  constexpr Index k = 3;
  auto lower = make_objective("matrix factorisation", k * k, 2 * k * k, [](auto x, auto y) {
    decltype(y[0]) total = 0;
    for (Index i = 0; i < k; ++i) {
      for (Index j = 0; j < k; ++j) {
        total += 0.5 * square(dot(y.segment(i * k, k), y.segment(k * k + j * k, k)) - x[i * k + j]);
      }
    }
    return total;
  });
  const Eigen::Matrix3d U{{1.2, 0.3, -0.2}, {0.1, 0.9, 0.4}, {-0.3, 0.2, 1.1}};
  const Eigen::Matrix3d V{{1.0, -0.2, 0.3}, {0.4, 1.1, 0.1}, {0.2, -0.3, 0.9}};
  Vec x(k * k), y(2 * k * k);
  for (Index i = 0; i < k; ++i) {
    for (Index j = 0; j < k; ++j) {
      x[i * k + j] = U.row(i).dot(V.row(j));
      y[i * k + j] = U(i, j);
      y[k * k + i * k + j] = V(i, j);
    }
  }
  return {"matrix factorisation", std::move(lower), x, y, k * k, 0.05};
}

/// A network of one hidden layer, v' tanh(W u + b) with 3 units, that fits 4 points u in R^2 exactly; the targets are
/// the leader's. Parameters y = [W row by row (6); b (3); v (3)]: a manifold of dimension 12 - 4.
inline DegenerateFollower two_layer_network() {
  constexpr Index inputs = 2, hidden = 3, points = 4;
  static constexpr double kPoints[points][inputs] = {{0.5, -1.0}, {1.0, 0.3}, {-0.8, 0.9}, {-0.2, -0.4}};
  auto lower = make_objective("two-layer network", points, hidden * (inputs + 2), [](auto x, auto y) {
    decltype(y[0]) total = 0;
    for (Index i = 0; i < points; ++i) {
      decltype(y[0]) output = 0;
      for (Index h = 0; h < hidden; ++h) {
        output += y[9 + h] * tanh(y[2 * h] * kPoints[i][0] + y[2 * h + 1] * kPoints[i][1] + y[6 + h]);
      }
      total += 0.5 * square(output - x[i]);
    }
    return total;
  });
  const Vec y = vec({0.8, -0.5, 0.3, 1.1, -0.9, 0.4, 0.1, -0.3, 0.5, 1.2, -0.7, 0.9});
  Vec x(points);
  for (Index i = 0; i < points; ++i) {
    x[i] = 0;
    for (Index h = 0; h < hidden; ++h) {
      x[i] += y[9 + h] * std::tanh(y[2 * h] * kPoints[i][0] + y[2 * h + 1] * kPoints[i][1] + y[6 + h]);
    }
  }
  return {"two-layer network", std::move(lower), x, y, hidden * (inputs + 2) - points, 0.02};
}

/// The follower is two_layer_network; the leader moves the four targets so that the fitted network's outputs
/// at two other points change by 0.3, and pays for leaving the first targets.
inline BilevelProblem network_game() {
  const auto follower = two_layer_network();
  const auto output = [](const auto& y, double u, double v) {
    std::decay_t<decltype(y[0])> sum = 0;
    for (Index h = 0; h < 3; ++h) sum += y[9 + h] * tanh(y[2 * h] * u + y[2 * h + 1] * v + y[6 + h]);
    return sum;
  };
  const double first = output(follower.y, 0.2, 0.6) + 0.3, second = output(follower.y, -0.5, -0.9) - 0.3;
  auto upper = make_objective("other points", 4, 12, [given = follower.x, output, first, second](auto x, auto y) {
    decltype(y[0]) total = 0.5 * square(output(y, 0.2, 0.6) - first) + 0.5 * square(output(y, -0.5, -0.9) - second);
    for (Index i = 0; i < 4; ++i) total += 0.25 * square(x[i] - given[i]);
    return total;
  });
  return {"two-layer network with eight spare weights", upper, follower.lower, follower.x, follower.y, {}};
}

/// Every parametric Morse-Bott follower above, and a strict minimum (a kernel of dimension 0 is Morse-Bott too).
inline std::vector<DegenerateFollower> morse_bott_followers() {
  std::vector<DegenerateFollower> all{singular_quadratic(), ring_that_moves(), least_squares(), matrix_factorisation(),
                                      two_layer_network()};
  auto strict = quadratic_problem();
  all.push_back({"strict quadratic", strict.lower, strict.known->x, strict.known->y, 0, 1.0});
  return all;
}

/// A ring of minimisers at x = 0 that x deforms: (|y|^2 - 1)^2/4 + x y_1^2/2. For x > 0 only (0, +-1) stay minimisers
/// and (+-sqrt(1 - x), 0) are saddles, for x < 0 the other way round. [AM22, fig. 2 right]
inline std::shared_ptr<const Objective> ring_that_deforms() {
  return make_objective("ring that deforms", 1, 2, [](auto x, auto y) {
    return 0.25 * square(square(y[0]) + square(y[1]) - 1.0) + 0.5 * x[0] * square(y[0]);
  });
}

/// Not Morse-Bott at (0, 0): minimisers of y^4/4 - x y are cbrt(x), H vanishes at one point of the branch only.
inline std::shared_ptr<const Objective> quartic() {
  return make_objective("quartic", 1, 1, [](auto x, auto y) { return 0.25 * square(square(y[0])) - x[0] * y[0]; });
}

}  // namespace bilevel::testing
