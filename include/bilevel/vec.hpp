// The one vector type. Methods use only + - * with scalars, dot and norm, so that a method reads like its paper.
#pragma once

#include <Eigen/Core>

namespace bilevel {

using Vec = Eigen::VectorXd;
using Index = Eigen::Index;

inline double dot(const Vec& a, const Vec& b) { return a.dot(b); }
inline double norm(const Vec& a) { return a.norm(); }

/// True if every entry is a number: neither NaN nor infinite.
inline bool all_finite(const Vec& a) { return a.allFinite(); }

}  // namespace bilevel
