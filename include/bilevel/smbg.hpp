// SMBG: the single-step multi-step bilevel gradient method, the engine's default.
#pragma once

#include <optional>

#include "bilevel/hypergradient.hpp"
#include "bilevel/inner_steps.hpp"
#include "bilevel/leader_step.hpp"
#include "bilevel/method.hpp"

namespace bilevel {

struct SmbgOptions {
  HypergradientKind hypergradient = HypergradientKind::unrolled;
  /// k. Empty: enough for the follower's residual to fall by 1e-6 at the contraction measured last, at most
  /// max_inner_steps.
  std::optional<Index> inner_steps = std::nullopt;
  Index max_inner_steps = 300;  // bound of the automatic choice: enough for a follower of condition 20
  /// a. Empty: 0.9 / L with L the largest curvature of g(x, .) at the follower's start, measured again when x has moved
  /// far, and at the follower's answer when its residual did not fall. The theory needs a L < 1. [BLPV25,
  /// Assumption 2.1]
  std::optional<double> inner_step_size = std::nullopt;
  Index truncated_steps = 5;  // T of the truncated hypergradient: the last T inner steps are differentiated
  bool warm_start = true;     // follower starts from its last answer (false: from y0 each time)
  MemoryPlan memory = MemoryPlan::store;
  Index checkpoints = 10;  // iterates that the checkpoint plan keeps
  double cg_tolerance = 1e-9;
  Index cg_iterations = 0;  // 0: as many as needed, at most 1000
  LeaderStepOptions leader = {};
};
void describe(OptionTable& table, SmbgOptions& options);

/// Single-step Multi-step Bilevel Gradient method.
///
/// Jerome Bolte, Quoc-Tung Le, Edouard Pauwels, Samuel Vaiter, "Bilevel gradient methods and the Morse parametric
/// qualification condition", Algorithm SMBG.  [BLPV25, Alg. SMBG]
///
///     y_l = A^k(x_{l-1}, y_{l-1})                        A(x, y) = y - a g_y(x, y),  x in R^n, y in R^m
///     x_l = x_{l-1} - a_f d_x phi^k(x_{l-1}, y_{l-1})    phi^k(x, z) = f(x, A^k(x, z))
///
/// Oracle calls per step (unrolled, store): k of grad_y, hess_yy and hess_xy and one value of g; one value, grad_x and
/// grad_y of f.
/// Beyond these, k_p products hess_yy of g whenever the curvature is measured (first step, and when x has moved far);
/// when the follower's residual did not fall, one more measurement and two values of g, and all of it again if the step
/// a proves too long. The checkpoint plan takes up to log2 k times the grad_y, the reversible one some ten times.
///
/// Assumes: g(x, .) has an L_g-Lipschitz gradient and is coercive, a L_g < 1; f - lambda |x|^2 bounded below;
/// parametric Morse qualification. It then descends x -> f(x, y_i(x)) for ONE branch y_i of local minimisers, up to an
/// error that vanishes as k grows [BLPV25, Thm 4.2, Thm 4.7].
///
/// Differs from the paper: a, k and a_f are measured unless given, and an automatic a_f may take a move back; Adam may
/// replace the leader's gradient step; the hypergradient may be truncated, by forward mode or implicit at y_l; the
/// follower may restart from y0 (cold).
class Smbg final : public OuterMethod {
 public:
  struct State final : OuterMethod::State {
    LeaderStepState leader;
    InnerStepState inner;  // a and k in use, and what they were measured from
    Vec adjoint;           // R^m, warm start of the implicit hypergradient
    std::unique_ptr<OuterMethod::State> clone() const override { return std::make_unique<State>(*this); }
    bool assign(const OuterMethod::State& other) override {
      *this = dynamic_cast<const State&>(other);
      return true;
    }
  };

  explicit Smbg(SmbgOptions options = {});
  std::string_view name() const override { return "smbg"; }
  Needs needs() const override;
  StepReport step(const BilevelProblem& problem, OuterMethod::State& state) const override;
  const SmbgOptions& options() const { return options_; }

 private:
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;
  /// The hypergradient at state.x, with the inner step size measured and corrected where it proves too long.
  HypergradientResult answer(const BilevelProblem& problem, State& state) const;

  SmbgOptions options_;
  InnerSteps inner_;
};

}  // namespace bilevel
