// The certificate: what the returned (x, y) is, computed independently of how the run got there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bilevel/morse_bott.hpp"
#include "bilevel/problem.hpp"

namespace bilevel {

/// What y is to g(x, .).
enum class FollowerKind {
  local_minimiser,             // H positive definite
  degenerate_local_minimiser,  // H positive semidefinite with a kernel: second order cannot say more
  saddle,                      // H has a negative eigenvalue (maximisers included), or g falls along its kernel
  not_critical,                // |g_y| is not small
  undecided,                   // the eigenvalues could not be bracketed within the budget
};
std::string_view to_string(FollowerKind kind);

/// What (x, y) is to the game. The texts are those of result.json.
enum class Verdict {
  local_solution,          // "certified local bilevel solution"
  degenerate_equilibrium,  // "equilibrium with degenerate follower"
  kink_suspected,          // "kink suspected": the follower's answer does not move smoothly with x here
  follower_saddle,         // "follower saddle"
  leader_saddle,           // "stationary, but no minimum of the leader"
  fake_stationary_point,   // "fake stationary point": a critical point of f alone; y is no local minimiser of g(x, .)
  not_converged,           // "not converged"
  undecided,               // "undecided": the budget did not suffice for any of the above
};
std::string_view to_string(Verdict verdict);

/// What y is to f on S(x), the follower's manifold of minimisers.
enum class SelectionKind {
  selected,       // stationary, and f curves upwards along S(x): a strict local minimiser of f on S(x)
  stationary,     // stationary, and no more is known: f has no hess_yy
  degenerate,     // stationary, and f has nearly no curvature along S(x): expect the leader's value to be Hoelder only
  kink,           // other answers tie with it and give the leader other gradients: Danskin's pieces
  falls,          // f falls along S(x) from y, to first or second order
  out_of_budget,  // "no selection within budget"
};
std::string_view to_string(SelectionKind kind);

struct CertifiedSelection {
  SelectionKind kind = SelectionKind::out_of_budget;
  std::string reason = {};  // one clause with numbers
  /// Smallest eigenvalue of the intrinsic Hessian v'f_yy v - D3g[v, v, H+ f_y] on ker H, and what it is measured
  /// against; empty: not measured.
  std::optional<double> curvature = std::nullopt;
  double curvature_scale = 0;
  /// Of a degenerate selection: x tilts f along S(x), so that the answer moves faster than x.
  bool tilted = false;
  /// Answers found that tie with y and differ in f_x - B H+ f_y, y's own included; 0: not looked for, or y does not tie
  /// with the best. Where the answers that tie form a continuum this is a sample of it.
  Index pieces = 0;
  /// At a kink: the one-sided derivatives along the direction e, |e| = 1, in which the pieces differ most. The leader's
  /// value has the derivative `least_slope` along e, and `greatest_slope` where x comes from -e.
  double least_slope = 0, greatest_slope = 0;
  /// f(x, y) less the least f found at an answer as good for the follower, where that is more than a tie; else 0. Of
  /// the leader's best answer, which need not be near.
  double better_by = 0;
};

struct CertificateOptions {
  /// |g_y| and the leader's residual count as zero up to tolerance times the scale of their terms, or ten times the
  /// relative noise of the products or a thousand times the objectives' rounding() if that is more; in [1e-15, 0.1].
  double tolerance = 1e-6;
  /// Eigenvalues of H up to this times |H| count as zero; in [1e-15, 0.1].
  double kernel_tolerance = 1e-8;
  /// m up to which H is formed (m products) and all its eigenvalues are had, at most 500; beyond, and beyond 10,
  /// Lanczos.
  Index dense_limit = 200;
  /// What all eigenvalues of H are known to exceed at every y, such as 2 c of a convex loss with penalty c |y|^2; 0:
  /// nothing is known. Beyond `dense_limit` it takes the place of the search for the smallest eigenvalue, unless a
  /// product contradicts it or it counts as zero.
  double convexity = 0;
  /// Most Hessian products that Lanczos may take, at least 20.
  Index eigenvalue_products = 300;
  /// Most products of the adjoint solve and of the correction of y together.
  Index solve_products = 500;
  /// n up to which the curvature of the leader's value function is measured (4 n hypergradients); 0: never.
  Index leader_curvature_limit = 20;
  /// m and n up to which a degenerate follower is tested for being Morse-Bott, at most 500; 0: never.
  Index morse_bott_limit = 50;
  /// Dimension of the follower's manifold of answers up to which the leader's choice on it is examined where H was
  /// formed, at most 100; 0: never.
  Index selection_limit = 32;
  std::uint64_t seed = 1;
};

/// Where something at (x, y) was not finite the verdict is undecided and the residuals are NaN.
struct Certificate {
  Verdict verdict = Verdict::undecided;
  FollowerKind follower = FollowerKind::undecided;
  std::optional<Index> kernel_dimension;  // of H; empty: not known within the budget
  double follower_residual = 0;           // |g_y|
  double follower_scale = 0;              // what it is measured against: |H| (1 + |y|)
  /// Of H, after the corrections of y where it was formed. By Lanczos: an upper bound, and an eigenvalue lies within
  /// the error; that it is the smallest one Lanczos cannot prove.
  double smallest_eigenvalue = 0;
  double smallest_eigenvalue_error = 0;
  double largest_eigenvalue = 0;   // |H|
  double adjoint_residual = 0;     // |H w - f_y| / |f_y|, 0 if f_y = 0
  double selection_residual = 0;   // |P_ker f_y|: is the selection optimistic?
  double morse_bott_residual = 0;  // |P_ker B'|, 0 without a kernel
  /// Whether g is Morse-Bott here, for a degenerate local minimiser with a formed H; empty: not examined. Its products
  /// are not among `products`.
  std::optional<MorseBott> morse_bott;
  /// f_x - B H+ f_y = 0 and g_y = 0 at a degenerate local minimiser where g is Morse-Bott on the samples: an
  /// equilibrium of the game with the gradient flow as selection, whether or not f falls along ker H. [AM22, (SC), Thm
  /// 2]
  bool selection_equilibrium = false;
  /// What y is among the answers around it, for a degenerate local minimiser of a g that is not known to fail to be
  /// Morse-Bott; empty: not examined. Its products are not among `products`.
  std::optional<CertifiedSelection> selection;
  double leader_residual = 0;  // |f_x - B H+ f_y|
  /// What it is measured against: |f_x| + |B w|, plus their change over a unit of 1 + |x| and 1 + |y|, since both may
  /// vanish at a solution; where H was formed also that of their difference, since f may be linear in y. Like
  /// follower_scale it grows with f and g, so that verdicts do not depend on their units.
  double leader_scale = 0;
  /// Bound of what the follower's inexactness and the adjoint residual contribute to leader_residual: the change under
  /// one Newton correction of y, plus |B| |H w - f_y| / mu
  /// with mu the least nonzero eigenvalue; infinite where none of that is known.
  double leader_residual_error = 0;
  std::optional<double> leader_curvature;  // smallest eigenvalue of the Hessian of x -> f(x, y(x)), where measured
  double upper_gradient_norm = 0;          // |(f_x, f_y)|
  bool fake = false;                       // |grad f| ~ 0 while y is no local minimiser of g(x, .)
  bool dense = false;                      // H was formed: all eigenvalues are known
  Index products = 0;                      // Hessian-vector products spent
  std::string reason;                      // one sentence: why this verdict, with numbers
  std::string advice;                      // one sentence: the one knob most likely to help, or what the verdict means

  bool is_solution() const { return verdict == Verdict::local_solution; }
};

/// Certifies the pair (x, y). Matrix-free beyond `dense_limit`; never a verdict that the numbers do not back: otherwise
/// `undecided` or `not_converged`. Needs f's gradients and grad_y, hess_yy, hess_xy of g; the value of g too where H is
/// singular, to see whether g falls along the kernel, and that of f to compare answers. Throws DimensionMismatch,
/// MissingOracle, and InvalidOption for options out of range.  [BLPV25, secs. 3-5; AM22, Thm 2 and HG-MS for singular
/// H]
Certificate certify(const BilevelProblem& problem, const Vec& x, const Vec& y, const CertificateOptions& options = {});

}  // namespace bilevel
