// The Lanczos process: an orthonormal basis of a Krylov space in which a symmetric operator is tridiagonal.
#pragma once

#include <cmath>
#include <utility>

#include "linear/scaling.hpp"

namespace bilevel {

/// Symbols: v the newest basis vector, alpha and beta its entries in the tridiagonal matrix, beta_next the entry below.
/// [Paige and Saunders 1975]
struct Lanczos {
  /// Begins with r / |r|; r is finite and not zero.
  Lanczos(const Vec& r, double length) : v(r / length), v_old(Vec::Zero(r.size())) {}

  /// Computes alpha and beta_next from `product` = A v; false if something is not finite.
  bool orthogonalise(Vec product) {
    if (!all_finite(product)) return false;
    next = std::move(product);
    next -= beta * v_old;
    alpha = dot(v, next);
    next -= alpha * v;
    beta_next = scaled_norm(next);
    return std::isfinite(alpha) && std::isfinite(beta_next);
  }

  /// A lower bound of |A|: the length of the newest column.
  double column_size() const { return std::hypot(alpha, beta, beta_next); }

  /// Goes on to the next vector; beta_next is not zero.
  void advance() {
    v_old = std::move(v);
    v = next / beta_next;
    beta = beta_next;
  }

  Vec v, v_old, next;
  double alpha = 0, beta = 0, beta_next = 0;
};

}  // namespace bilevel
