// stocBiO, AmIGO and TTSA: the adjoint is estimated anew, or in a loop of its own, before each leader step.
#pragma once

#include "bilevel/stochastic.hpp"

namespace bilevel {

struct StocBioOptions {
  StochasticOptions sampling = {};
  Index inner_steps = 10;    // T
  Index neumann_terms = 30;  // Q
};
void describe(OptionTable& table, StocBioOptions& options);

/// stocBiO, the stochastic bilevel optimizer.
///
/// Kaiyi Ji, Junjie Yang, Yingbin Liang, "Bilevel Optimization: Convergence Analysis and Enhanced Design", ICML 2021.
/// [methods.md sec. 10]
///
///     y <- y - a g_y(xi)                                       T times, from the last y in R^m
///     v = b sum_{q=0..Q} prod_{j=1..q} (I - b H(xi_j)) f_y(zeta)                        v in R^m
///     x <- x - gamma (f_x(zeta) - B(xi) v)                                              x in R^n
///
/// Oracle calls per iteration: T of grad_y, Q of hess_yy and one hess_xy of g, each on its own batch; one grad_x and
/// grad_y of f. The report's h takes the mean v of the round.
///
/// Assumes: g(x, .) strongly convex with b |H| < 1. The series is cut off: v falls short of H^-1 f_y by
/// (I - b H)^(Q+1) H^-1 f_y in the mean, and x settles where that biased hypergradient vanishes.
///
/// Differs from the paper: all batches have the same size; step sizes by StochasticMethod; batches are drawn without
/// replacement within a pass, so that those of one product are not quite independent.
class StocBio final : public StochasticMethod {
 public:
  explicit StocBio(StocBioOptions options = {});
  std::string_view name() const override { return "stocbio"; }
  Needs needs() const override;

 private:
  void iterate(const BilevelProblem& problem, State& state) const override;
  Adjoint adjoint() const override { return Adjoint::series; }
  Index batches_per_iteration() const override { return options_.inner_steps + options_.neumann_terms + 1; }
  Index follower_steps() const override { return options_.inner_steps; }

  StocBioOptions options_;
};

struct AmigoOptions {
  StochasticOptions sampling = {};
  Index inner_steps = 10;    // T
  Index adjoint_steps = 10;  // N
};
void describe(OptionTable& table, AmigoOptions& options);

/// AMortized Implicit Gradient Optimization.
///
/// Michael Arbel, Julien Mairal, "Amortized Implicit Differentiation for Stochastic Bilevel Optimization", ICLR 2022.
/// [methods.md sec. 10]
///
///     y <- y - a g_y(xi)                      T times, from the last y in R^m
///     v <- v - b (H(xi) v - f_y(zeta))        N times, from the last v in R^m
///     x <- x - gamma (f_x(zeta) - B(xi) v)    x in R^n
///
/// Oracle calls per iteration: T of grad_y, N of hess_yy and one hess_xy of g, each on its own batch; one grad_x and
/// grad_y of f.
///
/// Assumes: g(x, .) strongly convex. Warm starts make fixed T and N enough: no bias is left where the iterates settle.
///
/// Differs from the paper: one batch of f serves both gradients; step sizes by StochasticMethod.
class Amigo final : public StochasticMethod {
 public:
  explicit Amigo(AmigoOptions options = {});
  std::string_view name() const override { return "amigo"; }
  Needs needs() const override;

 private:
  void iterate(const BilevelProblem& problem, State& state) const override;
  Index batches_per_iteration() const override { return options_.inner_steps + options_.adjoint_steps + 1; }
  Index follower_steps() const override { return options_.inner_steps; }

  AmigoOptions options_;
};

struct TtsaOptions {
  StochasticOptions sampling = {};
  Index neumann_terms = 30;  // Q
};
void describe(OptionTable& table, TtsaOptions& options);

/// Two-Timescale Stochastic Approximation.
///
/// Mingyi Hong, Hoi-To Wai, Zhaoran Wang, Zhuoran Yang, "A Two-Timescale Stochastic Algorithm Framework for Bilevel
/// Optimization: Complexity Analysis and Application to Actor-Critic", SIAM J. Optim. 33(1), 2023.  [methods.md sec.
/// 10]
///
///     y <- y - a t^-2/5 g_y(xi)                              y in R^m
///     v = Q b prod_{j=1..p} (I - b H(xi_j)) f_y(zeta)              v in R^m, p uniform on 0 .. Q-1
///     x <- x - gamma t^-3/5 (f_x(zeta) - B(xi) v)            x in R^n
///
/// Oracle calls per iteration: one grad_y, p of hess_yy and one hess_xy of g, each on its own batch; one grad_x and
/// grad_y of f. The report's h takes the mean v of the round.
///
/// Assumes: g(x, .) strongly convex with b |H| < 1. The mean of v is the Neumann sum of Q terms: short of H^-1 f_y by
/// (I - b H)^Q H^-1 f_y; its variance grows with Q.
///
/// Differs from the paper: x is not projected; the schedules, in rounds t, multiply the sizes of StochasticMethod,
/// which goes on adapting gamma.
class Ttsa final : public StochasticMethod {
 public:
  explicit Ttsa(TtsaOptions options = {});
  std::string_view name() const override { return "ttsa"; }
  Needs needs() const override;

 private:
  void iterate(const BilevelProblem& problem, State& state) const override;
  Adjoint adjoint() const override { return Adjoint::random_series; }
  Index batches_per_iteration() const override { return options_.neumann_terms / 2 + 2; }

  TtsaOptions options_;
};

}  // namespace bilevel
