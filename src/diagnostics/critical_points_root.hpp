// A root between two points where a continuous function has opposite signs.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace bilevel {

struct BracketedRoot {
  double at = 0;     // the end of the last bracket with the smaller |value|
  double value = 0;  // the function there
  double width = 0;  // of the last bracket
};

/// Illinois' variant of regula falsi, with a bisection where two steps did not halve the bracket, so that no function
/// can make it slow. Ends at a zero, a bracket no wider than `width`, neighbouring numbers, or a value that is not a
/// number (then returned). Needs a < b and fa, fb of opposite signs.
template <typename Function>
BracketedRoot bracketed_root(const Function& f, double a, double b, double fa, double fb, double width = 0) {
  constexpr int kMaxSteps = 240;  // every third one a bisection at least: 2^-80 of the bracket
  constexpr double kUlp = std::numeric_limits<double>::epsilon();
  double weight_a = fa, weight_b = fb;
  enum class Moved { none, left, right } last = Moved::none;
  double before = std::numeric_limits<double>::infinity(), one_before = before;
  for (int step = 0; step < kMaxSteps; ++step) {
    const double span = b - a;
    const double middle = a + 0.5 * span;
    if (span <= width || middle <= a || middle >= b) break;
    double c = middle;
    const bool halved = span <= 0.5 * std::exchange(before, std::exchange(one_before, span));
    if (!halved) {
      before = one_before = std::numeric_limits<double>::infinity();
    } else {
      // Not nearer to an end than this: otherwise the other end stays where it is while c creeps.
      const double inset = std::min(0.25 * span, std::max(0.25 * width, kUlp * std::max(std::abs(a), std::abs(b))));
      c = std::clamp(a + span * (weight_a / (weight_a - weight_b)), a + inset, b - inset);
      if (!(c > a && c < b)) c = middle;
    }
    const double fc = f(c);
    if (fc == 0 || std::isnan(fc)) return {c, fc, 0};
    // An end that stays for the second time counts half, so that the next point goes to its side.
    if (std::signbit(fc) == std::signbit(fa)) {
      a = c;
      fa = weight_a = fc;
      if (last == Moved::left) weight_b *= 0.5;
      last = Moved::left;
    } else {
      b = c;
      fb = weight_b = fc;
      if (last == Moved::right) weight_a *= 0.5;
      last = Moved::right;
    }
  }
  return std::abs(fa) <= std::abs(fb) ? BracketedRoot{a, fa, b - a} : BracketedRoot{b, fb, b - a};
}

}  // namespace bilevel
