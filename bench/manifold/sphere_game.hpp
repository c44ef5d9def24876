// A follower whose minimisers are a sphere of any dimension inside a space of any dimension; all answers in closed
// form.
#pragma once

#include <memory>

#include "probes.hpp"

namespace bilevel::testing {

/// With z = R y, R the reflection I - 2 u u' (nothing is aligned with the axes), z_a its first k + 1 entries:
///     g = (|z_a - C x|^2 - 1)^2 / 4 + sum_j lambda_j (z_j - (b x)_j)^2 / 2     over the other entries j
///     f = |z_a - a|^2 / 2 + |z_rest - q|^2 / 2 + rho |x|^2 / 2
/// r = |a - C x|, v = (a - C x) / r:  z_a* = C x + v,  z_rest* = b x,
///     F = (r - 1)^2 / 2 + |b x - q|^2 / 2 + rho |x|^2 / 2,  grad F = -(r - 1) C'v + b'(b x - q) + rho x,
/// and the intrinsic Hessian is r times the identity. Costs O(m) a call.
struct SphereGame {
  static constexpr Index kLeaders = 2;
  Index k, m;
  Eigen::MatrixXd C, b;  // (k + 1) x n, (m - k - 1) x n
  Vec a, q, lambda, u;
  double rho = 0.1;

  Vec reflect(const Vec& y) const { return y - 2 * dot(u, y) * u; }
  double distance(const Vec& x) const { return norm(a - C * x); }
  /// sign -1: the pessimistic answer, on the other side of the sphere, with the value of max f.
  Vec answer(const Vec& x, double sign = 1) const {
    Vec z(m);
    z.head(k + 1) = C * x + sign * (a - C * x) / distance(x);
    z.tail(m - k - 1) = b * x;
    return reflect(z);
  }
  double value(const Vec& x, double sign = 1) const {
    return 0.5 * std::pow(distance(x) - sign, 2) + 0.5 * (b * x - q).squaredNorm() + 0.5 * rho * x.squaredNorm();
  }
  Vec gradient(const Vec& x, double sign = 1) const {
    const double r = distance(x);
    return -(r - sign) * C.transpose() * ((a - C * x) / r) + b.transpose() * (b * x - q) + rho * x;
  }
};

inline std::shared_ptr<const SphereGame> sphere_game(Index k, Index m, std::uint64_t seed = 3) {
  constexpr Index n = SphereGame::kLeaders;
  Random random(seed);
  const auto normal = [&](Index rows, Index columns) {
    Eigen::MatrixXd draws(rows, columns);
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < columns; ++j) draws(i, j) = random.normal();
    }
    return draws;
  };
  auto game = std::make_shared<SphereGame>();
  game->k = k;
  game->m = m;
  const Index rest = m - k - 1;
  game->C = normal(k + 1, n) / std::sqrt(static_cast<double>(k + 1));
  game->a = normal(k + 1, 1);
  game->a *= 2.5 / norm(game->a);
  game->b = normal(rest, n) / std::sqrt(static_cast<double>(std::max<Index>(rest, 1)));
  game->q = normal(rest, 1) / std::sqrt(static_cast<double>(std::max<Index>(rest, 1)));
  game->lambda = rest > 0 ? Vec(Vec::LinSpaced(rest, 0.5, 2.0)) : Vec();
  game->u = normal(m, 1);
  game->u /= norm(game->u);
  return game;
}

/// The game with its oracles; y0 lies off the sphere, on the wrong side.
inline BilevelProblem sphere_problem(std::shared_ptr<const SphereGame> game) {
  constexpr Index n = SphereGame::kLeaders;
  const Index m = game->m, head = game->k + 1, tail = m - head;
  struct Parts {
    Vec d, e;  // z_a - C x, z_rest - b x
    double level;
  };
  const auto parts = [game, head, tail](const Vec& x, const Vec& y) {
    const Vec z = game->reflect(y);
    Parts p{z.head(head) - game->C * x, z.tail(tail) - game->b * x, 0};
    p.level = p.d.squaredNorm() - 1;
    return p;
  };
  const auto joined = [game, m](const Vec& a, const Vec& rest) {
    Vec z(m);
    z << a, rest;
    return game->reflect(z);
  };
  const auto times = [game](const Vec& v) -> Vec { return game->lambda.cwiseProduct(v); };
  Oracles g;
  g.value = [=](const Vec& x, const Vec& y) {
    const auto p = parts(x, y);
    return 0.25 * p.level * p.level + 0.5 * dot(p.e, times(p.e));
  };
  g.grad_y = [=](const Vec& x, const Vec& y) {
    const auto p = parts(x, y);
    return joined(p.level * p.d, times(p.e));
  };
  g.grad_x = [=](const Vec& x, const Vec& y) -> Vec {
    const auto p = parts(x, y);
    return -game->C.transpose() * (p.level * p.d) - game->b.transpose() * times(p.e);
  };
  g.hess_yy = [=](const Vec& x, const Vec& y, const Vec& v) {
    const auto p = parts(x, y);
    const Vec w = game->reflect(v);
    const Vec w_a = w.head(head);
    return joined(p.level * w_a + 2 * dot(p.d, w_a) * p.d, times(w.tail(tail)));
  };
  g.hess_xy = [=](const Vec& x, const Vec& y, const Vec& v) -> Vec {
    const auto p = parts(x, y);
    const Vec w = game->reflect(v);
    const Vec w_a = w.head(head);
    return -game->C.transpose() * (p.level * w_a + 2 * dot(p.d, w_a) * p.d) - game->b.transpose() * times(w.tail(tail));
  };
  g.hess_yx = [=](const Vec& x, const Vec& y, const Vec& t) {
    const auto p = parts(x, y);
    const Vec moved = game->C * t;
    return joined(-p.level * moved - 2 * dot(p.d, moved) * p.d, -times(game->b * t));
  };
  Oracles f;
  const auto away = [game, head, tail](const Vec& y) -> Vec {
    Vec z = game->reflect(y);
    z.head(head) -= game->a;
    z.tail(tail) -= game->q;
    return z;
  };
  f.value = [=](const Vec& x, const Vec& y) { return 0.5 * away(y).squaredNorm() + 0.5 * game->rho * x.squaredNorm(); };
  f.grad_x = [=](const Vec& x, const Vec&) -> Vec { return game->rho * x; };
  f.grad_y = [=](const Vec&, const Vec& y) { return game->reflect(away(y)); };
  f.hess_yy = [](const Vec&, const Vec&, const Vec& v) { return v; };
  f.hess_xy = [](const Vec&, const Vec&, const Vec&) -> Vec { return Vec::Zero(n); };
  f.hess_yx = [m](const Vec&, const Vec&, const Vec&) -> Vec { return Vec::Zero(m); };

  const Vec x0 = vec({0.3, -0.4});
  Vec y0 = game->answer(x0, -1);
  Vec push = Vec::Constant(m, 0.3 / std::sqrt(static_cast<double>(m)));
  push[0] += 0.2;
  return {"sphere", objective_of("f", n, m, std::move(f)), objective_of("g", n, m, std::move(g)), x0, y0 + push, {}};
}

}  // namespace bilevel::testing
