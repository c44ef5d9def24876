// Jet: the number type that a differentiated lambda computes with.
#pragma once

#include <cstdint>
#include <type_traits>

#include "bilevel/autodiff/tape.hpp"

namespace bilevel::autodiff {

/// What a Jet knows beside its value: its derivatives with respect to one node of the tape, its parent. So a chain of
/// unary functions, and operations with one active argument, stay in the number and cost no node.
template <int Order>
struct Derivatives;
template <>
struct Derivatives<0> {};
template <>
struct Derivatives<1> {
  double first = 0;
  std::int32_t parent = kNoParent;
};
template <>
struct Derivatives<2> {
  double first = 0;
  double second = 0;
  std::int32_t parent = kNoParent;
};

/// A real number that records how it was computed. Order 0: value only, as fast as double; 1: for gradients; 2: for
/// Hessian products. Behaves like double with doubles and integers; comparisons compare values.
///
/// A Jet belongs to one call of the lambda on one thread and must not be kept after it. Jet does not convert to double:
/// value_of(jet) drops the derivatives on purpose.
template <int Order>
class Jet {
  static_assert(Order >= 0 && Order <= 2);

 public:
  Jet() = default;

  /// A constant: never on the tape.
  template <typename Number>
  requires std::is_arithmetic_v<Number> Jet(Number constant) : value_(static_cast<double>(constant)) {}

  /// Leaf `index` of the tape.
  static Jet leaf(double value, std::int32_t index) {
    Jet result(value);
    if constexpr (Order > 0) {
      result.d_.first = 1;
      result.d_.parent = index;
    }
    return result;
  }

  double value() const { return value_; }
  const Derivatives<Order>& derivatives() const { return d_; }

  /// True if no derivative flows through: always so at order 0.
  bool is_constant() const {
    if constexpr (Order == 0) {
      return true;
    } else {
      return d_.parent < 0;
    }
  }

  /// f(*this) from f's value, first and second derivative here: how elementary functions are made. Not for constants.
  Jet chain(double value, double first, double second) const {
    Jet result(value);
    if constexpr (Order > 0) {
      result.d_.first = first * d_.first;
      result.d_.parent = d_.parent;
    }
    if constexpr (Order == 2) {
      // A straight argument adds no bend of its own, even where f is infinitely steep.
      const double bend = d_.second == 0.0 ? 0.0 : first * d_.second;
      result.d_.second = second * d_.first * d_.first + bend;
    }
    return result;
  }

  /// f(a, b) from its value, gradient (f_a, f_b) and Hessian (f_aa, f_ab, f_bb). Not for constants.
  static Jet combine(Jet a, Jet b, double value, double f_a, double f_b, double f_aa, double f_ab, double f_bb) {
    if constexpr (Order == 0) {
      return value;
    } else {
      Node<Order> node;
      node.weight[0] = f_a * a.d_.first;
      node.weight[1] = f_b * b.d_.first;
      if constexpr (Order == 2) {
        node.curvature[0] = f_aa * a.d_.first * a.d_.first + f_a * a.d_.second;
        node.curvature[1] = f_ab * a.d_.first * b.d_.first;
        node.curvature[2] = f_bb * b.d_.first * b.d_.first + f_b * b.d_.second;
      }
      return join(value, node, a, b);
    }
  }

  friend Jet operator+(Jet a, Jet b) {
    const double value = a.value_ + b.value_;
    if (b.is_constant()) return a.with_value(value);
    if (a.is_constant()) return b.with_value(value);
    return linear(value, a, b, 1.0);
  }
  friend Jet operator-(Jet a, Jet b) {
    const double value = a.value_ - b.value_;
    if (b.is_constant()) return a.with_value(value);
    if (a.is_constant()) return b.scaled(value, -1.0);
    return linear(value, a, b, -1.0);
  }
  friend Jet operator*(Jet a, Jet b) {
    const double value = a.value_ * b.value_;
    if (b.is_constant()) return a.scaled(value, b.value_);
    if (a.is_constant()) return b.scaled(value, a.value_);
    if constexpr (Order == 0) {
      return value;
    } else {
      Node<Order> node;
      node.weight[0] = b.value_ * a.d_.first;
      node.weight[1] = a.value_ * b.d_.first;
      if constexpr (Order == 2) {
        node.curvature[0] = b.value_ * a.d_.second;
        node.curvature[1] = a.d_.first * b.d_.first;
        node.curvature[2] = a.value_ * b.d_.second;
      }
      return join(value, node, a, b);
    }
  }
  friend Jet operator/(Jet a, Jet b) {
    const double value = a.value_ / b.value_;
    const double inverse = 1.0 / b.value_;
    if (b.is_constant()) return a.scaled(value, inverse);
    if (a.is_constant()) return b.chain(value, -value * inverse, 2.0 * value * inverse * inverse);
    return combine(a, b, value, inverse, -value * inverse, 0.0, -inverse * inverse, 2.0 * value * inverse * inverse);
  }
  friend Jet operator-(Jet a) { return a.scaled(-a.value_, -1.0); }
  friend Jet operator+(Jet a) { return a; }

  Jet& operator+=(Jet other) { return *this = *this + other; }
  Jet& operator-=(Jet other) { return *this = *this - other; }
  Jet& operator*=(Jet other) { return *this = *this * other; }
  Jet& operator/=(Jet other) { return *this = *this / other; }

  friend bool operator<(Jet a, Jet b) { return a.value_ < b.value_; }
  friend bool operator>(Jet a, Jet b) { return a.value_ > b.value_; }
  friend bool operator<=(Jet a, Jet b) { return a.value_ <= b.value_; }
  friend bool operator>=(Jet a, Jet b) { return a.value_ >= b.value_; }
  friend bool operator==(Jet a, Jet b) { return a.value_ == b.value_; }
  friend bool operator!=(Jet a, Jet b) { return a.value_ != b.value_; }

 private:
  Jet with_value(double value) const {
    Jet result = *this;
    result.value_ = value;
    return result;
  }

  Jet scaled(double value, double factor) const {
    Jet result = with_value(value);
    if constexpr (Order > 0) {
      if (is_constant()) return result;
      result.d_.first *= factor;
    }
    if constexpr (Order == 2) result.d_.second *= factor;
    return result;
  }

  // a + sign * b
  static Jet linear(double value, Jet a, Jet b, double sign) {
    if constexpr (Order == 0) {
      return value;
    } else {
      Node<Order> node;
      node.weight[0] = a.d_.first;
      node.weight[1] = sign * b.d_.first;
      if constexpr (Order == 2) {
        node.curvature[0] = a.d_.second;
        node.curvature[1] = 0.0;
        node.curvature[2] = sign * b.d_.second;
      }
      return join(value, node, a, b);
    }
  }

  // Two active arguments: a new node, unless both hang on the same parent.
  static Jet join(double value, Node<Order>& node, const Jet& a, const Jet& b) requires(Order > 0) {
    Jet result(value);
    if (a.d_.parent == b.d_.parent) {
      result.d_.first = node.weight[0] + node.weight[1];
      if constexpr (Order == 2) result.d_.second = node.curvature[0] + 2.0 * node.curvature[1] + node.curvature[2];
      result.d_.parent = a.d_.parent;
      return result;
    }
    node.parent[0] = a.d_.parent;
    node.parent[1] = b.d_.parent;
    result.d_.first = 1.0;
    result.d_.parent = push(node);
    return result;
  }

  double value_ = 0;
  [[no_unique_address]] Derivatives<Order> d_;
};

/// The value alone, without derivatives: for branches and printing.
template <int Order>
double value_of(Jet<Order> a) {
  return a.value();
}
inline double value_of(double a) { return a; }

}  // namespace bilevel::autodiff
