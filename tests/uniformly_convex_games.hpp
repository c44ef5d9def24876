// Games whose follower is uniformly convex of an exponent p, with answers in closed form.
#pragma once

#include <cmath>
#include <numbers>

#include <Eigen/LU>

#include "probes.hpp"

namespace bilevel::testing {

/// sign(t) |t|^exponent
inline double signed_power(double t, double exponent) { return std::copysign(std::pow(std::abs(t), exponent), t); }

inline Vec signed_power(const Vec& t, double exponent) {
  return t.unaryExpr([exponent](double entry) { return signed_power(entry, exponent); });
}

/// sign(t) |t|^(p - 1) and |t|^p of a jet, for whole p >= 2: derivatives at 0 as well.
template <class Number>
Number signed_power_jet(Number t, int p) {
  return p % 2 == 0 ? Number(pow(t, p - 1)) : Number(t * pow(abs(t), p - 2));
}

/// n = m = 1: g = |y - a|^p / p - (y - a) sin x,  f = sin u with u = sign(y - a) |y - a|^(p-1), constant beyond
/// |u| = pi / 2. So u*(x) = sin x, phi = sin(sin x), phi' = cos x cos(sin x); H = 0 where sin x = 0.  [UniBiO]
inline BilevelProblem power_game(int p, double centre = 0) {
  auto lower = make_objective("power", 1, 1, [p, centre](auto x, auto y) {
    const auto t = y[0] - centre;
    return t * signed_power_jet(t, p) / p - t * sin(x[0]);
  });
  auto upper = make_objective("clipped sine", 1, 1, [p, centre](auto, auto y) {
    const auto t = y[0] - centre;
    const auto u = signed_power_jet(t, p);
    using Number = std::remove_const_t<decltype(t)>;
    if (u > 0.5 * std::numbers::pi) return Number(1.0);
    if (u < -0.5 * std::numbers::pi) return Number(-1.0);
    return Number(sin(u));
  });
  return {"power game", upper, lower, vec({1}), vec({1}), {}};
}

inline double power_game_slope(double x) { return std::cos(x) * std::cos(std::sin(x)); }
inline double power_game_answer(double x, int p, double centre = 0) {
  return centre + signed_power(std::sin(x), 1.0 / (p - 1));
}

/// n = 2, m = 3: g = sum_i |W y - c|_i^p / p - y's(x), so W y* = c + spow(W^-T s(x), 1/(p-1)), and H = W' diag W does
/// not commute with D; f couples everything.
struct CoupledGame {
  BilevelProblem problem;
  Eigen::Matrix3d W;
  Vec c;
  int p = 4;

  Vec answer(const Vec& x) const {
    const Vec s = vec({1 + std::sin(x[0]), x[1] - 0.5 * x[0], -0.7 + 0.4 * x[0] * x[1]});
    return W.lu().solve(c + signed_power(Vec(W.transpose().lu().solve(s)), 1.0 / (p - 1)));
  }
  double value(const Vec& x) const { return problem.upper->value(x, answer(x)); }
};

inline CoupledGame coupled_game(int p) {
  CoupledGame game;
  game.p = p;
  game.W << 1, 0.5, -0.3, 0.2, 1.1, 0.4, -0.4, 0.1, 0.9;
  game.c = vec({0.1, -0.2, 0.3});
  auto lower = make_objective("coupled powers", 2, 3, [W = game.W, c = game.c, p](auto x, auto y) {
    decltype(y[0] * 1.0) total = 0;
    for (int i = 0; i < 3; ++i) {
      const auto t = W(i, 0) * y[0] + W(i, 1) * y[1] + W(i, 2) * y[2] - c[i];
      total = total + t * signed_power_jet(t, p) / p;
    }
    return total - (1.0 + sin(x[0])) * y[0] - (x[1] - 0.5 * x[0]) * y[1] - (-0.7 + 0.4 * x[0] * x[1]) * y[2];
  });
  auto upper = make_objective("distance", 2, 3, [](auto x, auto y) {
    return 0.5 * (square(y[0] - 0.5) + square(y[1] + 0.5) + square(y[2] - 0.25)) + 0.3 * sin(y[0]) * x[1] +
           0.1 * (square(x[0]) + square(x[1]));
  });
  game.problem = {"coupled powers", upper, lower, vec({0.4, -0.3}), vec({0.7, -1.1, 0.6}), {}};
  return game;
}

}  // namespace bilevel::testing
