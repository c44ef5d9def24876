// The step that minimises a quadratic model within a ball, exactly.
#pragma once

#include "linear/scaled_spectrum.hpp"

namespace bilevel {

struct TrustRegionStep {
  Vec p;                // R^n
  double decrease = 0;  // of the model, >= 0
  double length = 0;    // |S p|, at most the radius
  bool inside = false;  // the model's minimiser lies within the ball
};

/// Minimises gradient'p + p'Mp / 2 over |S p| <= radius, S and M of `spectrum`. In its eigenbasis: the root of
/// |(Lambda + t)^-1 c| = radius, and at the hard case a part along the most negative eigenvector, `side` (+1, -1) of it.
/// Source: More and Sorensen, "Computing a trust region step" (1983).
TrustRegionStep minimise_model(const ScaledSpectrum& spectrum, const Vec& gradient, double radius, double side = 1);

}  // namespace bilevel
