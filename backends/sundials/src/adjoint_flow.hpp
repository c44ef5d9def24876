// The adjoint of the flow: integral of B lambda dt, with lambda' = -H lambda at the flow's end and H lambda back from
// it.
#pragma once

#include "forward_flow.hpp"

namespace bilevel::flow {

/// The flow's end y followed to rest with H and B frozen: lambda(0) = v. Where B vanishes at the end, as by symmetry,
/// its size at the flow's `start` says what is small.
struct Tail {
  Vec left;      // lambda in the end: P_ker(H) v
  Vec integral;  // of B lambda, R^n
  Status status = Status::converged;
  std::string message;
  double integral_scale = 0;  // |B| |v|: errors of the integral are measured against it
};
Tail follow_tail(ForwardFlow& flow, const Vec& v);

/// Back along a recorded flow, as often as asked.
class BackwardSweep {
 public:
  /// `flow` has checkpoints and is at its end.
  explicit BackwardSweep(ForwardFlow& flow);

  /// Integral of B lambda from time 0 to the flow's end; lambda is what the tail of v left.
  Tail run(const Tail& tail, const Vec& v);

 private:
  void set_up();

  ForwardFlow& flow_;
  N_Vector lambda_ = nullptr, integral_ = nullptr;  // the flow's integrator's
  int problem_ = -1;                                // of CVODES; it keeps one for each sweep object
};

}  // namespace bilevel::flow
