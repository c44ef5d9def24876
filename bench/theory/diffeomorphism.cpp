// Lemma 5.1, Proposition 5.2 and Theorem 5.6: what A^k and its inverse do to critical points of f.
#include <algorithm>
#include <cmath>
#include <memory>

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <Eigen/QR>

#include "bilevel/autodiff.hpp"
#include "bilevel/hypergradient.hpp"
#include "bilevel/random.hpp"
#include "theory/experiments.hpp"

namespace bilevel::theory {

namespace {

constexpr Index kLeader = 2;
constexpr double kHuberStepSize = 0.09;  // a L = 0.9 for the figures' follower

Eigen::MatrixXd random_matrix(Index rows, Index columns, Random& random) {
  Eigen::MatrixXd matrix(rows, columns);
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) matrix(i, j) = random.normal();
  }
  return matrix;
}

Vec random_vec(Index size, Random& random) { return random_matrix(size, 1, random); }

/// A sum of waves in (x, y) and a bowl in y: nonconvex, with |H| <= `curvature` everywhere.
struct Waves {
  std::shared_ptr<const Objective> objective;
  double curvature = 0;
};

Waves random_waves(Index m, Random& random) {
  constexpr Index kWaves = 4;
  const Eigen::MatrixXd in_x = random_matrix(kWaves, kLeader, random), in_y = random_matrix(kWaves, m, random);
  const Vec phase = random_vec(kWaves, random);
  Waves waves;
  constexpr double kBowl = 0.5;
  waves.curvature = kBowl + in_y.rowwise().squaredNorm().sum();
  waves.objective = make_objective("waves", kLeader, m, [=](auto x, auto y) {
    decltype(y[0]) total = 0.5 * kBowl * squared_norm(y);
    for (Index i = 0; i < kWaves; ++i) {
      decltype(y[0]) angle = phase[i];
      for (Index j = 0; j < kLeader; ++j) angle += in_x(i, j) * x[j];
      for (Index j = 0; j < m; ++j) angle += in_y(i, j) * y[j];
      total += cos(angle);
    }
    return total;
  });
  return waves;
}

/// d A^k in (x, z): m x (n + m).
Eigen::MatrixXd jacobian(const GradientDescentMap& map, const Vec& x, const Vec& z, Index steps) {
  const Index n = x.size(), m = z.size();
  Eigen::MatrixXd result(m, n + m);
  result << Eigen::MatrixXd::Zero(m, n), Eigen::MatrixXd::Identity(m, m);
  Vec y = z;
  for (Index j = 0; j < steps; ++j) {
    const auto point = map.record(x, y);
    for (Index i = 0; i < n + m; ++i) {
      const Vec dx = i < n ? Vec(Vec::Unit(n, i)) : Vec(Vec::Zero(n));
      result.col(i) = point->push_forward(dx, result.col(i));
    }
    y = point->image();
  }
  return result;
}

Vec inverse(const GradientDescentMap& map, const Vec& x, Vec y, Index steps) {
  for (Index j = 0; j < steps; ++j) y = map.invert(x, y).y;
  return y;
}

Vec gradient(const BilevelProblem& problem, const GradientDescentMap& map, const Vec& point, Index steps) {
  const Index n = problem.dim_x();
  const auto result =
      unrolled(problem, map, point.head(n), point.tail(point.size() - n), UnrolledOptions{.steps = steps});
  Vec both(point.size());
  both << result.gradient, result.adjoint;
  return both;
}

/// Central differences of the gradient of phi^k with step h; symmetrised.
Eigen::MatrixXd hessian(const BilevelProblem& problem, const GradientDescentMap& map, const Vec& point, Index steps,
                        double h) {
  Eigen::MatrixXd result(point.size(), point.size());
  for (Index i = 0; i < point.size(); ++i) {
    const Vec move = h * Vec::Unit(point.size(), i);
    result.col(i) =
        (gradient(problem, map, point + move, steps) - gradient(problem, map, point - move, steps)) / (2 * h);
  }
  return 0.5 * (result + result.transpose());
}

Vec eigenvalues(const Eigen::MatrixXd& symmetric) {
  return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(symmetric).eigenvalues();
}

/// y^-k of the figures' game for k = first..last, and what `measure` makes of it.
template <class Measure>
Law along_inverse(double target, Index first, Index last, double predicted, const Measure& measure) {
  const auto problem = huber_wells(target);
  const GradientDescentMap map(*problem.lower, kHuberStepSize);
  Law law;
  for (Index k = first; k <= last; ++k) {
    law.inner_steps.push_back(static_cast<double>(k));
    law.values.push_back(measure(problem, map, inverse(map, problem.x0, Vec::Constant(1, target), k), k));
  }
  law.fitted = log_slope(law.inner_steps, law.values);
  law.predicted = predicted;
  return law;
}

}  // namespace

Diffeomorphism diffeomorphism(Index m, int points, std::uint64_t seed) {
  constexpr Index kSteps = 12;
  Random random(seed);
  const auto waves = random_waves(m, random);
  const GradientDescentMap map(*waves.objective, 0.5 / waves.curvature);
  Diffeomorphism found{0, 1e300};
  for (int i = 0; i < points; ++i) {
    const Vec x = random_vec(kLeader, random), z = 3 * random_vec(m, random);
    Vec y = z;
    for (Index j = 0; j < kSteps; ++j) y = map.apply(x, y);
    found.inverse_error = std::max(found.inverse_error, norm(inverse(map, x, y, kSteps) - z) / (1 + norm(z)));
    found.least_determinant = std::min(found.least_determinant, jacobian(map, x, z, kSteps).rightCols(m).determinant());
  }
  return found;
}

Inertia inertia(Index m, Index inner_steps, std::uint64_t seed) {
  Random random(seed);
  const Index size = kLeader + m;
  const auto waves = random_waves(m, random);
  const GradientDescentMap map(*waves.objective, 0.5 / waves.curvature);

  // f = w'F w/2 + sum w_i^3/3 about a random point, F with eigenvalues of random sign and size in [1/2, 2].
  const Eigen::MatrixXd basis = random_matrix(size, size, random).householderQr().householderQ();
  Vec spectrum(size);
  Inertia found;
  for (Index i = 0; i < size; ++i) {
    spectrum[i] = (random.uniform() < 0.5 ? -1 : 1) * (0.5 + 1.5 * random.uniform());
    found.negative_upper += spectrum[i] < 0;
  }
  const Eigen::MatrixXd F = basis * spectrum.asDiagonal() * basis.transpose();
  const Vec x = random_vec(kLeader, random), y = random_vec(m, random);
  Vec centre(size);
  centre << x, y;
  auto upper = make_objective("critical", kLeader, m, [=](auto leader, auto follower) {
    const auto w = [&](Index i) { return (i < kLeader ? leader[i] : follower[i - kLeader]) - centre[i]; };
    decltype(leader[0]) total = 0;
    for (Index i = 0; i < size; ++i) {
      for (Index j = 0; j < size; ++j) total += 0.5 * F(i, j) * w(i) * w(j);
      total += w(i) * w(i) * w(i) / 3.0;
    }
    return total;
  });
  const BilevelProblem problem{"inertia", upper, waves.objective, x, y, {}};

  Vec point(size);
  point << x, inverse(map, x, y, inner_steps);
  found.gradient = norm(gradient(problem, map, point, inner_steps));
  const Eigen::MatrixXd of_phi = hessian(problem, map, point, inner_steps, 1e-5);
  Eigen::MatrixXd V = Eigen::MatrixXd::Identity(size, size);
  V.bottomRows(m) = jacobian(map, x, point.tail(m), inner_steps);
  const Eigen::MatrixXd congruent = V.transpose() * F * V;
  found.congruence_error = (of_phi - congruent).norm() / congruent.norm();
  const Vec values = eigenvalues(of_phi);
  found.negative_phi = (values.array() < 0).count();
  found.least_eigenvalue = values.cwiseAbs().minCoeff();
  return found;
}

Law sharpness(Index first, Index last) {
  constexpr double kSaddleCurvature = 2;  // |g''(0)|
  return along_inverse(0.1, first, last, 2 * std::log(1 + kHuberStepSize * kSaddleCurvature),
                       [](const auto& problem, const auto& map, const Vec& z, Index k) {
                         Vec point(2);
                         point << problem.x0, z;
                         // The valley is as narrow as |z| is small: so must be the differences' step.
                         return eigenvalues(hessian(problem, map, point, k, 1e-4 * norm(z))).cwiseAbs().maxCoeff();
                       });
}

Law run_off(Index first, Index last) {
  constexpr double kOuterCurvature = 2;  // g'' where |y| > sqrt 2
  return along_inverse(2, first, last, -std::log(1 - kHuberStepSize * kOuterCurvature),
                       [](const auto&, const auto&, const Vec& z, Index) { return norm(z); });
}

}  // namespace bilevel::theory
