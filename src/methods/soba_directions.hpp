// The three directions of SOBA, which others reduce the variance of.
#pragma once

#include <utility>

#include "bilevel/problem.hpp"

namespace bilevel {

/// Directions of follower, adjoint and leader.
struct SobaDirections {
  Vec y;  // g_y              R^m
  Vec v;  // H v - f_y        R^m
  Vec x;  // f_x - B v        R^n
};

/// At (x, y, v), g on xi and f on zeta. One grad_y, hess_yy and hess_xy of g; one grad_x and grad_y of f.
inline SobaDirections soba_directions(const BilevelProblem& problem, const Vec& x, const Vec& y, const Vec& v, Batch xi,
                                      Batch zeta) {
  auto g = problem.lower->evaluate_along(Oracle::grad_y, x, y, v, xi);
  auto f = problem.upper->evaluate(Oracle::grad_x | Oracle::grad_y, x, y, zeta);
  g.products.hess_yy -= *f.grad_y;
  *f.grad_x -= g.products.hess_xy;
  return {std::move(*g.evaluation.grad_y), std::move(g.products.hess_yy), std::move(*f.grad_x)};
}

/// What methods with an adjoint call.
inline constexpr OracleSet kImplicitUpper = Oracle::value | Oracle::grad_x | Oracle::grad_y;
inline constexpr OracleSet kImplicitLower = Oracle::grad_y | Oracle::hess_yy | Oracle::hess_xy;

}  // namespace bilevel
