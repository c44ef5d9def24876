// UniBiO: momentum and normalised steps for followers that are uniformly convex, with stochastic gradients.
#pragma once

#include <algorithm>
#include <optional>

#include "bilevel/epoch_sgd.hpp"
#include "bilevel/power_transformed.hpp"
#include "bilevel/stochastic.hpp"

namespace bilevel {

/// Which PowerSolver; automatic: krylov where g is taken on all samples; on batches neumann, whose
/// factors each have their own.
enum class UnibioSolver { automatic, krylov, neumann };

struct UnibioOptions {
  StochasticOptions sampling = {};  // inner_step_size: step_1; adjoint_step_size: nu; outer_step_size: eta
  double exponent = 2;              // p >= 2; `bilevel inspect` and estimate_uniform_convexity() measure it
  double centre = 0;                // a, the same in every coordinate
  double floor = 1e-8;              // eps > 0 of D
  Index follower_every = 2;         // I >= 1
  Index budget = 100;               // gradient steps of each Epoch-SGD
  Index first_epoch = 5;            // T_1
  std::optional<double> first_radius = std::nullopt;  // R_1; empty: 1 + |y| where the follower starts
  double gradient_noise = 0;  // standard deviation added to every entry of g_y in Epoch-SGD: for experiments
  UnibioSolver solver = UnibioSolver::automatic;
  double tolerance = 1e-10;                           // of Krylov
  Index terms = 20;                                   // Q of the series
  std::optional<Index> cross_batches = std::nullopt;  // batches that B v is taken over; empty: as many as the series
  double momentum = 0.9;                              // beta in [0, 1)
};
void describe(OptionTable& table, UnibioOptions& options);

/// Bilevel optimization with a lower level that is (mu, p)-uniformly convex:
/// g(x, y2) >= g(x, y1) + <g_y(x, y1), y2 - y1> + mu/p |y2 - y1|^p.
///
/// Yuman Wu, Xiaochuan Gong, Jie Hao, Mingrui Liu, "Bilevel Optimization with Lower-Level Uniform Convexity: Theory and
/// Algorithm", ICLR 2026, algorithm UniBiO.  [UniBiO]
///
///     every I iterations  y <- Epoch-SGD(x, y)       from the last y, in R^m, and where a round of several ends
///     m <- beta m + (1 - beta) G                     G = f_x - B v in R^n, v = (D^-1 H)^-1 D^-1 f_y in R^m
///     x <- x - gamma m / |m|                         x in R^n
///
/// D = diag((p-1)|y_i - a|^(p-2)), see power_transformed.hpp; Epoch-SGD: epoch_sgd.hpp. Rounds, step_1 and the length
/// gamma of a move by StochasticMethod, for normalised steps; nu for p = 2 as well, else measured on each batch.
///
/// Oracle calls per iteration: `budget` grad_y of g in every I-th one and in the last of several, each on its own batch
/// (where all samples are taken and step_1 is measured one more, and where g_y did not fall two values of g, and all of
/// Epoch-SGD again if g rose); one grad_y and one hess_xy of g, and the hess_yy of the solver (Q for neumann, up to 30
/// more to measure nu); one value, grad_x and grad_y of f.
///
/// Assumes: g(x, .) is uniformly convex, and its Hessian degenerates at y_i = a only; f and u*(x) are smooth. With
/// another p than that of g the hypergradient is the same up to the solver's error, and the epochs are less well sized.
///
/// Differs from the paper: step_1, R_1, nu and gamma are measured unless given; Krylov in place of the series where
/// there is nothing random; B v is averaged over as many batches as the series draws, since these alone decide which
/// samples' weights move; a last epoch that the budget does not hold is cut.
class Unibio final : public StochasticMethod {
 public:
  struct State final : CopiedState<State> {
    using CopiedState::CopiedState;
    Vec momentum;                    // m in R^n; empty before the first iteration
    double follower_shortening = 1;  // of step_1, where g did not fall along it
    bool answers = false;            // y answers x already, as it does where a round ends
    PowerTransformedMemory memory;
    Index inconsistent_steps = 0;  // at which D^-1 H v = D^-1 f_y had no solution
  };

  explicit Unibio(UnibioOptions options = {});
  std::string_view name() const override { return "unibio"; }
  Needs needs() const override;
  std::vector<Finding> findings(const OuterMethod::State& state) const override;
  const UnibioOptions& options() const { return options_; }

 private:
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;
  void iterate(const BilevelProblem& problem, StochasticMethod::State& state) const override;
  Adjoint adjoint() const override { return options_.exponent == 2 ? Adjoint::series : Adjoint::own_series; }
  Leader leader() const override { return Leader::normalised; }
  bool adds_noise() const override { return options_.gradient_noise > 0; }
  Index batches_per_iteration() const override;
  Index follower_steps() const override;

  /// y <- Epoch-SGD(x, y).
  void follow(const BilevelProblem& problem, State& state) const;
  /// v and G at (x, y).
  HypergradientResult hypergradient(const BilevelProblem& problem, State& state) const;
  Index cross_batches() const { return options_.cross_batches.value_or(std::max<Index>(options_.terms, 1)); }

  UnibioOptions options_;
};

}  // namespace bilevel
