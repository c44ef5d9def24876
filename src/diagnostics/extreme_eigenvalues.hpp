// Both ends of the spectrum of a symmetric operator that is known by its products only.
#pragma once

#include <cstdint>

#include "bilevel/linear.hpp"

namespace bilevel {

struct ExtremeEigenvalues {
  double smallest = 0;           // Ritz value: an upper bound of the smallest eigenvalue (up to rounding)
  double smallest_residual = 0;  // |A v - smallest v|, recomputed: an eigenvalue lies within it
  Vec smallest_vector;           // unit, R^size
  double largest = 0;            // Ritz value: a lower bound of the largest eigenvalue
  double largest_residual = 0;
  Vec largest_vector;
  Index products = 0;
  bool converged = false;  // both residuals are at most tolerance times the operator's size
  bool finite = true;      // false: a product was not finite, and the rest means nothing
};

/// Implicitly restarted Lanczos (Spectra) with at most `max_products` products and a seeded random start. What Lanczos
/// proves: a Ritz value less its residual bounds an eigenvalue. What it does not: that the smallest Ritz value belongs
/// to the smallest eigenvalue, since a start almost orthogonal to an eigenvector does not see it. For size >= 3 and
/// max_products >= 10, else InvalidOption.  [Lehoucq, Sorensen, Yang, ARPACK Users' Guide (1998), ch. 4]
ExtremeEigenvalues extreme_eigenvalues(const LinearOperator& A, double tolerance, Index max_products,
                                       std::uint64_t seed);

}  // namespace bilevel
