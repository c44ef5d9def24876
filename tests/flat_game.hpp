// A quadratic game whose follower has a flat subspace, solution in closed form.
#pragma once

#include "probes.hpp"

namespace bilevel::testing {

struct FlatGame {
  BilevelProblem problem;
  Eigen::MatrixXd A, C, A_u;  // m x m, m x n, n x n
  Vec c;                      // R^m

  /// The limit of T uncorrected steps a: A_u x + (d_x A^T)' c = 0 with (d_x A^T)' = -a C' sum_{j<T} (I - a A)^j.
  Vec uncorrected_limit(Index steps, double a) const {
    Vec sum = Vec::Zero(c.size()), term = c;
    for (Index j = 0; j < steps; ++j) {
      sum += term;
      term -= a * (A * term);
    }
    return A_u.ldlt().solve(a * (C.transpose() * sum));
  }
};

/// g = y'Ay/2 + y'Cx + x'Qx/2, A psd with `flat` zero eigenvalues and the others evenly from `least` to 1,
/// C = A M_0, Q = C'A^+C, f = x'A_u x/2 + c'y, c with a part in ker A: x* = A_u^-1 C'A^+ c, y* = -A^+ C x* from 0.
inline FlatGame flat_game(std::uint64_t seed = 1, Index flat = 9, double least = 0.1, Index n = 40, Index m = 40) {
  Random random(seed);
  Vec eigenvalues = Vec::Zero(m);
  eigenvalues.tail(m - flat) = Vec::LinSpaced(m - flat, least, 1.0);
  FlatGame game;
  game.A = with_eigenvalues(eigenvalues, random);
  game.A_u = with_eigenvalues(Vec::LinSpaced(n, 1.0, 10.0), random);
  Eigen::MatrixXd M_0(m, n);
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) M_0(i, j) = random.normal();
  }
  game.c.resize(m);
  for (auto& entry : game.c) entry = random.normal();
  game.C = game.A * M_0;
  Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd> decomposition;
  decomposition.setThreshold(1e-10);  // between rounding and the rest
  decomposition.compute(game.A);
  const Eigen::MatrixXd inverse = decomposition.pseudoInverse();

  KnownSolution known;
  known.x = game.A_u.ldlt().solve(game.C.transpose() * (inverse * game.c));
  known.y = -inverse * (game.C * known.x);
  known.upper = 0.5 * known.x.dot(game.A_u * known.x) + game.c.dot(known.y);
  game.problem = {
      "flat follower",
      std::make_shared<Quadratic>("f", n, m, QuadraticCoefficients{.xx = game.A_u, .y = game.c}),
      std::make_shared<Quadratic>(
          "g", n, m, QuadraticCoefficients{.yy = game.A, .yx = game.C, .xx = game.C.transpose() * inverse * game.C}),
      Vec::Zero(n),
      Vec::Zero(m),
      known};
  return game;
}

}  // namespace bilevel::testing
