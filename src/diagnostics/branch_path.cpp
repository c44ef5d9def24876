#include "diagnostics/branch_path.hpp"

#include <cmath>
#include <limits>

#include <Eigen/Eigenvalues>
#include <Eigen/LU>

#include "diagnostics/dense_hessian.hpp"

namespace bilevel {

PathPoint path_point(const BranchTask& task, double t, const Vec& y) {
  const Index m = task.lower.dim_y();
  PathPoint point;
  point.t = t;
  point.y = y;
  const auto at = task.lower.linearize(task.line.at(t), y, full, Oracle::value);
  point.value = *at.evaluation().value;
  point.drive = at.hess_yx(task.direction);
  const Eigen::MatrixXd hessian = dense_hessian(at, m);
  if (!hessian.allFinite() || !point.drive.allFinite()) {
    point.eigenvalues = point.slope = Vec::Constant(m, std::numeric_limits<double>::quiet_NaN());
    return point;
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(hessian);
  point.eigenvalues = solver.eigenvalues();
  point.vectors = solver.eigenvectors();
  point.index = (point.eigenvalues.array() < 0).count();
  point.eigenvalues.cwiseAbs().minCoeff(&point.nearest);
  const Vec along = point.vectors.transpose() * point.drive;
  point.slope = -(point.vectors * along.cwiseQuotient(point.eigenvalues));
  return point;
}

Vec interpolated(const PathPoint& a, const PathPoint& b, double t) {
  const double width = b.t - a.t;
  if (width == 0) return a.y;
  const double s = (t - a.t) / width, r = 1 - s;
  const Vec straight = r * a.y + s * b.y;
  if (!a.slope.allFinite() || !b.slope.allFinite()) return straight;
  const Vec chord = b.y - a.y;
  return straight + s * r * (r * (width * a.slope - chord) - s * (width * b.slope - chord));
}

Correction correct(const BranchTask& task, double t, const Vec& guess, double frozen) {
  constexpr int kMaxSteps = 10;
  constexpr double kExact = 1e-10;  // the step after one of this relative length is below rounding
  constexpr double kNoFurther = 0.9;
  const Vec x = task.line.at(t);
  Correction result;
  result.y = guess;
  double before = 0;
  for (int step = 0; step < kMaxSteps; ++step) {
    const auto at = task.lower.linearize(x, result.y, full, Oracle::grad_y);
    const Vec& residual = *at.evaluation().grad_y;
    const Eigen::MatrixXd hessian = dense_hessian(at, task.lower.dim_y());
    if (!residual.allFinite() || !hessian.allFinite()) return result;
    Vec move;
    if (frozen > 0) {
      const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(hessian);
      const auto& eigenvalues = solver.eigenvalues();
      const double zero = frozen * eigenvalues.cwiseAbs().maxCoeff();
      Vec along = solver.eigenvectors().transpose() * residual;
      for (Index i = 0; i < along.size(); ++i)
        along[i] = std::abs(eigenvalues[i]) > zero ? along[i] / eigenvalues[i] : 0;
      move = -(solver.eigenvectors() * along);
    } else {
      move = -hessian.partialPivLu().solve(residual);
    }
    const double length = norm(move);
    if (!std::isfinite(length)) return result;
    if (step == 0) result.first = length;
    if (step == 1 && result.first > 0) result.contraction = length / result.first;
    result.y += move;
    if (length <= kExact * (task.size + norm(result.y))) {
      result.converged = true;
      return result;
    }
    if (step > 0 && length > kNoFurther * before) return result;
    before = length;
  }
  return result;
}

}  // namespace bilevel
