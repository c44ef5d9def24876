// Hypergradients of uniformly convex followers, whose Hessian may be singular at the answer: by substituting powers.
#pragma once

#include <functional>
#include <string_view>

#include "bilevel/batch.hpp"
#include "bilevel/hypergradient.hpp"

namespace bilevel {

/// The substitution u_i = sign(y_i - a_i) |y_i - a_i|^(p-1), i = 1..m. Where g grows like |y_i - a_i|^p the follower's
/// answer is a smooth function of x in u, though not in y. It cures a Hessian that vanishes at y_i = a_i, no other.
struct PowerTransform {
  double exponent = 2;  // p >= 2; 2 changes nothing
  Vec centre = {};      // a in R^m; empty: 0
  /// eps > 0, in the unit of |y|^(p-2): no entry of D is smaller. Krylov's answer does not depend on it where H is
  /// invertible; that of the series is too small in coordinates with D below it.
  double floor = 1e-8;

  /// The diagonal of D = du/dy, R^m: max((p-1) |y_i - a_i|^(p-2), eps). Throws InvalidOption for p < 2 or eps <= 0,
  /// DimensionMismatch for a centre that does not fit y.
  Vec diagonal(const Vec& y) const;
};

/// How (D^-1 H) v = D^-1 f_y is solved.
///   krylov   D^-1 H is self-adjoint in the inner product <a, b>_D = a'D b and positive definite in it where H is:
///            conjugate gradients in that product, which are those on H v = f_y preconditioned by D. Where they break
///            down (H singular or indefinite) minimum residuals in that product.
///   neumann  v = nu sum_{q=0..Q} v_q, v_0 = D^-1 f_y, v_q = (I - nu D^-1 H) v_{q-1}: Q products, an error of
///            (1 - nu lambda)^(Q+1) for each eigenvalue lambda of D^-1 H, and every factor may have its own samples
enum class PowerSolver { krylov, neumann };
std::string_view to_string(PowerSolver solver);

struct PowerTransformedOptions {
  PowerTransform transform = {};
  PowerSolver solver = PowerSolver::krylov;
  double tolerance = 1e-10;  // krylov: |f_y - H v| <= tolerance |f_y|, both in the norm of D^-1
  Index max_iterations = 0;  // krylov; 0: ten times the dimension, at most 1000
  Index terms = 20;          // neumann: Q >= 0
  double step_size = 0;      // neumann: nu; 0: 0.9 / the largest eigenvalue of D^-1 H, half of it on batches
};

/// Where samples come from; an empty function stands for all of them. Each call gives the next batch, which is used up
/// before the next call, so a Sampler may be behind both.
///   upper   one batch for f, f_x and f_y
///   lower   krylov: one for H and B; neumann: one for every factor I - nu D^-1 H
///   cross   neumann: one for B; empty: of `lower`
struct PowerTransformedBatches {
  std::function<Batch()> upper, lower, cross = {};
};

/// What one call leaves to the next, empty before the first.
struct PowerTransformedMemory {
  Vec adjoint;                  // v in R^m: krylov starts there
  Vec eigenvector;              // R^m, of the largest eigenvalue: measuring nu starts there
  double series_step_size = 0;  // nu of the last series
};

/// G = f_x - B v at (x, y) with v = (D^-1 H)^-1 D^-1 f_y; the formula's limit where H degenerates at the centre, and
/// f_x - B H^-1 f_y wherever H is invertible. y should be the follower's answer: the error is of the order of u - u*.
///
/// Yuman Wu, Xiaochuan Gong, Jie Hao, Mingrui Liu, "Bilevel Optimization with Lower-Level Uniform Convexity: Theory and
/// Algorithm". [UniBiO]
///
/// Oracle calls: one value, grad_x and grad_y of f; of g one grad_y, one hess_xy and as many hess_yy as Krylov takes,
/// or Q and up to 30 to measure nu. The result's adjoint is v, its message says how the solve ended. Status: converged;
/// nonfinite; breakdown if no v solves the system (the gradient is then that of the least-squares v), or if the series
/// does not fall.
///
/// Throws DimensionMismatch for a centre of the wrong length, InvalidOption for values out of range.
HypergradientResult power_transformed(const BilevelProblem& problem, const Vec& x, const Vec& y,
                                      const PowerTransformedOptions& options, PowerTransformedMemory& memory,
                                      const PowerTransformedBatches& batches = {});

/// The same from nothing, on all samples.
HypergradientResult power_transformed(const BilevelProblem& problem, const Vec& x, const Vec& y,
                                      const PowerTransformedOptions& options = {});

}  // namespace bilevel
