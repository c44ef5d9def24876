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

/// Minimises gradient'p + p'|M|p / 2 over |S p| <= radius, S and M of `spectrum`, |M| with the absolute values of its
/// eigenvalues: p_k = -c_k / (|lambda_k| + t) in its eigenbasis with t >= 0 such that |S p| = radius, or t = 0. Where M
/// curves downwards this goes down the slope by the length that the curvature gives, and not to the end of the ball, as
/// the minimiser of the model itself would: in tails where f levels off, that end means nothing. `decrease` is that of
/// the model with M itself.
/// Source: More and Sorensen, "Computing a trust region step" (1983); absolute values: Dauphin et al., NeurIPS 2014.
TrustRegionStep minimise_model(const ScaledSpectrum& spectrum, const Vec& gradient, double radius);

}  // namespace bilevel
