// SUSTAIN and MRBO: momentum that is corrected at the last iterate (STORM) for the follower's and leader's directions.
#pragma once

#include "bilevel/stochastic.hpp"

namespace bilevel {

struct StormOptions {
  StochasticOptions sampling = {};
  double momentum = 0.5;     // eta_0, the weight of the newest direction at the start
  Index neumann_terms = 30;  // Q
};
void describe(OptionTable& table, StormOptions& options);

/// The recursion of both: with eta = eta_0 t^-2/3, 1 in the first iteration, and d(.) a direction on a batch, at the
/// present and the last point
///
///     d_y <- g_y(x, y) + (1 - eta) (d_y - g_y(x_, y_))       R^m, on one batch of g
///     d_x <- h(x, y) + (1 - eta) (d_x - h(x_, y_))           R^n, h = f_x - B v, on common batches
///     (x_, y_) <- (x, y)
///     y <- y - a t^-1/3 d_y,   x <- x - gamma t^-1/3 d_x
///
/// The two methods differ in v ~ H^-1 f_y alone.
class StormMethod : public StochasticMethod {
 public:
  struct State final : CopiedState<State> {
    using CopiedState::CopiedState;
    Vec last_x, last_y;  // (x_, y_), R^n and R^m; empty before the first iteration
    Vec d_x, d_y;        // R^n and R^m
  };
  Needs needs() const override;

 protected:
  explicit StormMethod(StormOptions options);
  Index neumann_terms() const { return options_.neumann_terms; }

 private:
  /// v and v_, which hold f_y, become adjoints on common batches of g.
  virtual void adjoints(const Objective& g, State& state, Vec& v, Vec& last_v) const = 0;
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;
  void iterate(const BilevelProblem& problem, StochasticMethod::State& state) const override;

  StormOptions options_;
};

/// SUSTAIN, double momentum.
///
/// Prashant Khanduri, Siliang Zeng, Mingyi Hong, Hoi-To Wai, Zhaoran Wang, Zhuoran Yang, "A Near-Optimal Algorithm for
/// Stochastic Bilevel Optimization via Double-Momentum", NeurIPS 2021.  [methods.md sec. 10]
///
/// StormMethod with v = Q b prod_{j=1..p} (I - b H(xi_j)) f_y(zeta), p uniform on 0 .. Q-1.
///
/// Oracle calls per iteration: two grad_y, 2 p hess_yy and two hess_xy of g; two grad_x and grad_y of f. The
/// report's h takes the mean v of the round.
///
/// Assumes: as TTSA, and that each sample's derivatives are Lipschitz: the corrections need it.
///
/// Differs from the paper: the schedules, in rounds t, multiply the sizes of StochasticMethod, which goes on adapting
/// gamma; B, H and g_y have batches of their own.
class Sustain final : public StormMethod {
 public:
  explicit Sustain(StormOptions options = {}) : StormMethod(options) {}
  std::string_view name() const override { return "sustain"; }

 private:
  void adjoints(const Objective& g, State& state, Vec& v, Vec& last_v) const override;
  Adjoint adjoint() const override { return Adjoint::random_series; }
  Index batches_per_iteration() const override { return neumann_terms() / 2 + 2; }
};

/// Momentum-based Recursive Bilevel Optimizer.
///
/// Junjie Yang, Kaiyi Ji, Yingbin Liang, "Provably Faster Algorithms for Bilevel Optimization", NeurIPS 2021.
/// [methods.md sec. 10]
///
/// StormMethod with v = b sum_{q=0..Q} prod_{j=1..q} (I - b H(xi_j)) f_y(zeta).
///
/// Oracle calls per iteration: two grad_y, 2 Q hess_yy and two hess_xy of g; two grad_x and grad_y of f. The
/// report's h takes the mean v of the round.
///
/// Assumes: as stocBiO, and that each sample's derivatives are Lipschitz.
///
/// Differs from the paper: as SUSTAIN.
class Mrbo final : public StormMethod {
 public:
  explicit Mrbo(StormOptions options = {}) : StormMethod(options) {}
  std::string_view name() const override { return "mrbo"; }

 private:
  void adjoints(const Objective& g, State& state, Vec& v, Vec& last_v) const override;
  Adjoint adjoint() const override { return Adjoint::series; }
  Index batches_per_iteration() const override { return neumann_terms() + 2; }
};

}  // namespace bilevel
