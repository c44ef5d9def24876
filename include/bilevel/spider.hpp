// SRBA and VRBO: directions that are followed by differences (SARAH, SPIDER) and refreshed on the full batch.
#pragma once

#include "bilevel/stochastic.hpp"

namespace bilevel {

struct SrbaOptions {
  StochasticOptions sampling = {};
  /// Iterations from one full batch to the next. Empty: the batches of a pass over the samples of g and f.
  std::optional<Index> period = std::nullopt;
};
void describe(OptionTable& table, SrbaOptions& options);

/// Stochastic Recursive Bilevel Algorithm: SOBA with SARAH's recursion.
///
/// Mathieu Dagreou, Thomas Moreau, Samuel Vaiter, Pierre Ablin, "A Lower Bound and a Near-Optimal Algorithm for Bilevel
/// Empirical Risk Minimization", AISTATS 2024.  [methods.md sec. 10]
///
///     d <- SOBA's directions on the full batch at (x, y, v)                       every `period` iterations, else
///     d <- d + SOBA's directions at (x, y, v) - the same at (x_, y_, v_)          on common batches xi, zeta
///     (x_, y_, v_) <- (x, y, v);   y <- y - a d_y,  v <- v - b d_v,  x <- x - gamma d_x
///
/// Oracle calls per iteration: twice those of SOBA, those of SOBA on full batches at a refresh.
///
/// Assumes: as SOBA, and that each sample's derivatives are Lipschitz. The directions' error vanishes as the iterates
/// settle: constant steps converge.
///
/// Differs from the paper: step sizes by StochasticMethod; batches are drawn without replacement within a pass.
class Srba final : public StochasticMethod {
 public:
  struct State final : CopiedState<State> {
    using CopiedState::CopiedState;
    Vec last_x, last_y, last_v;  // R^n, R^m, R^m
    Vec d_x, d_y, d_v;           // R^n, R^m, R^m
  };
  explicit Srba(SrbaOptions options = {});
  std::string_view name() const override { return "srba"; }
  Needs needs() const override;

 private:
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;
  void iterate(const BilevelProblem& problem, StochasticMethod::State& state) const override;

  SrbaOptions options_;
};

struct VrboOptions {
  StochasticOptions sampling = {};
  std::optional<Index> period = std::nullopt;  // in leader steps; empty: as SRBA, divided by T
  Index inner_steps = 5;                       // T
  Index neumann_terms = 30;                    // Q
};
void describe(OptionTable& table, VrboOptions& options);

/// Variance Reduction Bilevel Optimizer: SPIDER on the follower's and the leader's directions.
///
/// Junjie Yang, Kaiyi Ji, Yingbin Liang, "Provably Faster Algorithms for Bilevel Optimization", NeurIPS 2021.
/// [methods.md sec. 10]
///
///     d_y <- g_y, d_x <- h on the full batch at (x, y)                  every `period` iterations; h = f_x - B v
///     x <- x - gamma d_x
///     T times:  d_y <- d_y + g_y(x, y) - g_y(x_, y_),  d_x <- d_x + h(x, y) - h(x_, y_)    on common batches
///               (x_, y_) <- (x, y);  y <- y - a d_y
///
/// with v = b sum_{q=0..Q} prod_{j=1..q} (I - b H(xi_j)) f_y(zeta); x in R^n, y and v in R^m, (x_, y_) the point that
/// the directions were last taken at.
///
/// Oracle calls per iteration: T times two grad_y, 2 Q hess_yy and two hess_xy of g, and two grad_x and grad_y of f; a
/// refresh adds one, Q, one, one and one on full batches. The report's h takes the mean v of the round.
///
/// Assumes: as stocBiO, and that each sample's derivatives are Lipschitz. The bias of the cut-off series stays.
///
/// Differs from the paper: the refresh is on all samples; step sizes by StochasticMethod.
class Vrbo final : public StochasticMethod {
 public:
  struct State final : CopiedState<State> {
    using CopiedState::CopiedState;
    Vec last_x, last_y;  // R^n, R^m
    Vec d_x, d_y;        // R^n, R^m
  };
  explicit Vrbo(VrboOptions options = {});
  std::string_view name() const override { return "vrbo"; }
  Needs needs() const override;

 private:
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;
  void iterate(const BilevelProblem& problem, StochasticMethod::State& state) const override;
  Adjoint adjoint() const override { return Adjoint::series; }
  Index batches_per_iteration() const override { return options_.inner_steps * (options_.neumann_terms + 2); }
  Index follower_steps() const override { return options_.inner_steps; }

  VrboOptions options_;
};

}  // namespace bilevel
