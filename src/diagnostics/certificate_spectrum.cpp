#include "diagnostics/certificate_spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Eigenvalues>

#include "bilevel/linear.hpp"
#include "bilevel/random.hpp"
#include "diagnostics/dense_hessian.hpp"
#include "diagnostics/extreme_eigenvalues.hpp"

namespace bilevel {

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr Index kSmallestLanczos = 10;  // below, forming H takes fewer products
constexpr double kAboveNoise = 10;
constexpr double kLanczosTolerance = 1e-10;
// A smallest Ritz value is believed when its residual is this small a part of it: a cluster that Lanczos has not
// resolved leaves residuals as large as the Ritz value itself.
constexpr double kSettled = 0.01;

Vec random_unit(Index size, Random& random) {
  Vec v(size);
  for (auto& entry : v) entry = random.normal();
  return v / norm(v);
}

void measure_noise(FollowerSpectrum& result, const Linearization& lower, Index dim_y, std::uint64_t seed) {
  Random random(seed + 1);
  const Vec u = random_unit(dim_y, random), v = random_unit(dim_y, random);
  const Vec Hu = lower.hess_yy(u), Hv = lower.hess_yy(v), Hsum = lower.hess_yy(u + v);
  result.products += 3;
  result.finite = all_finite(Hu) && all_finite(Hv) && all_finite(Hsum);
  const double size = norm(Hu) + norm(Hv);
  if (!result.finite || size == 0) return;
  result.noise = std::max(norm(Hsum - Hu - Hv), std::abs(dot(u, Hv) - dot(v, Hu))) / size;
}

void all_eigenvalues(FollowerSpectrum& result, const Linearization& lower, Index dim_y) {
  result.dense = true;
  const Eigen::MatrixXd hessian = dense_hessian(lower, dim_y);
  result.products += dim_y;
  result.finite = hessian.allFinite();
  if (!result.finite) return;
  // The solver squares entries, which must neither overflow nor vanish.
  const double unit = std::max(hessian.cwiseAbs().maxCoeff(), std::numeric_limits<double>::min());
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(hessian / unit);
  result.finite = solver.info() == Eigen::Success;
  if (!result.finite) return;
  result.eigenvalues = solver.eigenvalues() * unit;
  result.eigenvectors = solver.eigenvectors();
  result.smallest = result.eigenvalues[0];
  result.largest = result.eigenvalues.cwiseAbs().maxCoeff();
  result.smallest_error = (static_cast<double>(dim_y) * kEpsilon + result.noise) * result.largest;
  result.smallest_vector = result.eigenvectors.col(0);
}

/// Where the smallest eigenvalue is known to exceed options.convexity only |H| is left to be measured. False if a
/// product says otherwise, or if the bound is so small that it counts as zero.
bool bounded_ends(FollowerSpectrum& result, const Linearization& lower, Index dim_y,
                  const CertificateOptions& options) {
  constexpr Index kForTheLargest = 20;
  const auto hessian = LinearOperator::symmetric(dim_y, [&](const Vec& v) { return lower.hess_yy(v); });
  const auto found = extreme_eigenvalues(hessian, std::max(kLanczosTolerance, result.noise),
                                         std::min(kForTheLargest, options.eigenvalue_products), options.seed);
  result.products += found.products;
  result.finite = found.finite;
  if (!found.finite) return true;
  result.largest = std::max(std::abs(found.smallest), std::abs(found.largest));
  result.cut = std::max(options.kernel_tolerance, kAboveNoise * result.noise) * result.largest;
  const double rounding = result.noise * result.largest;
  if (options.convexity <= result.cut + rounding || found.smallest < options.convexity - rounding) return false;
  result.kernel.resize(dim_y, 0);
  result.smallest = found.smallest;
  result.smallest_error = std::max(0.0, found.smallest - options.convexity) + rounding;
  result.smallest_vector = found.smallest_vector;
  result.smallest_nonzero = options.convexity;
  result.bounded = true;
  return true;
}

/// Finds the smallest eigenvalue, deflates it if it counts as zero, and goes on while the budget lasts.
void lanczos_ends(FollowerSpectrum& result, const Linearization& lower, Index dim_y,
                  const CertificateOptions& options) {
  constexpr Index kLeastBudget = 30;
  const double tolerance = std::max(kLanczosTolerance, result.noise);
  result.kernel.resize(dim_y, 0);
  result.kernel_known = false;
  result.converged = false;
  bool first = true;
  while (first || options.eigenvalue_products - result.products >= kLeastBudget) {
    const auto deflated = LinearOperator::symmetric(
        dim_y, [&](const Vec& v) { return Vec(lower.hess_yy(v) + result.largest * result.kernel_part(v)); });
    const Index budget = std::max<Index>(10, options.eigenvalue_products - result.products);
    const auto found = extreme_eigenvalues(deflated, tolerance, budget, options.seed);
    result.products += found.products;
    result.finite = found.finite;
    if (!found.finite) return;
    const double size = std::max(std::abs(found.smallest), std::abs(found.largest));
    if (first) {
      result.smallest = found.smallest;
      result.smallest_error = found.smallest_residual + result.noise * size;
      result.smallest_vector = found.smallest_vector;
      result.largest = size;
      result.cut = std::max(options.kernel_tolerance, kAboveNoise * result.noise) * size;
    }
    first = false;
    const double error = found.smallest_residual + result.noise * size;
    if (found.smallest + error < -result.cut) {
      result.smallest = found.smallest;
      result.smallest_error = error;
      result.smallest_vector = found.smallest_vector;
      result.converged = true;
      return;  // a negative eigenvalue is proven; the kernel does not matter
    }
    if (found.smallest - error > result.cut) {
      result.smallest_nonzero = found.smallest - error;
      result.kernel_known = result.converged = error <= kSettled * found.smallest;
      return;
    }
    if (!(std::abs(found.smallest) <= result.cut && error <= result.cut)) return;
    result.kernel.conservativeResize(Eigen::NoChange, result.kernel.cols() + 1);
    result.kernel.rightCols(1) = found.smallest_vector;
  }
}

}  // namespace

Vec FollowerSpectrum::dense_solve(const Vec& b) const {
  Vec coefficients = eigenvectors.transpose() * b;
  for (Index i = 0; i < coefficients.size(); ++i) {
    const bool in_kernel = std::abs(eigenvalues[i]) <= cut || eigenvalues[i] == 0;
    coefficients[i] = in_kernel ? 0.0 : coefficients[i] / eigenvalues[i];
  }
  return eigenvectors * coefficients;
}

void FollowerSpectrum::split(const Vec& uncertainty) {
  smallest_nonzero = 0;
  // By size, so that what is uncertain at the lower end raises the cut for all that are smaller.
  for (Index i = 0; i < eigenvalues.size(); ++i) {
    if (std::abs(eigenvalues[i]) <= uncertainty[i]) cut = std::max(cut, std::abs(eigenvalues[i]));
  }
  std::vector<Index> inside;
  for (Index i = 0; i < eigenvalues.size(); ++i) {
    const double size = std::abs(eigenvalues[i]);
    if (size <= cut) {
      inside.push_back(i);
    } else if (smallest_nonzero == 0 || size < smallest_nonzero) {
      smallest_nonzero = size;
    }
  }
  kernel.resize(eigenvalues.size(), static_cast<Index>(inside.size()));
  for (std::size_t k = 0; k < inside.size(); ++k) kernel.col(static_cast<Index>(k)) = eigenvectors.col(inside[k]);
}

FollowerSpectrum follower_spectrum(const Linearization& lower, Index dim_y, const CertificateOptions& options) {
  FollowerSpectrum result;
  measure_noise(result, lower, dim_y, options.seed);
  if (!result.finite) return result;
  if (dim_y > std::max(options.dense_limit, kSmallestLanczos)) {
    if (options.convexity > 0 && bounded_ends(result, lower, dim_y, options)) return result;
    lanczos_ends(result, lower, dim_y, options);
    return result;
  }
  all_eigenvalues(result, lower, dim_y);
  if (!result.finite) return result;
  result.cut = std::max(options.kernel_tolerance, kAboveNoise * result.noise) * result.largest;
  result.split(Vec::Zero(dim_y));
  return result;
}

PseudoSolve pseudo_solve(const FollowerSpectrum& spectrum, const Linearization& lower, const Vec& b, Index budget,
                         const Vec& start) {
  PseudoSolve result;
  const Vec in_range = b - spectrum.kernel_part(b);
  if (spectrum.dense) {
    result.w = spectrum.dense_solve(in_range);
  } else if (budget <= 3) {
    result.w = start.size() > 0 ? start : Vec(Vec::Zero(b.size()));
  } else {
    const auto deflated = LinearOperator::symmetric(
        b.size(), [&](const Vec& v) { return Vec(lower.hess_yy(v) + spectrum.largest * spectrum.kernel_part(v)); });
    const ConjugateGradient cg({.tolerance = std::clamp(2 * spectrum.noise, 1e-12, 0.5), .max_iterations = budget - 3});
    auto solved = cg.solve(deflated, in_range, start.size() > 0 ? &start : nullptr);
    result.products += solved.products;
    result.w = std::move(solved.x);
    if (solved.negative_curvature) result.curvature = solved.curvature;
  }
  const Vec Hw = lower.hess_yy(result.w);
  ++result.products;
  result.residual = norm(Hw - in_range);
  result.finite = all_finite(result.w) && std::isfinite(result.residual);
  const double square = dot(result.w, result.w);
  if (square > 0) result.quotient = dot(result.w, Hw) / square;
  return result;
}

double mixed_size(const Objective& lower, const Linearization& at, std::uint64_t seed) {
  constexpr int kIterations = 6;
  if (lower.dim_x() == 0) return 0;
  Random random(seed + 2);
  Vec v = random_unit(lower.dim_y(), random);
  double size = 0;
  for (int i = 0; i < kIterations; ++i) {
    const Vec Bv = at.hess_xy(v);
    const double length = norm(Bv);
    if (!(length > 0) || !std::isfinite(length)) return i == 0 ? length : size;
    size = std::max(size, length);
    if (!lower.provides().has(Oracle::hess_yx)) return size;
    v = at.hess_yx(Bv / length);
    const double back = norm(v);
    if (!(back > 0) || !std::isfinite(back)) return size;
    v /= back;
  }
  return size;
}

}  // namespace bilevel
