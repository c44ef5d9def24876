// The slope of a Taylor remainder: how its size falls with the step.
#pragma once

#include <functional>

namespace bilevel {

struct TaylorSlope {
  double slope;       // infinite if the remainder is rounding at (nearly) every step
  bool finite{true};  // false: no step gave a finite remainder, and the slope is 0
  bool flat{false};   // over some range of steps the remainder hardly falls, as that of a noisy function does
};

/// `remainder(t)` >= 0 is what an expansion of first order in t leaves; `scale` is the size of the terms it is the
/// difference of, each computed with relative error `noise`.
TaylorSlope taylor_slope(const std::function<double(double)>& remainder, double scale, double noise);

}  // namespace bilevel
