// The Hessian of the leader's value function x -> f(x, y(x)), by differences of exact hypergradients.
#pragma once

#include <Eigen/Core>

#include "hypergradient/leader_answer.hpp"

namespace bilevel {

struct LeaderHessian {
  Eigen::MatrixXd hessian;  // n x n, symmetric
  Index answers = 0;        // differences that took a whole answer, and not only corrections of the one at hand
  Index unknown = 0;        // columns that could not be measured, and are zero
  bool finite = false;
};

/// One forward difference a coordinate, of length `steps`_i, which are changed where a difference drowns in the
/// rounding of h or could be resolved by far less: each is 1e-6 of the coordinate's own unit, or of what is known of
/// it. Where H is formed and regular at `at` the follower and the adjoint are corrected by its factorisation, which
/// takes some eight oracle calls a coordinate; else each is an answer of its own.
LeaderHessian leader_hessian(const BilevelProblem& problem, const LeaderAnswer& at, AnswerMemory& memory, Vec& steps,
                             const std::atomic<bool>* interrupt = nullptr);

}  // namespace bilevel
