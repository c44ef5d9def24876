// HG-MS: the method for followers whose minimisers form a manifold: select, then differentiate.
#pragma once

#include "bilevel/leader_step.hpp"
#include "bilevel/manifold_selection.hpp"
#include "bilevel/method.hpp"

namespace bilevel {

/// How the selected answer is differentiated.
///   implicit  G = f_x - B H+ f_y by conjugate gradients
///   penalty   (1/s) (g_x(x, y_s) - g_x(x, z)) + f_x, see penalty_hypergradient; the selection still takes products
enum class ManifoldHypergradient { implicit, penalty };
std::string_view to_string(ManifoldHypergradient kind);

struct HgMsOptions {
  SelectionOptions selection = {};
  /// Explore again after this many leader steps without.
  Index explore_every = 25;
  /// Explore again when x has moved by this times 1 + |x| since the last exploration.
  double explore_move = 0.25;
  /// Explore again when the answer has moved by this times 1 + |y| in one step: the old minimiser may have vanished.
  double explore_jump = 1;
  ManifoldHypergradient hypergradient = ManifoldHypergradient::implicit;
  double penalty_weight = 1e-3;     // s
  bool penalty_extrapolate = true;  // 2 G(s/2) - G(s)
  LeaderStepOptions leader = {};
  std::uint64_t seed = 1;
};
void describe(OptionTable& table, HgMsOptions& options);

/// Select, then differentiate: optimistic bilevel optimization where S(x) = argmin g(x, .) is a manifold.
///
/// HG-MS, article; reconstruction ours (methods.md sec. 7). The leader minimises F(x) = min { f(x, y) : y in S(x) }:
///
///     explore        N points of S(x) from the last y*; k = dim ker H      x in R^n, y in R^m, N from k, never from m
///     rank           by f; the best few distinct ones are kept, and y* always
///     polish         y <- settle(y - t P_ker f_y)                          until |P_ker f_y| ~ 0;  P_ker = I - H+ H
///     differentiate  w = H+ f_y,  G = f_x - B w                            w in R^m, G in R^n
///     x <- x - gamma G
///
/// Where the minimiser of f over S(x) is unique and not degenerate, G is the gradient of F. Where two of them tie, F
/// has one-sided derivatives only: the pieces are listed, and `kink_suspected` is among the findings. Pessimistic
/// leaders minimise max { f(x, y) : y in S(x) } by the same formulas.
///
/// All linear algebra is by products with H, with what curves less than kernel-tolerance |H| left out, at points that
/// are critical to rounding: elsewhere ker H has eigenvalues of the size of the follower's error, along which an exact
/// inverse would blow up.
///
/// Oracle calls per step: one linearisation of g (value and grad_y) for each Newton correction of the follower, about
/// three for a polishing step, and the products hess_yy of its solve, about as many as H has distinct eigenvalues; two
/// projections of as many products a polishing step; a settle, a projection and an f more to see that f does not fall
/// along a random tangent. One value and grad_y of f for a polishing step. One grad_x of f
/// and one hess_xy of g for each piece, one value of g to see that the start was near. An exploration adds k + 1
/// projections, N descents of g (value and grad_y), and, where f has hess_yy, k + 1 projections, 2 k products hess_yy
/// of g and 3 k of f. The penalty form adds four descents with values and gradients of g and f, and four grad_x of g.
///
/// Assumes: near S(x) the dimension of ker H does not change along S(x) (Morse-Bott, or local Polyak-Lojasiewicz), and
/// f is bounded on S(x). k = 0 is implicit differentiation.
///
/// Differs from the article: known to us by a summary only. The polish is by quasi-Newton steps along the manifold
/// instead of fixed steps a_n, a_t; exploration is repeated only when x or y* has moved far, when
/// f falls along a random tangent from y*, or after so many steps.
class HgMs final : public OuterMethod {
 public:
  struct State final : OuterMethod::State {
    explicit State(std::uint64_t seed) : random(seed) {}
    LeaderStepState leader;
    Random random;
    SelectionMemory memory;
    SelectionReport selection;              // of the last step
    std::optional<Index> kernel_dimension;  // what the last exploration found, and the next three too
    std::optional<double> intrinsic_curvature;
    bool degenerate = false;
    std::optional<double> gap;
    Vec explored_x;            // R^n, empty before the first exploration
    Index since_explored = 0;  // steps
    Index explorations = 0;
    Index switches = 0;    // explorations that found a better answer than the tracked one
    Index kink_steps = 0;  // steps at which pieces tied with different gradients
    std::unique_ptr<OuterMethod::State> clone() const override { return std::make_unique<State>(*this); }
    bool assign(const OuterMethod::State& other) override {
      *this = dynamic_cast<const State&>(other);
      return true;
    }
  };

  /// Throws InvalidOption for values out of range.
  explicit HgMs(HgMsOptions options = {});
  std::string_view name() const override { return "hg_ms"; }
  Needs needs() const override;
  StepReport step(const BilevelProblem& problem, OuterMethod::State& state) const override;
  /// kernel_dimension, selection_residual, selection_gap, opposite_value, intrinsic_curvature, degenerate_selection,
  /// kink_suspected (the number of pieces), selection_switches, explorations; those that are known.
  std::vector<Finding> findings(const OuterMethod::State& state) const override;
  const HgMsOptions& options() const { return options_; }

 private:
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;
  bool must_explore(const State& state) const;
  /// y* and G at (state.x, state.y); explores where it must.
  SelectionReport answer(const BilevelProblem& problem, State& state) const;

  HgMsOptions options_;
};

}  // namespace bilevel
