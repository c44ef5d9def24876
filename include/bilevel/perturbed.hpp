// g(x, y) - <a, y>: the generic linear term that makes almost every follower piecewise parametric Morse.
#pragma once

#include <cstdint>
#include <memory>

#include "bilevel/objective.hpp"

namespace bilevel {

/// phi(x, y) = inner(x, y) - <a, y>; everything of second order is the inner objective's. [BLPV25, Prop. 3.4]
/// Throws DimensionMismatch unless a is in R^dim_y.
std::shared_ptr<const Objective> perturbed(std::shared_ptr<const Objective> inner, const Vec& a);

/// A direction uniform on the sphere of R^dim times `size`, from the seed.
Vec random_perturbation(Index dim, double size, std::uint64_t seed);

}  // namespace bilevel
