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
};
Tail follow_tail(ForwardFlow& flow, const Vec& v);

/// Integral of B lambda from time 0 to the end of `flow`, which was recorded; lambda is `end` there.
Tail sweep_back(ForwardFlow& flow, const Vec& end);

}  // namespace bilevel::flow
