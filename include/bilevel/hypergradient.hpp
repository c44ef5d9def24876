// Hypergradients: the derivative of the leader's objective through the follower's answer.
#pragma once

#include <string>
#include <vector>

#include "bilevel/lower.hpp"
#include "bilevel/options.hpp"
#include "bilevel/problem.hpp"

namespace bilevel {

/// How the reverse sweep through the follower's trajectory gets its iterates back. All plans give the same answer.
///   store       keeps every iterate (and, while they fit, what each recorded step needs): fastest, memory grows with K
///   checkpoint  keeps a fixed number of iterates and recomputes the rest (binomial schedule of Griewank and Walther,
///               "revolve"): memory flat in K, about log K times the forward work
///   reversible  keeps the last iterate only and inverts each step [BLPV25, Lemma 5.1]: least memory; each inverse
///               takes log(1e-16) / log(a L_g) evaluations and loses log10 1/(1 - a L) digits along curvature L, so it
///               is for short trajectories or small steps, and says so when the digits run out
enum class MemoryPlan { store, checkpoint, reversible };
std::string_view to_string(MemoryPlan plan);
/// Options memory and checkpoints in the group Hypergradient.
void describe(OptionTable& table, MemoryPlan& memory, Index& checkpoints);

struct UnrolledOptions {
  Index steps = 10;  // K >= 1 follower steps
  /// The last T <= K steps are differentiated, the earlier ones only taken; 0: all. T < K is truncated unrolling.
  Index differentiated_steps = 0;
  MemoryPlan memory = MemoryPlan::store;
  Index checkpoints = 10;                                // iterates kept by MemoryPlan::checkpoint, >= 1
  std::size_t recording_bytes = std::size_t{128} << 20;  // store plan: keep recorded steps while they fit in this
};

struct HypergradientResult {
  Vec gradient;                       // d f / d x, R^n
  Vec adjoint;                        // R^m: d_z phi^k (unrolled) or w with H w = f_y (implicit)
  Vec y;                              // R^m: the follower's answer it was taken at
  double upper = 0;                   // f(x, y)
  double upper_x_norm = 0;            // |f_x(x, y)|
  double upper_y_norm = 0;            // |f_y(x, y)|
  double lower_residual = 0;          // |g_y| at the last point where it was computed (before the last step)
  double first_lower_residual = 0;    // |g_y(x, z)| at the start of the trajectory
  Index lower_steps = 0;              // follower steps taken, recomputation included
  Status status = Status::converged;  // converged, nonfinite or breakdown
  std::string message;                // origin of a failure, with numbers
};

/// Reverse-mode derivative of phi^k(x, z) = f(x, A^k(x, z)) in x and z, one forward path and one reverse sweep.
/// [BLPV25, (DP-BL); forward and reverse recursions of Griewank and Walther]
///     u = f_x(x, y_k), v = f_y(x, y_k);  for j = k-1..0:  u += (d_x A)' v, v = (d_y A)' v     at (x, y_j)
/// Oracle calls (full store): K of grad_y, hess_yy and hess_xy of g (one linearisation and one fused product a step);
/// one value, grad_x and grad_y of f.
HypergradientResult unrolled(const BilevelProblem& problem, const StepMap& map, const Vec& x, const Vec& z,
                             const UnrolledOptions& options);

/// The same derivative in x by forward mode: propagates J = d_x A^j (m x n) column by column. Exact agreement with
/// `unrolled`; cost grows with n, memory does not grow with K: for a handful of leader variables.
HypergradientResult unrolled_forward(const BilevelProblem& problem, const StepMap& map, const Vec& x, const Vec& z,
                                     Index steps);

struct ImplicitOptions {
  double tolerance = 1e-8;   // CG stops at |H w - f_y| <= tolerance |f_y|, or at what g's rounding allows
  Index max_iterations = 0;  // 0: as many as the dimension asks for, at most 1000
};

/// Implicit differentiation at (x, y): G = f_x - B w with H w = f_y by conjugate gradients, started at `warm_start`.
/// Exact where g_y(x, y) = 0 and H is positive definite; else the error is of the order of |g_y| and of CG's residual.
/// Negative curvature of H gives Status::breakdown: y is not near a strict local minimiser.
HypergradientResult implicit(const BilevelProblem& problem, const Vec& x, const Vec& y, const ImplicitOptions& options,
                             const Vec& warm_start = {});

/// Relative residual of H w = b up to which a breakdown of conjugate gradients says nothing against H: what they met is
/// rounding, in the kernel of H if it has one.
inline double consistent_residual(const Objective& lower) { return lower.attainable(1e-8); }

/// Which of the above; truncated is unrolled with differentiated_steps < steps.
enum class HypergradientKind { unrolled, truncated, forward, implicit };
std::string_view to_string(HypergradientKind kind);

struct HypergradientOptions {
  HypergradientKind kind = HypergradientKind::unrolled;
  Index truncated_steps = 5;  // T of the truncated hypergradient, at most the number of steps
  MemoryPlan memory = MemoryPlan::store;
  Index checkpoints = 10;
  ImplicitOptions implicit = {};
};

/// Takes `steps` follower steps from z at x and differentiates by the strategy of `options`. `adjoint` is the warm
/// start of the implicit adjoint system, R^m or empty, and becomes its solution; the other strategies leave it alone.
HypergradientResult differentiate(const BilevelProblem& problem, const GradientDescentMap& map, const Vec& x,
                                  const Vec& z, Index steps, const HypergradientOptions& options, Vec& adjoint);

}  // namespace bilevel
