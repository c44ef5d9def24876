// A generic C++ lambda becomes an Objective with exact gradients and Hessian products.
//
//   auto g = bilevel::make_objective("ridge", 1, 3, [A, b](auto x, auto y) {
//     return squared_norm(y) * exp(x[0]) + square(dot(A, y) - b);
//   });
//
// Inside the lambda x (leader, n) and y (follower, m) are views: x[i], size(), segment(first, count), range-for, and
// sum, dot, squared_norm, log_sum_exp of a view, of a std::vector of computed numbers, or with contiguous doubles.
// Their numbers are autodiff::Jet: + - * / with each other and with double or int, comparisons of values, and sin cos
// tan asin acos atan sinh cosh tanh exp expm1 log log1p sqrt abs pow min max sigmoid softplus huber square select.
// Write them unqualified (`using std::sin;` is allowed too). For a number to add to: decltype(y[0]) total = 0;
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "bilevel/autodiff/functions.hpp"
#include "bilevel/autodiff/jet.hpp"
#include "bilevel/autodiff/reductions.hpp"
#include "bilevel/autodiff/taped_objective.hpp"
#include "bilevel/autodiff/view.hpp"

namespace bilevel {

namespace autodiff {

template <typename Function, bool HasSamples>
class LambdaObjective final : public TapedObjective {
 public:
  LambdaObjective(std::string name, Index dim_x, Index dim_y, std::size_t samples, Function function)
      : TapedObjective(std::move(name), dim_x, dim_y, samples), function_(std::move(function)) {}

 private:
  template <int Order>
  Jet<Order> call(const View<Jet<Order>>& x, const View<Jet<Order>>& y, [[maybe_unused]] std::size_t sample) const {
    if constexpr (HasSamples) {
      static_assert(std::convertible_to<decltype(function_(x, y, sample)), Jet<Order>>,
                    "the lambda must return a number computed from x and y, or a constant");
      return function_(x, y, sample);
    } else {
      static_assert(std::convertible_to<decltype(function_(x, y)), Jet<Order>>,
                    "the lambda must return a number computed from x and y, or a constant");
      return function_(x, y);
    }
  }
  Jet<0> phi(const View<Jet<0>>& x, const View<Jet<0>>& y, std::size_t i) const override { return call<0>(x, y, i); }
  Jet<1> phi(const View<Jet<1>>& x, const View<Jet<1>>& y, std::size_t i) const override { return call<1>(x, y, i); }
  Jet<2> phi(const View<Jet<2>>& x, const View<Jet<2>>& y, std::size_t i) const override { return call<2>(x, y, i); }

  Function function_;
};

}  // namespace autodiff

/// phi(x, y) = function(x, y) with x in R^dim_x (0 allowed), y in R^dim_y. The function must be deterministic and, if
/// several threads use the objective, safe to call from several threads; what it captures lives in the objective.
/// A function that returns a constant has zero derivatives.
template <typename Function>
std::shared_ptr<const Objective> make_objective(std::string name, Index dim_x, Index dim_y, Function function) {
  return std::make_shared<autodiff::LambdaObjective<Function, false>>(std::move(name), dim_x, dim_y, 1,
                                                                      std::move(function));
}

/// phi(x, y) = 1/samples sum_i function(x, y, i), i = 0 .. samples - 1; a Batch averages over its samples only.
template <typename Function>
std::shared_ptr<const Objective> make_objective(std::string name, Index dim_x, Index dim_y, std::size_t samples,
                                                Function function) {
  return std::make_shared<autodiff::LambdaObjective<Function, true>>(std::move(name), dim_x, dim_y, samples,
                                                                     std::move(function));
}

}  // namespace bilevel
