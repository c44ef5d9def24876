#include "solve/branch_function.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <Eigen/Cholesky>

#include "diagnostics/dense_hessian.hpp"

namespace bilevel {

namespace {

using Cholesky = Eigen::LLT<Eigen::MatrixXd>;

/// Positive definite beyond rounding: the factor's smallest pivot against its largest.
bool positive_definite(const Cholesky& factor) {
  if (factor.info() != Eigen::Success) return false;
  const Vec pivots = factor.matrixLLT().diagonal();
  return pivots.allFinite() && pivots.minCoeff() > 1e-7 * pivots.maxCoeff();
}

}  // namespace

std::optional<Vec> BranchFunction::correct(const Vec& x, const Vec& y_start, double reach) const {
  constexpr int kIterations = 30;
  const Objective& g = *problem_.lower;
  Vec y = y_start;
  double last = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kIterations; ++i) {
    const auto at = g.linearize(x, y, full, Oracle::grad_y);
    const Vec& residual = *at.evaluation().grad_y;
    if (!all_finite(residual)) return std::nullopt;
    const Cholesky factor(dense_hessian(at, g.dim_y()));
    if (!positive_definite(factor)) return std::nullopt;
    const Vec step = factor.solve(residual);
    const double length = norm(step);
    y -= step;
    if (!(norm(y - y_start) <= reach)) return std::nullopt;
    // Quadratic convergence ends at rounding, where steps no longer shrink.
    const double rounding = 4 * std::numeric_limits<double>::epsilon() * (1 + norm(y));
    if (length <= rounding || (length >= 0.5 * last && length <= 1e-9 * (1 + norm(y)))) return y;
    last = length;
  }
  return std::nullopt;
}

std::optional<BranchPair> BranchFunction::evaluate(const Vec& x, const Vec& y) const {
  const auto at = problem_.lower->linearize(x, y);
  const Cholesky factor(dense_hessian(at, problem_.dim_y()));
  if (!positive_definite(factor)) return std::nullopt;
  auto upper = problem_.upper->evaluate(Oracle::value | Oracle::grad_x | Oracle::grad_y, x, y);
  const Vec through_answer = at.hess_xy(factor.solve(*upper.grad_y));
  BranchPair pair{x, y, *upper.value, *upper.grad_x - through_answer, norm(*upper.grad_x) + norm(through_answer)};
  if (!std::isfinite(pair.upper) || !all_finite(pair.gradient)) return std::nullopt;
  return pair;
}

std::optional<BranchPair> BranchFunction::at(const Vec& x, const Vec& y) const {
  const auto corrected = correct(x, y, std::numeric_limits<double>::infinity());
  return corrected ? evaluate(x, *corrected) : std::nullopt;
}

std::optional<Vec> BranchFunction::slope(const Vec& x, const Vec& y, const Vec& dx) const {
  const auto at = problem_.lower->linearize(x, y);
  const Cholesky factor(dense_hessian(at, problem_.dim_y()));
  if (!positive_definite(factor)) return std::nullopt;
  return Vec(-factor.solve(at.hess_yx(dx)));
}

std::optional<BranchPair> BranchFunction::move(const BranchPair& start, const Vec& x) const {
  constexpr double kSmallestStep = 1e-9;
  const Vec dx = x - start.x;
  const auto at = [&](double t) { return Vec(start.x + t * dx); };
  Vec y = start.y;
  auto slope_here = slope(start.x, y, dx);
  double t = 0, h = 1;
  while (t < 1) {
    if (!slope_here || h < kSmallestStep) return std::nullopt;
    h = std::min(h, 1 - t);
    const double small = 1e-6 * (1 + norm(y));
    const auto corrected = correct(at(t + h), y + h * *slope_here, 0.3 * h * norm(*slope_here) + small);
    const auto slope_there = corrected ? slope(at(t + h), *corrected, dx) : std::nullopt;
    // The trapezoid rule must agree: a step that landed on a neighbouring branch does not belong to its slopes.
    if (slope_there &&
        norm(*corrected - y - 0.5 * h * (*slope_here + *slope_there)) <= 0.1 * norm(*corrected - y) + small) {
      y = *corrected;
      slope_here = slope_there;
      t = t + h >= 1 ? 1 : t + h;
      h *= 2;
    } else {
      h *= 0.25;
    }
  }
  return evaluate(x, y);
}

}  // namespace bilevel
