// The follower's path y_0..y_K and its traversal backwards, under one of the memory plans.
#pragma once

#include <functional>
#include <memory>

#include "bilevel/hypergradient.hpp"

namespace bilevel {

/// What a backward traversal reports about itself.
struct Traversal {
  Status status = Status::converged;
  std::string message;
  Index extra_steps = 0;  // map evaluations beyond the forward path
};

class Trajectory {
 public:
  using Visitor = std::function<void(const StepMap::Point&)>;

  virtual ~Trajectory() = default;
  const Vec& last() const { return last_; }                       // y_K
  double residual() const { return residual_; }                   // |g_y(x, y_{K-1})|
  double first_residual() const { return first_residual_; }       // |g_y(x, y_0)|
  Index first_nonfinite_step() const { return nonfinite_step_; }  // 0: every iterate is finite

  /// Calls visit with the recorded steps at y_{K-1}, ..., y_0, in this order. Once only.
  virtual Traversal sweep_back(const Visitor& visit) = 0;

 protected:
  /// The forward path where no recorded step is kept.
  void take_path(const StepMap& map, const Vec& x, const Vec& z, Index steps);

  /// Notes what every plan must know of a freshly computed iterate y_step; returns false if it is not finite.
  bool note(Index step, const Vec& y, double residual);

  Vec last_;
  double residual_ = 0, first_residual_ = 0;
  Index nonfinite_step_ = 0;
};

/// Runs `steps` >= 1 iterations of `map` from z under the plan of `options` (its `steps` is not read).
std::unique_ptr<Trajectory> make_trajectory(const StepMap& map, const Vec& x, const Vec& z, Index steps,
                                            const UnrolledOptions& options);

}  // namespace bilevel
