// The three directions of SOBA, which others reduce the variance of.
#pragma once

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
  auto g = problem.lower->linearize(x, y, xi, Oracle::grad_y);
  const auto products = g.both(v);
  const auto f = problem.upper->evaluate(Oracle::grad_x | Oracle::grad_y, x, y, zeta);
  return {*g.take_evaluation().grad_y, products.hess_yy - *f.grad_y, *f.grad_x - products.hess_xy};
}

/// What methods with an adjoint call.
inline constexpr OracleSet kImplicitUpper = Oracle::value | Oracle::grad_x | Oracle::grad_y;
inline constexpr OracleSet kImplicitLower = Oracle::grad_y | Oracle::hess_yy | Oracle::hess_xy;

}  // namespace bilevel
