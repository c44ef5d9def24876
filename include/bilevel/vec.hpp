// The one vector type. Methods use only + - * with scalars, dot and norm, so that a method reads like its paper.
#pragma once

#include <cmath>
#include <limits>

#include <Eigen/Core>

namespace bilevel {

using Vec = Eigen::VectorXd;
using Index = Eigen::Index;

inline double dot(const Vec& a, const Vec& b) { return a.dot(b); }
/// |a|, right also where the squares of the entries leave the range of numbers. NaN or infinite only if an entry is, or
/// if |a| itself is beyond all numbers.
inline double norm(const Vec& a) {
  constexpr double kTiny = 1e-280;  // below, squares that were lost in underflow may matter
  const double squares = a.squaredNorm();
  if ((squares >= kTiny && squares <= std::numeric_limits<double>::max()) || std::isnan(squares)) {
    return std::sqrt(squares);
  }
  const double largest = a.size() > 0 ? a.cwiseAbs().maxCoeff() : 0;
  if (largest == 0 || std::isinf(largest)) return largest;
  return largest * (a / largest).norm();
}

/// True if every entry is a number: neither NaN nor infinite.
inline bool all_finite(const Vec& a) { return (0 * a).sum() == 0; }  // one pass that vectorises, unlike allFinite()

}  // namespace bilevel
