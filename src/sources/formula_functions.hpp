// The functions of formulas: names, and values with derivatives, the same as in bilevel/autodiff/functions.hpp.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <optional>
#include <string_view>
#include <vector>

#include "bilevel/autodiff/functions.hpp"

namespace bilevel {

/// What an instruction computes from its operands. Everything linear is one kind: a row of coefficients.
enum class Op : std::uint8_t {
  leaf_x,
  leaf_y,
  constant,
  affine,  // c_0 + c_1 v_1 + ... + c_L v_L
  square,
  product,
  // functions of one operand
  reciprocal,
  sine,
  cosine,
  tangent,
  exponential,
  logarithm,
  root,
  absolute,
  hyperbolic_tangent,
  logistic,
  huber_loss,
  soft_plus,
  whole_power,  // operand ^ parameter, the parameter a whole number
  fixed_power,  // operand ^ parameter
  fixed_base,   // parameter ^ operand
  logarithm_2,
  logarithm_10,
  logarithm_1p,    // log(1 + operand)
  exponential_m1,  // exp(operand) - 1
  arc_sine,
  arc_cosine,
  arc_tangent,
  hyperbolic_sine,
  hyperbolic_cosine,
  area_sine,  // inverses of the hyperbolic functions
  area_cosine,
  area_tangent,
  cube_root,
  error_function,
  error_complement,
  // of two operands
  quotient,
  free_power,
  smaller,
  larger,
  less,      // a < b as 1 or 0: a condition
  at_most,   // a <= b
  provided,  // b where the condition a holds, else 0
};
constexpr bool is_unary_function(Op op) { return op >= Op::reciprocal && op <= Op::error_complement; }
constexpr bool is_binary_function(Op op) { return op >= Op::quotient; }
constexpr bool is_extremum(Op op) { return op == Op::smaller || op == Op::larger; }
/// Whether an operand may have no say: where it was not chosen its slope does not count, finite or not.
constexpr bool is_choice(Op op) { return is_extremum(op) || op == Op::provided; }

/// A function as formulas name it.
struct NamedFunction {
  std::string_view name;
  Op op;
  bool takes_two_or_more = false;  // else exactly one
};
/// All but sum, which binds a name, and if, whose first argument is a condition.
const std::vector<NamedFunction>& functions();
/// pi and e.
std::optional<double> named_constant(std::string_view name);

/// A function of one operand with its first and second derivative; those above the order asked for are 0.
struct Slopes {
  double value = 0, first = 0, second = 0;
};

/// a^n by repeated multiplication: exact where the products are, for any sign of a.
inline double whole_power(double a, double n) {
  constexpr double kMostFactors = 64;  // beyond, the rounding errors of the products exceed those of std::pow
  if (std::abs(n) > kMostFactors) return std::pow(a, n);
  double result = 1.0;
  for (auto rest = static_cast<unsigned>(std::abs(n)); rest != 0; rest >>= 1, a *= a) {
    if (rest & 1u) result *= a;
  }
  return n < 0 ? 1.0 / result : result;
}

template <Op kOp, int kOrder>
inline Slopes slopes(double a, [[maybe_unused]] double parameter) {
  constexpr bool with = kOrder > 0;
  if constexpr (kOp == Op::reciprocal) {
    const double value = 1.0 / a;
    if (!with) return {value};
    return {value, -value * value, 2.0 * value * value * value};
  } else if constexpr (kOp == Op::sine) {
    const double value = std::sin(a);
    if (!with) return {value};
    return {value, std::cos(a), -value};
  } else if constexpr (kOp == Op::cosine) {
    const double value = std::cos(a);
    if (!with) return {value};
    return {value, -std::sin(a), -value};
  } else if constexpr (kOp == Op::tangent) {
    const double value = std::tan(a), slope = 1.0 + value * value;
    return {value, slope, 2.0 * value * slope};
  } else if constexpr (kOp == Op::exponential) {
    const double value = std::exp(a);
    return {value, value, value};
  } else if constexpr (kOp == Op::logarithm) {
    const double value = std::log(a);
    if (!with) return {value};
    const double slope = a < 0.0 ? value : 1.0 / a;  // NaN where there is no value
    return {value, slope, -slope * slope};
  } else if constexpr (kOp == Op::root) {
    const double value = std::sqrt(a);
    if (!with) return {value};
    const double slope = 0.5 / value;
    return {value, slope, -0.5 * slope / a};
  } else if constexpr (kOp == Op::absolute) {
    const double value = std::abs(a);
    return {value, a > 0.0 ? 1.0 : (a < 0.0 ? -1.0 : value), 0.0};
  } else if constexpr (kOp == Op::hyperbolic_tangent) {
    const double value = std::tanh(a), slope = (1.0 - value) * (1.0 + value);
    return {value, slope, -2.0 * value * slope};
  } else if constexpr (kOp == Op::logistic) {
    const double tail = std::exp(-std::abs(a)), value = (a >= 0.0 ? 1.0 : tail) / (1.0 + tail);
    if (!with) return {value};
    const double slope = tail / ((1.0 + tail) * (1.0 + tail));
    return {value, slope, slope * (1.0 - 2.0 * value)};
  } else if constexpr (kOp == Op::huber_loss) {
    const double value = autodiff::huber(a);
    if (std::abs(a) < 1.0) return {value, a, 1.0};
    return {value, a > 0.0 ? 1.0 : (a < 0.0 ? -1.0 : value), 0.0};
  } else if constexpr (kOp == Op::soft_plus) {
    const double value = autodiff::softplus(a);
    if (!with) return {value};
    const double tail = std::exp(-std::abs(a));
    return {value, (a >= 0.0 ? 1.0 : tail) / (1.0 + tail), tail / ((1.0 + tail) * (1.0 + tail))};
  } else if constexpr (kOp == Op::whole_power) {
    const double n = parameter, value = whole_power(a, n);
    if (!with) return {value};
    return {value, n * whole_power(a, n - 1.0), kOrder > 1 ? n * (n - 1.0) * whole_power(a, n - 2.0) : 0.0};
  } else if constexpr (kOp == Op::fixed_power) {
    const double p = parameter, value = std::pow(a, p);
    if (!with) return {value};
    return {value, p * std::pow(a, p - 1.0), kOrder > 1 ? p * (p - 1.0) * std::pow(a, p - 2.0) : 0.0};
  } else if constexpr (kOp == Op::fixed_base) {
    const double value = std::pow(parameter, a);
    if (!with) return {value};
    const double log_base = parameter == 0.0 && a > 0.0 ? 0.0 : std::log(parameter);
    return {value, value * log_base, value * log_base * log_base};
  } else if constexpr (kOp == Op::logarithm_2 || kOp == Op::logarithm_10) {
    constexpr double kSlopeAtOne = kOp == Op::logarithm_2 ? std::numbers::log2e : std::numbers::log10e;
    const double value = kOp == Op::logarithm_2 ? std::log2(a) : std::log10(a);
    if (!with) return {value};
    const double slope = a < 0.0 ? value : kSlopeAtOne / a;  // NaN where there is no value
    return {value, slope, -slope / a};
  } else if constexpr (kOp == Op::logarithm_1p) {
    const double value = std::log1p(a);
    if (!with) return {value};
    const double slope = a < -1.0 ? value : 1.0 / (1.0 + a);
    return {value, slope, -slope * slope};
  } else if constexpr (kOp == Op::exponential_m1) {
    const double value = std::expm1(a);
    if (!with) return {value};
    const double slope = std::exp(a);  // value + 1 would cancel for very negative a
    return {value, slope, slope};
  } else if constexpr (kOp == Op::arc_sine || kOp == Op::arc_cosine) {
    const double value = kOp == Op::arc_sine ? std::asin(a) : std::acos(a);
    if (!with) return {value};
    const double rest = (1.0 - a) * (1.0 + a), slope = (kOp == Op::arc_sine ? 1.0 : -1.0) / std::sqrt(rest);
    return {value, slope, a * slope / rest};
  } else if constexpr (kOp == Op::arc_tangent) {
    const double value = std::atan(a);
    if (!with) return {value};
    const double slope = 1.0 / (1.0 + a * a);
    return {value, slope, -2.0 * a * slope * slope};
  } else if constexpr (kOp == Op::hyperbolic_sine || kOp == Op::hyperbolic_cosine) {
    constexpr bool is_sine = kOp == Op::hyperbolic_sine;
    const double value = is_sine ? std::sinh(a) : std::cosh(a);
    if (!with) return {value};
    return {value, is_sine ? std::cosh(a) : std::sinh(a), value};
  } else if constexpr (kOp == Op::area_sine) {
    const double value = std::asinh(a);
    if (!with) return {value};
    const double slope = 1.0 / std::hypot(1.0, a);
    return {value, slope, -a * slope * slope * slope};
  } else if constexpr (kOp == Op::area_cosine) {
    const double value = std::acosh(a);
    if (!with) return {value};
    const double slope = 1.0 / (std::sqrt(a - 1.0) * std::sqrt(a + 1.0));
    return {value, slope, -a * slope * slope * slope};
  } else if constexpr (kOp == Op::area_tangent) {
    const double value = std::atanh(a);
    if (!with) return {value};
    const double slope = std::abs(a) > 1.0 ? value : 1.0 / ((1.0 - a) * (1.0 + a));
    return {value, slope, 2.0 * a * slope * slope};
  } else if constexpr (kOp == Op::cube_root) {
    const double value = std::cbrt(a);
    if (!with) return {value};
    const double slope = 1.0 / (3.0 * value * value);
    return {value, slope, -2.0 / 3.0 * slope / a};
  } else {
    static_assert(kOp == Op::error_function || kOp == Op::error_complement);
    constexpr double kSlopeAtZero = (kOp == Op::error_function ? 2.0 : -2.0) * std::numbers::inv_sqrtpi;
    const double value = kOp == Op::error_function ? std::erf(a) : std::erfc(a);
    if (!with) return {value};
    const double slope = kSlopeAtZero * std::exp(-a * a);
    return {value, slope, -2.0 * a * slope};
  }
}

/// A function of two operands with its derivatives.
struct BinarySlopes {
  double value = 0, first_a = 0, first_b = 0, second_aa = 0, second_ab = 0, second_bb = 0;
};

template <Op kOp, int kOrder>
inline BinarySlopes binary_slopes(double a, double b) {
  constexpr bool with = kOrder > 0;
  if constexpr (kOp == Op::quotient) {
    const double value = a / b;
    if (!with) return {value};
    const double inverse = 1.0 / b, ratio = value * inverse;
    return {value, inverse, -ratio, 0.0, -inverse * inverse, 2.0 * ratio * inverse};
  } else if constexpr (kOp == Op::free_power) {
    const double value = std::pow(a, b);
    if (!with) return {value};
    const double log_base = a == 0.0 && b > 0.0 ? 0.0 : std::log(a);
    const double lower = std::pow(a, b - 1.0);
    return {value,
            b == 0.0 ? 0.0 : b * lower,
            value * log_base,
            b == 0.0 || b == 1.0 ? 0.0 : b * (b - 1.0) * std::pow(a, b - 2.0),
            lower == 0.0 ? 0.0 : lower * (1.0 + b * std::log(a)),
            value * log_base * log_base};
  } else if constexpr (kOp == Op::less || kOp == Op::at_most) {
    if (std::isnan(a) || std::isnan(b)) return {a + b};
    return {(kOp == Op::less ? a < b : a <= b) ? 1.0 : 0.0};
  } else if constexpr (kOp == Op::provided) {
    if (std::isnan(a)) return {a, 0.0, a};
    return a != 0.0 ? BinarySlopes{b, 0.0, 1.0} : BinarySlopes{};
  } else {
    static_assert(is_extremum(kOp));
    const bool first = (kOp == Op::larger ? a > b : a < b) || std::isnan(a);
    return {first ? a : b, first ? 1.0 : 0.0, first ? 0.0 : 1.0, 0.0, 0.0, 0.0};
  }
}

/// action.operator()<kOp>() for the function of one operand that `op` is.
template <class Action>
inline decltype(auto) with_unary(Op op, Action&& action) {
  switch (op) {
    case Op::reciprocal: return action.template operator()<Op::reciprocal>();
    case Op::sine: return action.template operator()<Op::sine>();
    case Op::cosine: return action.template operator()<Op::cosine>();
    case Op::tangent: return action.template operator()<Op::tangent>();
    case Op::exponential: return action.template operator()<Op::exponential>();
    case Op::logarithm: return action.template operator()<Op::logarithm>();
    case Op::root: return action.template operator()<Op::root>();
    case Op::absolute: return action.template operator()<Op::absolute>();
    case Op::hyperbolic_tangent: return action.template operator()<Op::hyperbolic_tangent>();
    case Op::logistic: return action.template operator()<Op::logistic>();
    case Op::huber_loss: return action.template operator()<Op::huber_loss>();
    case Op::soft_plus: return action.template operator()<Op::soft_plus>();
    case Op::whole_power: return action.template operator()<Op::whole_power>();
    case Op::fixed_power: return action.template operator()<Op::fixed_power>();
    case Op::fixed_base: return action.template operator()<Op::fixed_base>();
    case Op::logarithm_2: return action.template operator()<Op::logarithm_2>();
    case Op::logarithm_10: return action.template operator()<Op::logarithm_10>();
    case Op::logarithm_1p: return action.template operator()<Op::logarithm_1p>();
    case Op::exponential_m1: return action.template operator()<Op::exponential_m1>();
    case Op::arc_sine: return action.template operator()<Op::arc_sine>();
    case Op::arc_cosine: return action.template operator()<Op::arc_cosine>();
    case Op::arc_tangent: return action.template operator()<Op::arc_tangent>();
    case Op::hyperbolic_sine: return action.template operator()<Op::hyperbolic_sine>();
    case Op::hyperbolic_cosine: return action.template operator()<Op::hyperbolic_cosine>();
    case Op::area_sine: return action.template operator()<Op::area_sine>();
    case Op::area_cosine: return action.template operator()<Op::area_cosine>();
    case Op::area_tangent: return action.template operator()<Op::area_tangent>();
    case Op::cube_root: return action.template operator()<Op::cube_root>();
    case Op::error_function: return action.template operator()<Op::error_function>();
    default: return action.template operator()<Op::error_complement>();
  }
}

/// The same for functions of two operands.
template <class Action>
inline decltype(auto) with_binary(Op op, Action&& action) {
  switch (op) {
    case Op::quotient: return action.template operator()<Op::quotient>();
    case Op::free_power: return action.template operator()<Op::free_power>();
    case Op::smaller: return action.template operator()<Op::smaller>();
    case Op::larger: return action.template operator()<Op::larger>();
    case Op::less: return action.template operator()<Op::less>();
    case Op::at_most: return action.template operator()<Op::at_most>();
    default: return action.template operator()<Op::provided>();
  }
}

}  // namespace bilevel
