// DPBG: gradient descent on phi^k(x, z) = f(x, A^k(x, z)) in the leader and the follower's start together.
#pragma once

#include <optional>

#include "bilevel/hypergradient.hpp"
#include "bilevel/inner_steps.hpp"
#include "bilevel/leader_step.hpp"
#include "bilevel/method.hpp"

namespace bilevel {

struct DpbgOptions {
  Index inner_steps = 10;  // k
  /// a. Empty: 0.9 / L, L the largest curvature met on the first path and on its line one length beyond both ends; kept
  /// from then on, since phi^k depends on it.
  std::optional<double> inner_step_size = std::nullopt;
  MemoryPlan memory = MemoryPlan::store;
  Index checkpoints = 10;
  LeaderStepOptions leader = {};
};
void describe(OptionTable& table, DpbgOptions& options);

/// Which of its three behaviours DPBG shows. [BLPV25, Thms 5.3 and 5.6] With the contraction
/// c = |d_z phi^k| / |f_y(x, A^k(x, z))|, the distance d from A^k(x, z) to where the follower's path is heading (from
/// its last step and its mean rate) and the follower's unit s = |A^k(x, z)| + sqrt(m), the first that holds of:
enum class DpbgPhase {
  transient,      // none of the others
  pseudo_stable,  // c <= 0.1 and d <= 0.1 s; left when c > 0.3 or d > 0.3 s: (x, A^k(x, z)) is near a bilevel solution
  sharpening,     // c > 1: A^k expands, the descent works near a repulsive point of the follower
  diverging,      // |z - z_0| > 4 (|A^k(x, z) - z_0| + sqrt(m)): the start runs off, the answer does not
};
std::string_view to_string(DpbgPhase phase);

/// Differentiable Programming bilevel Gradient method.
///
/// Jerome Bolte, Quoc-Tung Le, Edouard Pauwels, Samuel Vaiter, "Bilevel gradient methods and the Morse parametric
/// qualification condition", Algorithm DPBG.  [BLPV25, Alg. DPBG]
///
///     (x, z) <- (x, z) - a_f grad phi^k(x, z)            phi^k(x, z) = f(x, A^k(x, z)),  x in R^n, z in R^m
///
/// Critical points of phi^k are those of f alone, up to a diffeomorphism [BLPV25, Prop. 5.2]: near a bilevel solution
/// it stays for about delta / (a_f C rho^k) steps only [BLPV25, Thm 5.3], and the critical points of f run off to
/// infinity or grow exponentially sharp with k [BLPV25, Thm 5.6]. So |grad phi^k| -> 0, which the reports call the
/// hypergradient norm, is no success by itself: findings() say what the run did, the certificate what A^k(x, z) is.
///
/// Oracle calls per step (store): k of grad_y, hess_yy and hess_xy and one value of g; one value, grad_x and grad_y of
/// f. Beyond these, at steps 1, 2, 4, 8, ... the curvature at both ends of the path, at most 30 products hess_yy each;
/// at the first step, where a is measured, for each attempt at a the path once more and the curvature at 24 points at
/// most; with a given a two values of g where the follower's residual did not fall to half.
///
/// Assumes: g(x, .) has an L_g-Lipschitz gradient, a L_g < 1 [BLPV25, Assumption 2.1].
///
/// Differs from the paper: a and a_f are measured unless given; an automatic a_f may take a move back; Adam may replace
/// the gradient step.
class Dpbg final : public OuterMethod {
 public:
  struct State final : OuterMethod::State {
    Vec z;                                   // R^m, the follower's start; `y` is A^k(x, z) at answered_x
    LeaderStepState leader;                  // of the stacked (x, z) in R^(n+m)
    InnerStepState inner;                    // `curvature` is the largest seen
    DpbgPhase phase = DpbgPhase::transient;  // of the last accepted pair
    double contraction = 1;                  // c of the last accepted pair
    double upper_gradient = 0;               // |grad f| there
    double largest_upper_gradient = 0;       // the largest so far
    double start_distance = 0;               // |z - z_0| there
    Index pairs = 0;                         // accepted ones; all counts below are of such pairs
    Index pseudo_stable_steps = 0;           // in that phase
    Index plateaus = 0;                      // runs of pseudo-stable steps near one answer
    Index longest_plateau = 0;               // length of the longest
    Index current_plateau = 0;               // length of the one that goes on, else 0
    double current_contraction = 1;          // the least c of the one that goes on
    Vec current_x, current_y;                // the pair with it
    Vec plateau_x, plateau_y;                // the same of the longest
    Index escapes = 0;                       // plateaus left
    std::unique_ptr<OuterMethod::State> clone() const override { return std::make_unique<State>(*this); }
    bool assign(const OuterMethod::State& other) override {
      *this = dynamic_cast<const State&>(other);
      return true;
    }
  };

  explicit Dpbg(DpbgOptions options = {});
  std::string_view name() const override { return "dpbg"; }
  Needs needs() const override;
  StepReport step(const BilevelProblem& problem, OuterMethod::State& state) const override;
  std::vector<Finding> findings(const OuterMethod::State& state) const override;
  const DpbgOptions& options() const { return options_; }

 private:
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;
  /// phi^k and its gradient at (state.x, state.z); a path that ran away with a given step is `diverged`.
  HypergradientResult answer(const BilevelProblem& problem, State& state) const;
  /// The same at the first step, where a is measured.
  HypergradientResult first_answer(const BilevelProblem& problem, State& state) const;

  DpbgOptions options_;
  InnerSteps inner_;
};

}  // namespace bilevel
