// What the leader meets at x: the follower's answer to rounding, f there, and the exact hypergradient.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "bilevel/problem.hpp"
#include "bilevel/status.hpp"
#include "lower/newton_follower.hpp"

namespace bilevel {

struct LeaderAnswer {
  Vec x;                      // R^n
  Vec y;                      // R^m, the follower's answer to this x
  double upper = 0;           // f(x, y)
  double lower = 0;           // g(x, y)
  Vec gradient;               // h = f_x - B H^+ f_y, R^n
  Vec noise;                  // R^n, what rounding makes of h, by entry
  Vec adjoint;                // w = H^+ f_y, R^m
  double lower_residual = 0;  // |g_y(x, y)|
  Index lower_steps = 0;      // Newton iterations of the follower
  bool flat = false;          // the follower's curvature vanishes at its answer
  /// The follower's minimisers form a manifold along which f falls: which one it gives is a choice, not an answer.
  bool manifold = false;
  std::optional<FormedFollower> formed;  // g at (x, y), where m <= kFormedFollower
  /// converged; lower_failed, diverged, interrupted: of the follower; breakdown: no derivative there (`manifold`, or
  /// the adjoint system could not be solved); nonfinite
  Status status = Status::lower_failed;
  std::string message;  // why, if not converged

  bool ok() const { return status == Status::converged; }
  /// First-order change of y under a move p in R^n of the leader; zero where H was not formed.
  Vec response(const Vec& p) const;
};

/// What one answer leaves to the next.
struct AnswerMemory {
  double largest_residual = 0;  // |g_y| at the starts so far: what a tolerance is relative to, where H is not formed
  Vec adjoint;                  // R^m, a warm start there
};

/// Solves the follower at x from `start` and differentiates. Newton's method on a formed H up to m = kFormedFollower,
/// truncated Newton and conjugate gradients beyond. The rank of H is decided by rounding; where f has a part along its
/// kernel the follower is solved again from a point displaced along it, and where it comes back the minimum is flat: h
/// is then the limit of -B H^-1 f_y from both sides. Needs value, grad_x, grad_y of f and value, grad_y, hess_yy,
/// hess_xy of g.
LeaderAnswer answer_leader(const BilevelProblem& problem, const Vec& x, const Vec& start, AnswerMemory& memory,
                           const std::atomic<bool>* interrupt = nullptr);

}  // namespace bilevel
