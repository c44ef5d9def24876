// Several training sources as one follower, weighed by the leader.
#pragma once

#include <memory>
#include <vector>

#include "bilevel/objective.hpp"

namespace bilevel {

/// The softmax of the first `sources` entries of x: weights p in R^K, positive, of sum 1.
Vec source_weights(const Vec& x, Index sources);

struct MixtureOptions {
  double regularization = 0;          // c >= 0
  bool learn_regularization = false;  // the leader's last entry is log(penalty / c); needs c > 0
};

/// g(x, y) = sum_k p_k l_k(y) + c exp(x_(K+1)) |y|^2 with p = softmax(x_1 .. x_K), named "mixture": the follower trains
/// on K sources.  [HG-MS, article; methods.md sec. 7]
///
/// x = [logits (K) ; log of the penalty's factor, if it is learned]. Adding a number to all logits changes nothing. One
/// call of an oracle is one of each source's; it counts as one sample, all batches are the full one. Products need the
/// sources' gradients too: a Linearization keeps these K m numbers.
///
/// Throws InvalidInput without sources, DimensionMismatch unless each has n = 0 leader variables and all agree on m,
/// InvalidOption for c out of range, MissingOracle for a source without value, grad_y or hess_yy.
std::shared_ptr<const Objective> mixture(std::vector<std::shared_ptr<const Objective>> sources,
                                         const MixtureOptions& options);

}  // namespace bilevel
