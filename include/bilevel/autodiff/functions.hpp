// Elementary functions of Jet, found by argument-dependent lookup: write sin(x[0]), with or without `using std::sin`.
//
// Where a function is not differentiable the choice is written at it. NaN and infinity propagate as in IEEE arithmetic.
#pragma once

#include <cmath>
#include <concepts>
#include <numbers>

#include "bilevel/autodiff/jet.hpp"

namespace bilevel::autodiff {

template <int Order>
inline Jet<Order> sin(Jet<Order> a) {
  const double value = std::sin(a.value());
  if (a.is_constant()) return value;
  return a.chain(value, std::cos(a.value()), -value);
}

template <int Order>
inline Jet<Order> cos(Jet<Order> a) {
  const double value = std::cos(a.value());
  if (a.is_constant()) return value;
  return a.chain(value, -std::sin(a.value()), -value);
}

template <int Order>
inline Jet<Order> tan(Jet<Order> a) {
  const double value = std::tan(a.value());
  if (a.is_constant()) return value;
  const double slope = 1.0 + value * value;
  return a.chain(value, slope, 2.0 * value * slope);
}

template <int Order>
inline Jet<Order> asin(Jet<Order> a) {
  const double value = std::asin(a.value());
  if (a.is_constant()) return value;
  const double rest = (1.0 - a.value()) * (1.0 + a.value());
  const double slope = 1.0 / std::sqrt(rest);
  return a.chain(value, slope, a.value() * slope / rest);
}

template <int Order>
inline Jet<Order> acos(Jet<Order> a) {
  const double value = std::acos(a.value());
  if (a.is_constant()) return value;
  const double rest = (1.0 - a.value()) * (1.0 + a.value());
  const double slope = -1.0 / std::sqrt(rest);
  return a.chain(value, slope, a.value() * slope / rest);
}

template <int Order>
inline Jet<Order> atan(Jet<Order> a) {
  const double value = std::atan(a.value());
  if (a.is_constant()) return value;
  const double slope = 1.0 / (1.0 + a.value() * a.value());
  return a.chain(value, slope, -2.0 * a.value() * slope * slope);
}

template <int Order>
inline Jet<Order> sinh(Jet<Order> a) {
  const double value = std::sinh(a.value());
  if (a.is_constant()) return value;
  return a.chain(value, std::cosh(a.value()), value);
}

template <int Order>
inline Jet<Order> cosh(Jet<Order> a) {
  const double value = std::cosh(a.value());
  if (a.is_constant()) return value;
  return a.chain(value, std::sinh(a.value()), value);
}

template <int Order>
inline Jet<Order> tanh(Jet<Order> a) {
  const double value = std::tanh(a.value());
  if (a.is_constant()) return value;
  const double slope = (1.0 - value) * (1.0 + value);
  return a.chain(value, slope, -2.0 * value * slope);
}

template <int Order>
inline Jet<Order> asinh(Jet<Order> a) {
  const double value = std::asinh(a.value());
  if (a.is_constant()) return value;
  const double slope = 1.0 / std::hypot(1.0, a.value());
  return a.chain(value, slope, -a.value() * slope * slope * slope);
}

/// At 1 the derivative is +infinity, the second -infinity.
template <int Order>
inline Jet<Order> acosh(Jet<Order> a) {
  const double value = std::acosh(a.value());
  if (a.is_constant()) return value;
  const double slope = 1.0 / (std::sqrt(a.value() - 1.0) * std::sqrt(a.value() + 1.0));
  return a.chain(value, slope, -a.value() * slope * slope * slope);
}

template <int Order>
inline Jet<Order> atanh(Jet<Order> a) {
  const double value = std::atanh(a.value());
  if (a.is_constant()) return value;
  const double slope = std::abs(a.value()) > 1.0 ? value : 1.0 / ((1.0 - a.value()) * (1.0 + a.value()));
  return a.chain(value, slope, 2.0 * a.value() * slope * slope);
}

template <int Order>
inline Jet<Order> erf(Jet<Order> a) {
  const double value = std::erf(a.value());
  if (a.is_constant()) return value;
  const double slope = 2.0 * std::numbers::inv_sqrtpi * std::exp(-a.value() * a.value());
  return a.chain(value, slope, -2.0 * a.value() * slope);
}

template <int Order>
inline Jet<Order> erfc(Jet<Order> a) {
  const double value = std::erfc(a.value());
  if (a.is_constant()) return value;
  const double slope = -2.0 * std::numbers::inv_sqrtpi * std::exp(-a.value() * a.value());
  return a.chain(value, slope, -2.0 * a.value() * slope);
}

template <int Order>
inline Jet<Order> exp(Jet<Order> a) {
  const double value = std::exp(a.value());
  if (a.is_constant()) return value;
  return a.chain(value, value, value);
}

template <int Order>
inline Jet<Order> expm1(Jet<Order> a) {
  const double value = std::expm1(a.value());
  if (a.is_constant()) return value;
  const double slope = std::exp(a.value());  // value + 1 would cancel for very negative a
  return a.chain(value, slope, slope);
}

template <int Order>
inline Jet<Order> log(Jet<Order> a) {
  const double value = std::log(a.value());
  if (a.is_constant()) return value;
  // The real logarithm has no derivative where it has no value: 1/a would hide that.
  const double slope = a.value() < 0.0 ? value : 1.0 / a.value();
  return a.chain(value, slope, -slope * slope);
}

template <int Order>
inline Jet<Order> log2(Jet<Order> a) {
  const double value = std::log2(a.value());
  if (a.is_constant()) return value;
  const double slope = a.value() < 0.0 ? value : std::numbers::log2e / a.value();
  return a.chain(value, slope, -slope / a.value());
}

template <int Order>
inline Jet<Order> log10(Jet<Order> a) {
  const double value = std::log10(a.value());
  if (a.is_constant()) return value;
  const double slope = a.value() < 0.0 ? value : std::numbers::log10e / a.value();
  return a.chain(value, slope, -slope / a.value());
}

template <int Order>
inline Jet<Order> log1p(Jet<Order> a) {
  const double value = std::log1p(a.value());
  if (a.is_constant()) return value;
  const double slope = a.value() < -1.0 ? value : 1.0 / (1.0 + a.value());
  return a.chain(value, slope, -slope * slope);
}

/// At 0 the derivative is +infinity, the second -infinity.
template <int Order>
inline Jet<Order> sqrt(Jet<Order> a) {
  const double value = std::sqrt(a.value());
  if (a.is_constant()) return value;
  const double slope = 0.5 / value;
  return a.chain(value, slope, -0.5 * slope / a.value());
}

/// At 0 the derivative is +infinity.
template <int Order>
inline Jet<Order> cbrt(Jet<Order> a) {
  const double value = std::cbrt(a.value());
  if (a.is_constant()) return value;
  const double slope = 1.0 / (3.0 * value * value);
  return a.chain(value, slope, -2.0 / 3.0 * slope / a.value());
}

/// At 0 the derivative is taken as 0 (the subgradient of smallest size); the second derivative is 0 everywhere.
template <int Order>
inline Jet<Order> abs(Jet<Order> a) {
  const double value = std::abs(a.value());
  if (a.is_constant()) return value;
  const double sign = a.value() > 0.0 ? 1.0 : (a.value() < 0.0 ? -1.0 : value);  // value: 0 at 0, NaN at NaN
  return a.chain(value, sign, 0.0);
}
template <int Order>
inline Jet<Order> fabs(Jet<Order> a) {
  return abs(a);
}

/// a^2
template <int Order>
inline Jet<Order> square(Jet<Order> a) {
  return a * a;
}
inline double square(double a) { return a * a; }

/// 1 / (1 + exp(-a)), without overflow.
inline double sigmoid(double a) {
  const double tail = std::exp(-std::abs(a));
  return (a >= 0.0 ? 1.0 : tail) / (1.0 + tail);
}
template <int Order>
inline Jet<Order> sigmoid(Jet<Order> a) {
  const double value = sigmoid(a.value());
  if (a.is_constant()) return value;
  const double tail = std::exp(-std::abs(a.value()));
  const double slope = tail / ((1.0 + tail) * (1.0 + tail));  // value (1 - value) would cancel for large a
  return a.chain(value, slope, slope * (1.0 - 2.0 * value));
}

/// log(1 + exp(a)), without overflow.
inline double softplus(double a) { return (a > 0.0 ? a : 0.0) + std::log1p(std::exp(-std::abs(a))); }
template <int Order>
inline Jet<Order> softplus(Jet<Order> a) {
  const double value = softplus(a.value());
  if (a.is_constant()) return value;
  const double tail = std::exp(-std::abs(a.value()));
  return a.chain(value, sigmoid(a.value()), tail / ((1.0 + tail) * (1.0 + tail)));
}

/// a^2 / 2 for |a| < 1, else |a| - 1/2; the second derivative is 1 for |a| < 1, else 0.
inline double huber(double a) { return std::abs(a) < 1.0 ? 0.5 * a * a : std::abs(a) - 0.5; }
template <int Order>
inline Jet<Order> huber(Jet<Order> a) {
  const double value = huber(a.value());
  if (a.is_constant()) return value;
  if (std::abs(a.value()) < 1.0) return a.chain(value, a.value(), 1.0);
  const double sign = a.value() > 0.0 ? 1.0 : (a.value() < 0.0 ? -1.0 : value);  // value: NaN at NaN
  return a.chain(value, sign, 0.0);
}

/// a^exponent for a whole exponent: any a, and pow(0, 2) has derivatives 0 and 2.
template <int Order, std::integral Integer>
inline Jet<Order> pow(Jet<Order> a, Integer exponent) {
  if (exponent == 0) return 1.0;
  if (exponent == 1) return a;
  if (exponent == 2) return a * a;
  const double n = static_cast<double>(exponent);
  const double value = std::pow(a.value(), n);
  if (a.is_constant()) return value;
  return a.chain(value, n * std::pow(a.value(), n - 1.0), n * (n - 1.0) * std::pow(a.value(), n - 2.0));
}

/// a^exponent. Negative a needs a whole exponent, else NaN as std::pow.
template <int Order>
inline Jet<Order> pow(Jet<Order> a, double exponent) {
  if (exponent == 0.0) return 1.0;
  if (exponent == 1.0) return a;
  if (exponent == 2.0) return a * a;
  const double value = std::pow(a.value(), exponent);
  if (a.is_constant()) return value;
  return a.chain(value, exponent * std::pow(a.value(), exponent - 1.0),
                 exponent * (exponent - 1.0) * std::pow(a.value(), exponent - 2.0));
}

/// base^b; 0^b is the constant 0 for b > 0.
template <int Order>
inline Jet<Order> pow(double base, Jet<Order> b) {
  const double value = std::pow(base, b.value());
  if (b.is_constant()) return value;
  const double log_base = base == 0.0 && b.value() > 0.0 ? 0.0 : std::log(base);
  return b.chain(value, value * log_base, value * log_base * log_base);
}

/// a^b, a > 0. At a = 0 < b the derivative in b is 0; for a < 0 it is NaN.
template <int Order>
inline Jet<Order> pow(Jet<Order> a, Jet<Order> b) {
  if (b.is_constant()) return pow(a, b.value());
  if (a.is_constant()) return pow(a.value(), b);
  const double base = a.value(), exponent = b.value();
  const double value = std::pow(base, exponent);
  const double log_base = base == 0.0 && exponent > 0.0 ? 0.0 : std::log(base);
  const double lower = std::pow(base, exponent - 1.0);
  return Jet<Order>::combine(
      a, b, value, exponent == 0.0 ? 0.0 : exponent * lower, value * log_base,
      exponent == 0.0 || exponent == 1.0 ? 0.0 : exponent * (exponent - 1.0) * std::pow(base, exponent - 2.0),
      lower == 0.0 ? 0.0 : lower * (1.0 + exponent * std::log(base)), value * log_base * log_base);
}

/// The larger; at a tie the derivative of b. NaN in either gives NaN.
template <int Order>
inline Jet<Order> max(Jet<Order> a, Jet<Order> b) {
  return a.value() > b.value() || std::isnan(a.value()) ? a : b;
}
template <int Order>
inline Jet<Order> max(Jet<Order> a, double b) {
  return max(a, Jet<Order>(b));
}
template <int Order>
inline Jet<Order> max(double a, Jet<Order> b) {
  return max(Jet<Order>(a), b);
}

/// The smaller; at a tie the derivative of b. NaN in either gives NaN.
template <int Order>
inline Jet<Order> min(Jet<Order> a, Jet<Order> b) {
  return a.value() < b.value() || std::isnan(a.value()) ? a : b;
}
template <int Order>
inline Jet<Order> min(Jet<Order> a, double b) {
  return min(a, Jet<Order>(b));
}
template <int Order>
inline Jet<Order> min(double a, Jet<Order> b) {
  return min(Jet<Order>(a), b);
}

/// condition ? a : b; no derivative flows through the other one.
template <int Order>
inline Jet<Order> select(bool condition, Jet<Order> a, Jet<Order> b) {
  return condition ? a : b;
}
template <int Order>
inline Jet<Order> select(bool condition, Jet<Order> a, double b) {
  return condition ? a : Jet<Order>(b);
}
template <int Order>
inline Jet<Order> select(bool condition, double a, Jet<Order> b) {
  return condition ? Jet<Order>(a) : b;
}
inline double select(bool condition, double a, double b) { return condition ? a : b; }

template <int Order>
inline bool isfinite(Jet<Order> a) {
  return std::isfinite(a.value());
}
template <int Order>
inline bool isnan(Jet<Order> a) {
  return std::isnan(a.value());
}

}  // namespace bilevel::autodiff
