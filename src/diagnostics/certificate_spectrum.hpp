// What a certificate knows of the follower's Hessian H at one point: its ends, its kernel, and solves with it.
#pragma once

#include "bilevel/certificate.hpp"

namespace bilevel {

struct FollowerSpectrum {
  bool finite = true;     // false: a product with H was not finite, and the rest means nothing
  bool dense = false;     // all eigenvalues are known
  bool converged = true;  // false: Lanczos did not settle the smallest eigenvalue within its budget
  double smallest = 0;
  double smallest_error = 0;
  double largest = 0;  // |H|
  /// Relative error of a product with H, from |H(u+v) - Hu - Hv| and |u'Hv - v'Hu|: rounding, of float32 passes say, or
  /// a Hessian that is none.
  double noise = 0;
  double cut = 0;               // eigenvalues up to this in size count as zero
  Eigen::MatrixXd kernel;       // m x k, orthonormal
  bool kernel_known = true;     // false: there may be more than these k
  double smallest_nonzero = 0;  // least size of an eigenvalue outside the kernel, as far as known
  bool bounded = false;         // smallest_nonzero is the bound that CertificateOptions::convexity gave
  Vec eigenvalues;              // dense: m, ascending
  Eigen::MatrixXd eigenvectors;
  Vec smallest_vector;  // unit, R^m
  Index products = 0;

  Vec kernel_part(const Vec& b) const { return kernel * (kernel.transpose() * b); }
  /// H+ b from the eigenvalues, the kernel left out; dense only.
  Vec dense_solve(const Vec& b) const;
  /// Counts as kernel what `uncertainty` (one for each eigenvalue) reaches; dense only.
  void split(const Vec& uncertainty);
};

FollowerSpectrum follower_spectrum(const Linearization& lower, Index dim_y, const CertificateOptions& options);

struct PseudoSolve {
  Vec w;                 // approximates H+ b, no kernel part
  double residual = 0;   // |H w - (b - P_ker b)|
  double quotient = 0;   // w'Hw / |w|^2, an upper bound of the smallest eigenvalue; 0 if w = 0
  double curvature = 0;  // below 0: d'Hd / |d|^2 of a direction that conjugate gradients met
  Index products = 0;
  bool finite = true;
};

/// From the eigenvalues where they are known, else by conjugate gradients within `budget` products from `start` (empty:
/// zero), to what the products' noise allows.
PseudoSolve pseudo_solve(const FollowerSpectrum& spectrum, const Linearization& lower, const Vec& b, Index budget,
                         const Vec& start = {});

/// Estimate of |B| from below by a few power iterations, or of a random vector where hess_yx is missing; 0 for n = 0.
double mixed_size(const Objective& lower, const Linearization& at, std::uint64_t seed);

}  // namespace bilevel
