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
  std::optional<double> inner_step_size =
      std::nullopt;  // a; empty: measured once, then kept, since phi^k depends on it
  MemoryPlan memory = MemoryPlan::store;
  Index checkpoints = 10;
  LeaderStepOptions leader = {};
};
void describe(OptionTable& table, DpbgOptions& options);

/// Which of its three behaviours DPBG shows.  [BLPV25, Thms 5.3 and 5.6]
enum class DpbgPhase {
  transient,      // none of the below yet
  pseudo_stable,  // |d_z phi^k| is a small share of |f_y|: A^k contracts, (x, A^k(x, z)) stays near a bilevel solution
  sharpening,     // A^k expands: the descent works near a repulsive point of the follower
  diverging,      // z runs off while A^k(x, z) settles
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
/// it stays for about delta / (a_f C rho^k) steps only [BLPV25, Thm 5.3]. The run counts these steps; the certificate
/// says what A^k(x, z) is.
class Dpbg final : public OuterMethod {
 public:
  struct State final : OuterMethod::State {
    Vec z;  // R^m, the follower's start; `y` is A^k(x, z) at answered_x
    LeaderStepState leader;
    InnerStepState inner;
    DpbgPhase phase = DpbgPhase::transient;
    Index pseudo_stable_steps = 0;  // steps in that phase
    Index longest_plateau = 0;      // longest run of such steps
    Index current_plateau = 0;
    Vec plateau_x, plateau_y;  // where the longest plateau was
    Index escapes = 0;         // plateaus left
    std::unique_ptr<OuterMethod::State> clone() const override { return std::make_unique<State>(*this); }
  };

  explicit Dpbg(DpbgOptions options = {});
  std::string_view name() const override { return "dpbg"; }
  Needs needs() const override;
  StepReport step(const BilevelProblem& problem, OuterMethod::State& state) const override;
  std::vector<Finding> findings(const OuterMethod::State& state) const override;
  const DpbgOptions& options() const { return options_; }

 private:
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;

  DpbgOptions options_;
};

}  // namespace bilevel
