// A root between two points where a continuous function has opposite signs.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

namespace bilevel {

struct BracketedRoot {
  double at = 0;     // the end of the last bracket with the smaller |value|
  double value = 0;  // the function there
  double width = 0;  // of the last bracket
};

/// Illinois' variant of regula falsi, with a bisection at every third step so that no function can make it slow. Ends
/// at a zero, a bracket no wider than `width`, neighbouring numbers, or a value that is not a number (then returned).
/// Needs a < b and fa, fb of opposite signs.
template <typename Function>
BracketedRoot bracketed_root(const Function& f, double a, double b, double fa, double fb, double width = 0) {
  constexpr int kMaxSteps = 240;  // 60 bisections narrow any cell to neighbouring numbers, unless the root is 0
  constexpr double kUlp = std::numeric_limits<double>::epsilon();
  double weight_a = fa, weight_b = fb;
  for (int step = 0; step < kMaxSteps; ++step) {
    const double span = b - a;
    const double middle = a + 0.5 * span;
    if (span <= width || middle <= a || middle >= b) break;
    double c = middle;
    if (step % 3 != 2) {
      // Not nearer to an end than this: otherwise the other end stays where it is while c creeps.
      const double inset = std::min(0.25 * span, std::max(0.25 * width, kUlp * std::max(std::abs(a), std::abs(b))));
      c = std::clamp(a + span * (weight_a / (weight_a - weight_b)), a + inset, b - inset);
      if (!(c > a && c < b)) c = middle;
    }
    const double fc = f(c);
    if (fc == 0 || std::isnan(fc)) return {c, fc, 0};
    if (std::signbit(fc) == std::signbit(fa)) {
      a = c;
      fa = weight_a = fc;
      weight_b *= 0.5;
    } else {
      b = c;
      fb = weight_b = fc;
      weight_a *= 0.5;
    }
  }
  return std::abs(fa) <= std::abs(fb) ? BracketedRoot{a, fa, b - a} : BracketedRoot{b, fb, b - a};
}

}  // namespace bilevel
