// Objectives written as formulas: "(x - 0.3)^2 + sum(i, 1, 3, (x[i] - y[i])^2) + huber(a*y)".
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/objective.hpp"

namespace bilevel {

/// Named constants of a formula: a number `a`, or a list read as a[1], a[2], ...
using FormulaParameters = std::map<std::string, std::vector<double>>;

/// A parsed formula. Copies share the parsed text.
///
/// Grammar, binding tighter downwards; precedence of mathematics:
///     sum      a + b, a - b                 left to right
///     product  a * b, a / b                 left to right
///     sign     -a, +a                       below ^: -y^2 = -(y^2)
///     power    a ^ b                        right to left: 2^3^2 = 2^9; the exponent may carry a sign: 2^-1
///     atom     3, 1.5e-3, pi, e, x, y, x3, x[3], a parameter, (a), f(a), sum(i, from, to, term)
///     choice   if(condition, a, b)           a where the condition holds, else b
/// Conditions: a < b, <=, >, >= of numbers; == and != of indices and parameters; not, and, or, binding in this order.
/// Functions: sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh exp expm1 log log2 log10 log1p sqrt cbrt erf
/// erfc abs sigmoid huber softplus square of one argument, min max of two or more; their derivatives are those of
/// bilevel/autodiff/functions.hpp, also where there is a kink. A choice has those of the branch that it takes.
/// x and y are the first entries x[1] and y[1]; x1, x2, .. and x[1], x[2], .. the entries, counted from 1. An index and
/// the bounds of a sum are expressions of numbers, sum indices and parameters that are whole within 1e-9; a sum whose
/// `to` is below `from` is 0. A whole constant exponent stands for products: x^2 = x*x for every x.
///
/// Constants are folded, equal parts are computed once, terms of a linear part may be added in another order, and terms
/// of a sum that do the same run side by side: a gradient takes some 2 to 15 times the plain function in C++.
class Formula {
 public:
  /// Throws InvalidInput for text that is no formula: "<where>:<line>:<column>: <what is wrong>", with the line and a
  /// caret under it, what is allowed, and the nearest known name. Line and column count from 1 within `text`. Refused
  /// too: parameters whose name is taken or that are not finite, constant parts without a finite value, nesting deeper
  /// than 200, entries beyond 5 million, and sums that make more than 5 million operations.
  static Formula parse(std::string_view text, const FormulaParameters& parameters = {},
                       std::string_view where = "formula");

  const std::string& text() const;
  /// Largest index used of x and of y; 0 where it does not occur.
  Index largest_x() const;
  Index largest_y() const;
  /// phi(x, y) with plain doubles; x and y at least as long as the largest index, else DimensionMismatch.
  double operator()(const Vec& x, const Vec& y) const;

  struct Program;  // compiled
  const Program& program() const { return *program_; }

 private:
  explicit Formula(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

/// The formula as an Objective with exact derivatives, x in R^dim_x and y in R^dim_y; all oracles, its kinks and what
/// is not finite told by line and column of the text, and calls from several threads. Each product is one sweep forward
/// and one back over values that a linearization keeps. Throws DimensionMismatch naming the formula and the largest
/// index if it uses more entries than there are.
std::shared_ptr<const Objective> make_formula_objective(std::string name, const Formula& formula, Index dim_x,
                                                        Index dim_y);

}  // namespace bilevel
