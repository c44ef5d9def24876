#include "diagnostics/morse_bott_place.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <Eigen/SVD>

#include "bilevel/random.hpp"
#include "bilevel/status.hpp"

namespace bilevel {

namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kRounding = 1e3;  // of a gradient of many terms, in units of epsilon |H| (1 + |y|)
constexpr double kAboveNoise = 10;
constexpr int kCorrections = 10;

FollowerSpectrum spectrum_at(const Linearization& at, Index dim_y, const MorseBottOptions& options) {
  return follower_spectrum(
      at, dim_y, {.kernel_tolerance = options.kernel_tolerance, .dense_limit = kMorseBottLimit, .seed = options.seed});
}

/// |H| a hundredth of a radius away: where H vanishes at y it alone says how large an eigenvalue would be. No further,
/// since far from the origin a radius in units of 1 + |y| may leave all that is near y.
double size_nearby(const Objective& lower, const Vec& x, const Vec& y, const MorseBottOptions& options) {
  Random random(options.seed + 11);
  Vec d(y.size());
  for (auto& entry : d) entry = random.normal();
  const Vec there = y + 0.01 * options.radius * (1 + norm(y)) / norm(d) * d;
  const auto spectrum = spectrum_at(lower.linearize(x, there), y.size(), options);
  return spectrum.finite ? spectrum.largest : 0;
}

void split(CriticalPlace& place, const MorseBottOptions& options) {
  auto& spectrum = place.spectrum;
  spectrum.cut = std::max(options.kernel_tolerance, kAboveNoise * spectrum.noise) * place.size;
  spectrum.split(Vec::Zero(place.y.size()));
  place.smallest_nonzero = spectrum.smallest_nonzero;
  place.largest_zero = 0;
  place.negative = 0;
  for (const double value : spectrum.eigenvalues) {
    if (std::abs(value) <= spectrum.cut) {
      place.largest_zero = std::max(place.largest_zero, std::abs(value));
    } else if (value < 0) {
      ++place.negative;
    }
  }
}

}  // namespace

void check_morse_bott(const Objective& lower, const Vec& x, const Vec& y, const MorseBottOptions& options) {
  if (x.size() != lower.dim_x() || y.size() != lower.dim_y()) {
    throw DimensionMismatch(fmt::format("morse_bott of '{}' needs x and y of length {} and {}, but was given {} and {}",
                                        lower.name(), lower.dim_x(), lower.dim_y(), x.size(), y.size()));
  }
  const auto missing = (Oracle::grad_y | Oracle::hess_yy | Oracle::hess_xy).without(lower.provides());
  if (!missing.empty()) {
    throw MissingOracle(fmt::format("morse_bott needs grad_y, hess_yy and hess_xy, but '{}' does not provide {}",
                                    lower.name(), to_string(missing)));
  }
  const auto in = [](const char* name, double value, double low, double high) {
    if (value >= low && value <= high) return;
    throw InvalidOption(fmt::format("morse_bott's {} is {:g}, but it must be in {:g}..{:g}", name, value, low, high));
  };
  in("kernel_tolerance", options.kernel_tolerance, 1e-15, 0.1);
  in("gap", options.gap, 1, 1e12);
  in("range_tolerance", options.range_tolerance, 1e-15, 0.1);
  in("radius", options.radius, 1e-6, 0.1);
  in("samples", static_cast<double>(options.samples), 1, 1e6);
}

Eigen::MatrixXd mixed_matrix(const Linearization& at, Index dim_x, Index dim_y) {
  Eigen::MatrixXd mixed(dim_y, dim_x);
  if (dim_x == 0) return mixed;
  for (Index i = 0; i < dim_y; ++i) mixed.row(i) = at.hess_xy(Vec::Unit(dim_y, i)).transpose();
  return mixed;
}

Index local_dimension(const Eigen::MatrixXd& mixed, const Eigen::MatrixXd& hessian, double cut) {
  Eigen::MatrixXd jacobian(hessian.rows(), mixed.cols() + hessian.cols());
  jacobian << mixed, hessian;
  const Vec values = Eigen::BDCSVD<Eigen::MatrixXd>(jacobian).singularValues();
  return jacobian.cols() - (values.array() > cut).count();
}

CriticalPlace critical_place(const Objective& lower, const Vec& x, const Vec& y, const MorseBottOptions& options,
                             double reach) {
  CriticalPlace place;
  place.x = x;
  place.y = y;
  const auto fails = [&](const char* what) {
    place.not_finite = what;
    return place;
  };
  if (!all_finite(x)) return fails("x");
  if (!all_finite(y)) return fails("y");
  const double nearby = size_nearby(lower, x, y, options);
  for (int correction = 0;; ++correction) {
    const auto at = lower.linearize(x, place.y, full, Oracle::grad_y);
    const Vec gradient = *at.evaluation().grad_y;
    if (!all_finite(gradient)) return fails("g_y");
    place.spectrum = spectrum_at(at, y.size(), options);
    if (!place.spectrum.finite) return fails("a product with H");
    place.size = std::max(place.spectrum.largest, nearby);
    place.residual = norm(gradient);
    place.floor = std::max(kRounding * kEpsilon, kAboveNoise * place.spectrum.noise) * place.size * (1 + norm(place.y));
    split(place, options);
    place.mixed = mixed_matrix(at, x.size(), y.size());
    if (!place.mixed.allFinite()) return fails("a product with B");
    // Down to a hundredth of what counts as rounding: kernel eigenvalues are as wrong as y is.
    if (place.residual <= 1e-2 * place.floor || correction == kCorrections) return place;
    const Vec step = place.spectrum.dense_solve(gradient);
    if (!(norm(step) <= reach * (1 + norm(y)))) return place;
    const Vec next = place.y - step;
    const double after = norm(lower.grad_y(x, next));
    if (!(after < place.residual)) return place;
    place.y = next;
  }
}

}  // namespace bilevel
