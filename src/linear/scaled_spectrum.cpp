#include "linear/scaled_spectrum.hpp"

#include <cmath>
#include <limits>

#include <Eigen/Eigenvalues>

namespace bilevel {

namespace {

Vec equilibrating_scale(const Eigen::MatrixXd& A, const Vec& least) {
  constexpr int kRounds = 12;
  constexpr double kNear = 1.001;
  const Index n = A.rows();
  Vec scale = A.diagonal().cwiseAbs().cwiseSqrt();
  // A coordinate without curvature of its own gets its unit from the couplings, or none.
  for (Index i = 0; i < n; ++i) {
    if (!(scale[i] > 0)) scale[i] = std::sqrt(A.row(i).cwiseAbs().maxCoeff());
    if (!(scale[i] > 0)) scale[i] = least.size() == n && least[i] > 0 ? least[i] : 1;
  }
  for (int round = 0; round < kRounds; ++round) {
    bool settled = true;
    Vec factor = Vec::Ones(n);
    for (Index i = 0; i < n; ++i) {
      const double most = (A.row(i).transpose().cwiseAbs().array() / scale.array()).maxCoeff() / scale[i];
      if (most > kNear) {
        factor[i] = std::sqrt(most);
        settled = false;
      }
    }
    if (settled) break;
    scale = scale.cwiseProduct(factor);
  }
  return least.size() == n ? Vec(scale.cwiseMax(least)) : scale;
}

}  // namespace

ScaledSpectrum::ScaledSpectrum(const Eigen::MatrixXd& A, const Vec& least) : scale_(equilibrating_scale(A, least)) {
  const Vec inverse = scale_.cwiseInverse();
  const Eigen::MatrixXd scaled = inverse.asDiagonal() * A * inverse.asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(scaled);
  eigenvalues_ = solver.eigenvalues();
  eigenvectors_ = solver.eigenvectors();
}

double ScaledSpectrum::largest() const { return eigenvalues_.size() == 0 ? 0 : eigenvalues_.cwiseAbs().maxCoeff(); }

double ScaledSpectrum::rounding() const {
  // Each entry carries a few roundings, and a sum over a row as many as it is long.
  constexpr double kRoundings = 20;
  return kRoundings * std::numeric_limits<double>::epsilon() * static_cast<double>(size()) * largest();
}

Vec ScaledSpectrum::coordinates(const Vec& gradient) const {
  return eigenvectors_.transpose() * gradient.cwiseQuotient(scale_);
}

Vec ScaledSpectrum::direction(const Vec& coordinates) const {
  return (eigenvectors_ * coordinates).cwiseQuotient(scale_);
}

Vec ScaledSpectrum::solve(const Vec& b) const {
  Vec c = coordinates(b);
  const double zero = rounding();
  for (Index k = 0; k < c.size(); ++k) c[k] = std::abs(eigenvalues_[k]) > zero ? c[k] / eigenvalues_[k] : 0;
  return direction(c);
}

}  // namespace bilevel
