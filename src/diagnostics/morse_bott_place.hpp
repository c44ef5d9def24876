// A critical pair of the follower with its eigenvalues split into zero and nonzero ones.
#pragma once

#include <string>

#include "bilevel/morse_bott.hpp"
#include "diagnostics/certificate_spectrum.hpp"

namespace bilevel {

struct CriticalPlace {
  Vec x, y;
  FollowerSpectrum spectrum;
  Eigen::MatrixXd mixed;  // B', m x n
  double size = 0;        // |H|, here or a hundredth of a radius away
  double residual = 0;    // |g_y|
  double floor = 0;       // |g_y| up to this is rounding
  double largest_zero = 0, smallest_nonzero = 0;
  Index negative = 0;
  std::string not_finite;  // what was not finite; empty: everything was
  bool critical() const { return residual <= 1e3 * floor; }
};

/// Corrects y by at most ten minimum-norm Newton steps, none longer than `reach` (1 + |y|), and splits the spectrum
/// there.
CriticalPlace critical_place(const Objective& lower, const Vec& x, const Vec& y, const MorseBottOptions& options,
                             double reach);

/// n + m - rank [B' H], eigenvalues up to `cut` counting as zero.
Index local_dimension(const Eigen::MatrixXd& mixed, const Eigen::MatrixXd& hessian, double cut);

/// B', m x n, from m products.
Eigen::MatrixXd mixed_matrix(const Linearization& at, Index dim_x, Index dim_y);

/// m <= 500, shapes, oracles and options; throws.
void check_morse_bott(const Objective& lower, const Vec& x, const Vec& y, const MorseBottOptions& options);
inline constexpr Index kMorseBottLimit = 500;

}  // namespace bilevel
