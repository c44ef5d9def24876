// Points of the follower's manifold of minimisers around a known one.
#pragma once

#include <vector>

#include "bilevel/manifold_selection.hpp"
#include "lower/manifold_point.hpp"

namespace bilevel {

/// Orthonormal vectors of ker H, as columns.
struct KernelBasis {
  Eigen::MatrixXd vectors;  // m x k
  bool complete = false;    // there are no more
};

/// Random vectors projected on ker H until one has nothing left: k + 1 projections, at most `limit` + 1.
KernelBasis kernel_basis(FollowerPoint& point, Index limit, Random& random);

/// `count` minimisers of a manifold of `dimension` k (at least 1), a walk that begins at `from`, which is not among
/// them; those that could not be reached are left out. A point that lies lower than `from` shows that `from` was none;
/// it is returned like the others.
std::vector<FollowerPoint> explore(const Objective& lower, const Vec& x, FollowerPoint& from, Index count,
                                   Index dimension, const SelectionOptions& options, Random& random, Index& steps);

}  // namespace bilevel
