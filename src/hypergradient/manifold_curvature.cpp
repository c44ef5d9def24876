#include "hypergradient/manifold_curvature.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Eigenvalues>

namespace bilevel {

namespace {

struct At {
  double smallest = 0, scale = 0;
  Vec newton_step;  // R^m: where the Hessian and `tangent` put the stationary point along ker H, from y
};

std::optional<At> curvature_at(const BilevelProblem& problem, const Vec& x, const Vec& y, const Vec& w,
                               const Vec& tangent, const KernelBasis& basis, double sign) {
  const auto& K = basis.vectors;
  const Index k = K.cols();
  const double unit = 1 + norm(y);
  const double t = std::max(1e-5, std::cbrt(problem.rounding())) * unit;  // balances t^2 against rounding / t
  const auto f = problem.upper->linearize(x, y);
  const auto f_ahead = problem.upper->linearize(x, y + unit * K.col(0));
  const auto f_behind = problem.upper->linearize(x, y - unit * K.col(0));
  At result;
  Eigen::MatrixXd curvature(k, k);
  for (Index j = 0; j < k; ++j) {
    const Vec v = K.col(j);
    const Vec of_f = f.hess_yy(v);
    const Vec of_g = (problem.lower->hess_yy(x, y + t * v, w) - problem.lower->hess_yy(x, y - t * v, w)) / (2 * t);
    curvature.col(j) = sign * (K.transpose() * (of_f - of_g));
    result.scale =
        std::max({result.scale, norm(of_f), norm(of_g), norm(f_ahead.hess_yy(v)), norm(f_behind.hess_yy(v))});
  }
  if (!curvature.allFinite()) return std::nullopt;
  const Eigen::MatrixXd symmetric = 0.5 * (curvature + curvature.transpose());
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(symmetric);
  result.smallest = eigen.eigenvalues()[0];
  const Vec parts = eigen.eigenvectors().transpose() * (K.transpose() * tangent);
  const double floor = std::numeric_limits<double>::min();
  result.newton_step =
      -sign * (K * (eigen.eigenvectors() * (parts.array() / eigen.eigenvalues().array().abs().max(floor)).matrix()));
  return result;
}

}  // namespace

std::optional<IntrinsicCurvature> intrinsic_curvature(const BilevelProblem& problem, const Vec& x, const Vec& y,
                                                      const Vec& w, const Vec& tangent, const KernelBasis& basis,
                                                      double sign) {
  // The differences' error is t^2 of the terms.
  const double degenerate = std::max(1e-5, 10 * std::pow(problem.rounding(), 2.0 / 3));
  constexpr double kVanishing = 0.8;  // from y to the next Newton iterate; for f = t^4 it is 4/9
  const auto here = curvature_at(problem, x, y, w, tangent, basis, sign);
  if (!here) return std::nullopt;
  IntrinsicCurvature result{.smallest = here->smallest, .scale = here->scale};
  result.degenerate = std::abs(here->smallest) <= degenerate * here->scale;
  if (result.degenerate || here->smallest < 0 || !(norm(here->newton_step) <= 1 + norm(y))) return result;
  const auto nearer = curvature_at(problem, x, y + here->newton_step, w, tangent, basis, sign);
  result.degenerate = nearer && nearer->smallest < kVanishing * here->smallest;
  return result;
}

}  // namespace bilevel
