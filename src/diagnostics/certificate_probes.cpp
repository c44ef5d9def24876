#include "diagnostics/certificate_probes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Eigenvalues>

#include "bilevel/random.hpp"

namespace bilevel {

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

/// The leader's gradient at `x` with y solved anew from `y`; empty where that fails.
std::optional<Vec> gradient_at(const BilevelProblem& problem, const Vec& x, Vec y, const FollowerSpectrum& spectrum) {
  constexpr int kSteps = 20;
  double last = std::numeric_limits<double>::infinity();
  // Steps contract by the relative change of H; the first that does not halve is rounding, or the end of hope.
  for (int i = 0; i < kSteps; ++i) {
    const Vec step = spectrum.dense_solve(problem.lower->grad_y(x, y));
    const double length = norm(step);
    if (!std::isfinite(length)) return {};
    if (length > 0.5 * last) break;
    y -= step;
    last = length;
  }
  const double allowed = std::max(1e-9, 100 * spectrum.noise) * (1 + norm(y));
  if (!(last <= allowed)) return {};

  const auto at = problem.lower->linearize(x, y);
  const auto upper = problem.upper->evaluate(Oracle::grad_x | Oracle::grad_y, x, y);
  Vec w = spectrum.dense_solve(*upper.grad_y);
  last = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kSteps; ++i) {
    const Vec correction = spectrum.dense_solve(*upper.grad_y - at.hess_yy(w));
    const double length = norm(correction);
    if (!std::isfinite(length)) return {};
    if (length > 0.5 * last) break;
    w += correction;
    last = length;
  }
  if (!(last <= std::max(1e-9, 100 * spectrum.noise) * norm(w)) && last > 0) return {};
  Vec gradient = *upper.grad_x - at.hess_xy(w);
  if (!all_finite(gradient)) return {};
  return gradient;
}

}  // namespace

KernelProbe probe_kernel(const Objective& lower, const Vec& x, const Vec& y, const FollowerSpectrum& spectrum,
                         std::uint64_t seed) {
  constexpr Index kMostBasis = 10;
  constexpr int kCombinations = 4, kNearest = 13, kFarthest = 3;  // powers of 1/2
  KernelProbe result;
  const double base = lower.value(x, y);
  result.finite = std::isfinite(base);
  if (!result.finite) return result;
  const double size = 1 + norm(y);
  const double gradient = norm(lower.grad_y(x, y));
  const double rounding = std::max(1e-14, 10 * spectrum.noise) * (std::abs(base) + spectrum.largest * size * size);

  std::vector<Vec> directions;
  const Index k = spectrum.kernel.cols();
  for (Index i = 0; i < std::min(k, kMostBasis); ++i) directions.push_back(spectrum.kernel.col(i));
  Random random(seed + 3);
  for (int i = 0; k > 1 && i < kCombinations; ++i) {
    Vec mixture(k);
    for (auto& entry : mixture) entry = random.normal();
    directions.push_back(spectrum.kernel * (mixture / norm(mixture)));
  }
  for (const Vec& direction : directions) {
    for (const double sign : {1.0, -1.0}) {
      ++result.directions;
      for (int power = kNearest; power >= kFarthest; --power) {
        const double t = std::ldexp(size, -power);
        const Vec moved = y + sign * t * direction;
        double value = lower.value(x, moved);
        if (spectrum.dense) {
          const Vec step = spectrum.dense_solve(lower.grad_y(x, moved));
          if (norm(step) <= t) value = std::min(value, lower.value(x, moved - step));
        }
        if (!std::isfinite(value)) break;
        const double change = value - base;
        // What the gradient left at y may explain says nothing about the kernel.
        if (std::abs(change) <= rounding + 3 * gradient * t) continue;
        if (change < 0) {
          result.falls = true;
          return result;
        }
        break;
      }
    }
  }
  return result;
}

double leader_change(const BilevelProblem& problem, const Vec& x, const Vec& y, const FollowerSpectrum& spectrum,
                     std::uint64_t seed) {
  constexpr double kStep = 1e-4;
  Random random(seed + 6);
  Vec u(x.size());
  for (auto& entry : u) entry = random.normal();
  u *= (1 + norm(x)) / norm(u);
  const auto here = gradient_at(problem, x, y, spectrum), there = gradient_at(problem, x + kStep * u, y, spectrum);
  return here && there ? norm(*there - *here) / kStep : 0;
}

std::optional<LeaderCurvature> leader_curvature(const BilevelProblem& problem, const Vec& x, const Vec& y,
                                                const FollowerSpectrum& spectrum, double gradient_scale) {
  const Index n = x.size();
  const double precision = std::max(kEpsilon, spectrum.noise);
  // Truncation falls as the square of the step, rounding rises as its inverse.
  const double relative_step = std::cbrt(precision);
  Eigen::MatrixXd fine(n, n), coarse(n, n);  // by steps h and 2 h
  double least_step = std::numeric_limits<double>::infinity();
  for (Index i = 0; i < n; ++i) {
    const double step = relative_step * (1 + std::abs(x[i]));
    least_step = std::min(least_step, step);
    for (auto* differences : {&fine, &coarse}) {
      Vec ahead = x, behind = x;
      ahead[i] += (differences == &fine ? 1 : 2) * step;
      behind[i] -= (differences == &fine ? 1 : 2) * step;
      const auto above = gradient_at(problem, ahead, y, spectrum);
      const auto below = gradient_at(problem, behind, y, spectrum);
      if (!above || !below) return {};
      differences->col(i) = (*above - *below) / (ahead[i] - behind[i]);
    }
  }
  const Eigen::MatrixXd hessian = fine + (fine - coarse) / 3;  // Richardson: the terms of h^2 cancel
  const Eigen::MatrixXd symmetric = 0.5 * (hessian + hessian.transpose());
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(symmetric, Eigen::EigenvaluesOnly);
  if (solver.info() != Eigen::Success || !solver.eigenvalues().allFinite()) return {};
  LeaderCurvature result;
  result.smallest = solver.eigenvalues()[0];
  result.size = solver.eigenvalues().cwiseAbs().maxCoeff();
  result.error =
      (hessian - symmetric).norm() + (fine - coarse).norm() / 3 + 10 * precision * gradient_scale / least_step;
  return result;
}

}  // namespace bilevel
