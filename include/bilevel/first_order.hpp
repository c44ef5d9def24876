// F2SA, BOME and MEHA: gradients of f and g alone, no Hessian products.
#pragma once

#include "bilevel/stochastic.hpp"

namespace bilevel {

/// Shared by F2SA and MEHA: the weight of the follower's optimality against f grows with the rounds.
struct GrowingPenaltyOptions {
  StochasticOptions sampling = {};
  /// lambda_0 of F2SA, c_0 of MEHA, in units of f / g. Empty: ten times the curvature of f(x, .) over that of g(x, .),
  /// at least ten, measured at the start: the follower's objective must outweigh f.
  std::optional<double> penalty = std::nullopt;
};

struct F2saOptions {
  GrowingPenaltyOptions penalty = {};
};
void describe(OptionTable& table, F2saOptions& options);

/// Fully First-order Stochastic Approximation.
///
/// Jeongyeol Kwon, Dohyun Kwon, Stephen Wright, Robert Nowak, "A Fully First-Order Method for Stochastic Bilevel
/// Optimization", ICML 2023.  [methods.md sec. 10]
///
///     z <- z - a g_y(x, z; xi)                                                        z in R^m, the follower's answer
///     y <- y - (a / l) (f_y(zeta) + l g_y(x, y; xi))                                  y in R^m, the penalised one
///     x <- x - gamma (f_x(zeta) + l (g_x(x, y; xi) - g_x(x, z; xi)))                  x in R^n; all at the old (x, y,
///     z) l = lambda_0 t                                                                  t in rounds
///
/// State::y is z, which the reports and the result hold; State::penalised is y.
///
/// Oracle calls per iteration: two grad_x and grad_y of g, one grad_x and grad_y of f. A round's look: value and grad_x
/// of f; grad_y and two grad_x (and value) of g. The first iteration measures curvatures by at most 31 grad_y of g and
/// f.
///
/// Assumes: g(x, .) strongly convex, l g outweighs f. x settles where f_x + l (g_x(x, y) - g_x(x, z)) vanishes, which
/// is off the hypergradient by O(1 / l).
///
/// Differs from the paper: one step on y and z a leader step; both gradients of g are taken on one batch, whose noise
/// then cancels in their difference instead of growing with l; step sizes by StochasticMethod.
class F2sa final : public StochasticMethod {
 public:
  struct State final : CopiedState<State> {
    using CopiedState::CopiedState;
    Vec penalised;        // y of the paper, R^m
    double lambda_0 = 0;  // in use; 0 before the first iteration
    double lambda() const { return lambda_0 * time(); }
  };
  explicit F2sa(F2saOptions options = {});
  std::string_view name() const override { return "f2sa"; }
  Needs needs() const override;

 private:
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;
  void iterate(const BilevelProblem& problem, StochasticMethod::State& state) const override;
  Look look(const BilevelProblem& problem, const StochasticMethod::State& state) const override;

  F2saOptions options_;
};

struct BomeOptions {
  StochasticOptions sampling = {};
  Index inner_steps = 10;  // T
  double barrier = 0.5;    // eta
};
void describe(OptionTable& table, BomeOptions& options);

/// BOME, Bilevel Optimization Made Easy.
///
/// Mao Ye, Bo Liu, Stephen Wright, Peter Stone, Qiang Liu, "BOME! Bilevel Optimization Made Easy: A Simple First-Order
/// Approach", NeurIPS 2022.  [methods.md sec. 10]
///
///     y^ = T steps y^ <- y^ - a g_y(x, y^; xi) from y                 y, y^ in R^m
///     grad q = (g_x(x, y) - g_x(x, y^), g_y(x, y))                    R^(n+m), of q = g(x, y) - g(x, y^), y^ kept
///     l = max((eta |grad q|^2 - <grad f, grad q>) / |grad q|^2, 0)
///     (x, y) <- (x, y) - gamma (grad f + l grad q)
///
/// Oracle calls per iteration: T + 1 of grad_y and two grad_x of g, one grad_x and grad_y of f; the last four on one
/// batch of each. A round's look: value, grad_x and grad_y of f; T of grad_y, two grad_x (and value) of g. Its h is the
/// whole direction in R^(n+m): where q is nearly zero the part in x alone says nothing.
///
/// Assumes: g(x, .) satisfies a Polyak-Lojasiewicz inequality. Where q vanishes l has no bound: the iterates stay at a
/// distance from the follower's answer that shrinks with gamma.
///
/// Differs from the paper: minibatches, where it has full gradients: their noise is in l and in grad q alike, and the
/// direction has a bias that only larger batches take away; during the warm-up (gamma = 0) y <- y^; gamma by
/// StochasticMethod.
class Bome final : public StochasticMethod {
 public:
  explicit Bome(BomeOptions options = {});
  std::string_view name() const override { return "bome"; }
  Needs needs() const override;

 private:
  void iterate(const BilevelProblem& problem, State& state) const override;
  Look look(const BilevelProblem& problem, const State& state) const override;
  Index batches_per_iteration() const override { return options_.inner_steps + 1; }
  Index follower_steps() const override { return options_.inner_steps; }

  BomeOptions options_;
};

struct MehaOptions {
  GrowingPenaltyOptions penalty = {};
  /// gamma_1, the weight of the Moreau envelope's proximal term. Empty: a tenth of the curvature of g(x, .).
  std::optional<double> proximal_weight = std::nullopt;
};
void describe(OptionTable& table, MehaOptions& options);

/// MEHA, the Moreau Envelope based Hessian-free Algorithm.
///
/// Risheng Liu, Zhu Liu, Wei Yao, Shangzhi Zeng, Jin Zhang, "Moreau Envelope for Nonconvex Bi-Level Optimization: A
/// Single-Loop and Hessian-Free Solution Strategy", ICML 2024.  [methods.md sec. 10]
///
///     theta <- theta - a (g_y(x, theta) + g1 (theta - y))                  theta, y in R^m
///     y <- y - a (f_y(x, y) / c + g_y(x, y) - g1 (y - theta))
///     x <- x - gamma c (f_x(x, y) / c + g_x(x, y) - g_x(x, theta))         x in R^n
///     c = c_0 t^1/4                                                        t in rounds
///
/// Oracle calls per iteration: two grad_x and grad_y of g, one grad_x and grad_y of f, on one batch of each. A round's
/// look: value and grad_x of f; grad_y and two grad_x (and value) of g. The first iteration measures curvatures by at
/// most 31 grad_y of g and f.
///
/// Assumes: g weakly convex with g1 above that weakness. It minimises f + c (g - its Moreau envelope), whose minimisers
/// are off the bilevel ones by O(1 / c).
///
/// Differs from the paper: minibatches; no projections; the leader's step is gamma c, so that gamma is a step along the
/// hypergradient; step sizes by StochasticMethod.
class Meha final : public StochasticMethod {
 public:
  struct State final : CopiedState<State> {
    using CopiedState::CopiedState;
    Vec theta;                    // R^m
    double c_0 = 0, gamma_1 = 0;  // in use; 0 before the first iteration
    double c() const;
  };
  explicit Meha(MehaOptions options = {});
  std::string_view name() const override { return "meha"; }
  Needs needs() const override;

 private:
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;
  void iterate(const BilevelProblem& problem, StochasticMethod::State& state) const override;
  Look look(const BilevelProblem& problem, const StochasticMethod::State& state) const override;

  MehaOptions options_;
};

}  // namespace bilevel
