// The plain job: the follower solved to rounding, the leader moved by Newton's method within a trust region.
#pragma once

#include <atomic>
#include <memory>

#include "bilevel/method.hpp"

namespace bilevel {

struct NewtonOptions {
  /// Solved where Newton's step, in every coordinate, is below this share of the coordinate's own unit: |x_i| or its
  /// last move, whichever is more.
  double distance = 1e-8;
  /// n up to which the Hessian of the leader's value function is formed, by n differences of hypergradients; beyond,
  /// limited-memory BFGS, which cannot tell a saddle from a minimum.
  Index formed_leader = 200;
  const std::atomic<bool>* interrupt = nullptr;
};
void describe(OptionTable& table, NewtonOptions& options);

/// Trust-region Newton method on phi(x) = f(x, y(x)).
///
/// Ours, of known parts: the hypergradient f_x - B H^+ f_y [AM22, Thm 2; BLPV25, Thm 4.2] at a follower that is solved
/// to rounding; the Hessian of phi by differences of it, then symmetric rank-one updates; the exact trust-region step
/// (Nocedal and Wright, Numerical Optimization, chs. 4 and 6).
///
///     y  = argmin g(x, .) from the last y, by Newton's method          x in R^n, y in R^m
///     h  = f_x - B w,  H w = f_y                                       R^n, R^m
///     p  = argmin h'p + p'M p / 2  over |S p| <= radius                M ~ phi''(x), S = its own scale
///     x <- x + p  if f(x + p, y(x + p)) falls as the model says, else the radius shrinks
///
/// A step is one accepted triple (x, y(x), h(x)): the first is the start, and no step raises f. A trial at which the
/// follower has no answer, or f or h is not finite, is outside the domain and shrinks the radius too. Negative
/// curvature of M is followed, so that saddles and maxima are left. Everything is measured in S or in a coordinate's
/// own scale: changes of unit of x, y, f and g change nothing but units.
///
/// A run is solved (StepReport::solved) where Newton's step is small in every coordinate with an M measured at this
/// very x that has no negative curvature, and where, along directions without curvature, f is not lower at several
/// lengths to both sides; or at a kink of f, where the hypergradients around have a vanishing mean.
///
/// Oracle calls of one answer, m <= 200: Newton's iterations, each 2 m products and one value and grad_y of g, and what
/// its line search takes of these; one value, grad_x and grad_y of f. Of one M: some eight calls for each of n.
///
/// Assumes: f and g twice continuously differentiable near the answers but for kinks. y(x) is a local minimiser of g on
/// the branch that the start leads to, isolated; where minimisers form a manifold along which f changes, it ends with
/// Status::breakdown and says so: that is HG-MS's task. Minima that are flat to any order p are no obstacle.
class Newton final : public OuterMethod {
 public:
  struct State;

  /// Throws InvalidOption for values out of range.
  explicit Newton(NewtonOptions options = {});
  std::string_view name() const override { return "newton"; }
  Needs needs() const override;
  StepReport step(const BilevelProblem& problem, OuterMethod::State& state) const override;
  std::vector<Finding> findings(const OuterMethod::State& state) const override;

 private:
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override;

  NewtonOptions options_;
};

}  // namespace bilevel
