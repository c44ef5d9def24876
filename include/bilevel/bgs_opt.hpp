// BGS-Opt: unrolling, warm starts and an implicit correction in one listing; ITD and AID are its special cases.
#pragma once

#include <optional>

#include "bilevel/hypergradient.hpp"
#include "bilevel/inner_steps.hpp"
#include "bilevel/leader_step.hpp"
#include "bilevel/method.hpp"

namespace bilevel {

/// How xi ~ -H^+ v is computed, by products with H alone.
///   automatic        conjugate gradients on H xi = -v, one product an iteration; from the first system on where they
///                    break down (H singular with v outside its range, or H indefinite) argmin |H xi + v|^2 +
///                    d^2 |xi|^2 by conjugate gradients on its normal equations, two products. d^2 = |H| times the
///                    change of H since the last step, measured along the last xi: at a y that is not critical yet the
///                    eigenvalues of H along a manifold of minimisers are not zero but of that size, and an exact
///                    solve divides by them. It tends to zero with the leader's steps. (ours)
///   cg               conjugate gradients alone: the run ends where they break down
///   minres, minres_qlp, lsqr
///                    least squares for any symmetric H, see linear.hpp
///   normal_gradient  xi <- xi - b H (H xi + v) with the best b along the direction, two products an iteration: any H,
///                    slow where H is ill-conditioned
///   reparametrised   xi = H z with z in argmin |H^2 z + v|^2, from the last z [AM22, eq. (7)]
/// The first and the last two go on from the last xi or z; the others start from zero, since as H turns the last xi
/// would bring a part in its kernel along, unless adjoint_iterations is given. Only the first is damped: where the
/// follower's steps leave a residual on a curved manifold the other exact ones need not settle.
enum class AdjointSolver { automatic, cg, minres, lsqr, minres_qlp, normal_gradient, reparametrised };
std::string_view to_string(AdjointSolver solver);

struct BgsOptOptions {
  /// M. Empty: enough for the follower's residual to fall by 1e-6 over all M + T steps at the contraction measured
  /// last.
  std::optional<Index> warm_start_steps = std::nullopt;
  Index max_inner_steps = 300;  // bound of M + T where M is measured
  Index unrolled_steps = 1;     // T
  bool correction = true;
  /// a. Empty: measured by the rules of InnerSteps, as for SMBG.
  std::optional<double> inner_step_size = std::nullopt;
  AdjointSolver adjoint_solver = AdjointSolver::automatic;
  double adjoint_tolerance = 1e-9;  // of |v|; of |H v| for the normal equations
  /// Empty: ten times the follower's dimension, at most 1000. A small number leaves the rest to later leader steps.
  std::optional<Index> adjoint_iterations = std::nullopt;
  MemoryPlan memory = MemoryPlan::store;
  Index checkpoints = 10;  // iterates that the checkpoint plan keeps
  LeaderStepOptions leader = {};
};
void describe(OptionTable& table, BgsOptOptions& options);

/// Optimization of bilevel games with selection.
///
/// Michael Arbel, Julien Mairal, "Non-convex bilevel games with critical point selection maps", Algorithm 1 (BGS-Opt).
/// [AM22, Alg. 1]
///
///     y~ = M follower steps from y                     y <- y - a g_y(x, y),  x in R^n, y in R^m; not differentiated
///     y+ = T follower steps from y~                    L_T(x, y~) = f(x, y+)
///     d  = d_x L_T(x, y~)                              R^n
///     with correction:
///       v   = d_y L_T(x, y~)                           R^m
///       xi ~ -H(x, y+)^+ v                             R^m, from the last xi
///       d  <- d + B(x, y+) xi
///     x  <- x - gamma d
///
/// T > 0, M = 0, no correction is iterative differentiation (ITD); M > 0 makes it truncated. T = 0, M > 0 with
/// correction is approximate implicit differentiation (AID). Both together are the hybrid: the part of the adjoint that
/// T steps account for is exact and needs no solver. Without correction the limit is biased, the less the larger T
/// [AM22, Prop. 3]; with it every M + T > 0 has the same limits, equilibria of the game in which the follower's answer
/// is the limit of its gradient flow [AM22, Prop. 5]. H may be singular: minimisers may form a manifold on which the
/// dimension of ker H does not change (Morse-Bott) [AM22, Thm 2].
///
/// Oracle calls per step (store): M + T of grad_y, T of hess_yy and hess_xy, one value of g; one value, grad_x and
/// grad_y of f. The correction adds one grad_y, one hess_xy and the solver's products hess_yy.
/// Beyond these, k_p products hess_yy of g whenever the curvature is measured (first step, and when x has moved far);
/// two values of g where the follower's residual did not fall to a tenth (to half for a given a), one more measurement
/// where g did not fall as it should, and all of it again if the step a proves too long.
///
/// The automatic gamma compares successive pairs (x, y+). With a given M so small that the follower lags behind the
/// leader by many steps it shrinks needlessly: give gamma as well.
///
/// Assumes: g(x, .) has an L_g-Lipschitz gradient, a L_g < 1, y is near a local minimiser of a parametric Morse-Bott g.
///
/// Differs from the paper: by default xi is warm-started itself instead of through xi = H z, which squares the
/// condition once more; the damping removes what H(x, y) lets into its kernel as it turns. M, gamma and a are measured
/// unless given, and an automatic gamma may take a move back; Adam may replace the gradient step.
class BgsOpt final : public OuterMethod {
 public:
  struct State final : OuterMethod::State {
    LeaderStepState leader;
    InnerStepState inner;  // a and k = M + T in use, and what they were measured from
    Vec adjoint;           // xi in R^m, the next solve's start; zero before the first
    bool damped = false;   // automatic: conjugate gradients met an H that they cannot do with alone
    Vec image;             // H xi in R^m where xi was computed, once damped; empty before
    Vec reparametrised;    // z of that solver, R^m; empty before the first
    std::unique_ptr<OuterMethod::State> clone() const override { return std::make_unique<State>(*this); }
    bool assign(const OuterMethod::State& other) override {
      *this = dynamic_cast<const State&>(other);
      return true;
    }
  };

  /// Throws InvalidOption for values out of range, and where T = 0 without correction (the follower's response would be
  /// ignored) or M = T = 0 (the follower would never answer).
  explicit BgsOpt(BgsOptOptions options = {});
  std::string_view name() const override { return "bgs_opt"; }
  Needs needs() const override;
  StepReport step(const BilevelProblem& problem, OuterMethod::State& state) const override;
  const BgsOptOptions& options() const { return options_; }

 private:
  struct Path;

  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;
  /// y+, d_x L_T and v at (state.x, state.y) with the present a.
  Path take_path(const BilevelProblem& problem, const State& state) const;
  /// d, with a measured and corrected where it proves too long.
  HypergradientResult answer(const BilevelProblem& problem, State& state) const;
  /// Adds B xi to the path's gradient.
  void correct(const Objective& g, const Linearization& lower, HypergradientResult& result, State& state) const;

  BgsOptOptions options_;
  InnerSteps inner_;
};

}  // namespace bilevel
