// IAPTT: unrolling from a start that is trained too, cut off where the leader fares worst.
#pragma once

#include "bilevel/hypergradient.hpp"
#include "bilevel/inner_steps.hpp"
#include "bilevel/leader_step.hpp"
#include "bilevel/method.hpp"

namespace bilevel {

struct IapttOptions {
  Index inner_steps = 50;                                // K
  std::optional<double> inner_step_size = std::nullopt;  // a; empty: 0.9 / L, see InnerSteps
  LeaderStepOptions leader = {};                         // of (x, z) together
};
void describe(OptionTable& table, IapttOptions& options);

/// Initialization Auxiliary and Pessimistic Trajectory Truncated Gradient Method (IAPTT-GM).
///
/// Risheng Liu, Yaohua Liu, Shangzhi Zeng, Jin Zhang, "Towards Gradient-based Bilevel Optimization with Non-convex
/// Followers and Beyond", NeurIPS 2021.  [methods.md sec. 10]
///
///     y_0 = z,  y_t = y_{t-1} - a g_y(x, y_{t-1}),  t = 1 .. K          x in R^n; y_t, z in R^m
///     t* = argmax_t f(x, y_t)
///     (x, z) <- (x, z) - gamma grad f(x, y_t*(x, z))
///
/// State::y is y_K, and the report's f and |g_y| are those of (x, y_K); the leader's step is guided by f(x, y_t*).
///
/// Oracle calls per step: K + t* of grad_y and one more for the report, t* of hess_yy and hess_xy of g; K + 1 values,
/// one grad_x and grad_y of f; a value of g where it is provided. The measurement of a as in SMBG.
///
/// Assumes: f and g continuously differentiable, a |H| < 1. The trained z is to find the best of several answers of the
/// follower, the worst t to keep f from being met before the follower has answered. At a finite K the limit is the
/// minimiser of max_t f(x, y_t(x, z)), not the bilevel solution.
///
/// Differs from the paper: a and gamma are measured unless given, and an automatic gamma may take a move back; z is not
/// projected.
class Iaptt final : public OuterMethod {
 public:
  struct State final : OuterMethod::State {
    Vec z;                   // R^m
    LeaderStepState leader;  // of the stacked (x, z) in R^(n+m)
    InnerStepState inner;
    Index truncation = 0;  // t* of the last step
    std::unique_ptr<OuterMethod::State> clone() const override { return std::make_unique<State>(*this); }
    bool assign(const OuterMethod::State& other) override {
      *this = dynamic_cast<const State&>(other);
      return true;
    }
  };

  explicit Iaptt(IapttOptions options = {});
  std::string_view name() const override { return "iaptt"; }
  Needs needs() const override;
  StepReport step(const BilevelProblem& problem, OuterMethod::State& state) const override;
  /// truncation: t* of the last step.
  std::vector<Finding> findings(const OuterMethod::State& state) const override;

 private:
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;
  /// The derivative of f(x, y_t*) in x and z, with y and upper those of y_K; `worst` becomes f(x, y_t*).
  HypergradientResult answer(const BilevelProblem& problem, State& state, double& worst) const;

  IapttOptions options_;
  InnerSteps inner_;
};

}  // namespace bilevel
