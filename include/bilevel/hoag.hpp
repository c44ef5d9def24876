// HOAG: hypergradient descent with a follower that is solved, for leaders that set the follower's conditioning.
#pragma once

#include <optional>

#include "bilevel/leader_step.hpp"
#include "bilevel/lower.hpp"
#include "bilevel/method.hpp"

namespace bilevel {

struct HoagOptions {
  double lower_tolerance = 1e-10;                   // see LowerSolver::Options
  Index lower_iterations = 1000;                    // most of one solve
  double adjoint_tolerance = 1e-9;                  // |H w - f_y| <= tolerance |f_y|
  std::optional<double> lowest = {}, highest = {};  // the box of every x_q
  LeaderStepOptions leader = {};
  const std::atomic<bool>* interrupt = nullptr;
};
void describe(OptionTable& table, HoagOptions& options);

/// Hyperparameter optimization with approximate gradient.
///
/// Fabian Pedregosa, "Hyperparameter optimization with approximate gradient", ICML 2016, Algorithm 1.
///
///     y with |g_y(x, y)| small                  from the last y; x in R^n, y in R^m
///     w with |H(x, y) w - f_y(x, y)| small      from the last w
///     x <- P(x - a (f_x - B(x, y) w))           P clips to the box
///
/// Assumes: g(x, .) is strongly convex, up to directions in which neither f nor B changes.
/// Oracle calls of one step: those of L-BFGS, one linearisation of g (grad_y, hess_xy), one hess_yy for each
/// conjugate gradient step, one value, grad_x and grad_y of f.
///
/// Differs from the paper: both tolerances are fixed instead of summable, the step size is that of leader_step.hpp, and
/// the follower's solver is L-BFGS.
class Hoag final : public OuterMethod {
 public:
  struct State final : OuterMethod::State {
    LeaderStepState leader;
    Vec adjoint;  // w in R^m, empty before the first step
    std::unique_ptr<OuterMethod::State> clone() const override { return std::make_unique<State>(*this); }
    bool assign(const OuterMethod::State& other) override {
      *this = dynamic_cast<const State&>(other);
      return true;
    }
  };

  /// Throws InvalidOption for values out of range.
  explicit Hoag(HoagOptions options = {});
  std::string_view name() const override { return "hoag"; }
  Needs needs() const override;
  StepReport step(const BilevelProblem& problem, OuterMethod::State& state) const override;

 private:
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;

  HoagOptions options_;
};

}  // namespace bilevel
