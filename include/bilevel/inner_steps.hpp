// How long the follower's steps are and how many it takes: measured, not tuned. Shared by the methods that answer a
// leader with k gradient steps.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bilevel/hypergradient.hpp"
#include "bilevel/method.hpp"

namespace bilevel {

struct InnerStepOptions {
  std::optional<Index> steps = std::nullopt;       // k; empty: measured
  Index max_steps = 300;                           // bound of the measured k
  std::optional<double> step_size = std::nullopt;  // a; empty: measured
  bool warm_start = true;                          // false: paths begin far from where they end
  /// The last steps of a path that will be inverted (all if more than k); empty: none. The inverse of K steps magnifies
  /// rounding by (1 - a L)^-K along the steepest direction: the measured a is then kept at six digits lost.
  std::optional<Index> inverted_steps = std::nullopt;
};

struct InnerStepState {
  Index steps = 0;              // k in use
  double step_size = 0;         // a in use
  double curvature = 0;         // L measured last
  double largest_residual = 0;  // |g_y| at the start of a path, the largest so far
  Vec eigenvector;              // R^m, start of the next measurement
  Vec measured_x;               // R^n, where L was measured; empty: measure anew
  Index leader_step = 0;        // set by the method: the step that the reasons of choices name
};

/// The rules: a = 0.9 / L with L the curvature of g(x, .) at the path's start, measured again when x has moved far, and
/// at the path's end when the residual did not fall; k such that the residual falls by 1e-6 at the contraction measured
/// last, with hysteresis. Each choice is noted as asked -> used.
class InnerSteps {
 public:
  /// Options in range (the methods' tables check them).
  explicit InnerSteps(InnerStepOptions options) : options_(options) {}

  const InnerStepOptions& options() const { return options_; }

  /// Fills state.steps and state.step_size for a path from z at x; `answer` is the follower's latest answer.
  void prepare(const Objective& lower, const Vec& x, const Vec& z, const Vec& answer, InnerStepState& state,
               Choices& choices) const;

  /// True, with a shorter state.step_size, if the path that gave `result` shows that an automatic step was too long:
  /// take the path again.
  bool shorten(const Objective& lower, const Vec& x, const Vec& z, const HypergradientResult& result,
               InnerStepState& state, Choices& choices) const;

  /// After an accepted path: k for the next one.
  void choose_steps(const HypergradientResult& result, InnerStepState& state, Choices& choices) const;

  /// Why the path with a step that the user gave is no descent, with numbers; empty if it may be one.
  std::string divergence(const Objective& lower, const Vec& x, const Vec& z, const HypergradientResult& result,
                         const InnerStepState& state) const;

 private:
  double margin(Index steps) const;

  InnerStepOptions options_;
};

}  // namespace bilevel
