// Followers with many answers: which of them the leader is given, and what the leader's objective does there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/hypergradient.hpp"
#include "bilevel/options.hpp"
#include "bilevel/random.hpp"

namespace bilevel {

/// Which of the follower's minimisers the leader is given: the one with the least f, or the one with the greatest.
enum class ManifoldSelection { optimistic, pessimistic };
std::string_view to_string(ManifoldSelection selection);

/// How other minimisers are sought from a known one.
///   tangent   moves along ker H of several lengths, each then sent down to S(x)
///   langevin  chains y <- y - h g_y + sqrt(2 h tau) noise, each then sent down to S(x)
///   restarts  normal starts around the known minimiser, each sent down to S(x)
enum class Exploration { tangent, langevin, restarts };
std::string_view to_string(Exploration exploration);

struct SelectionOptions {
  ManifoldSelection selection = ManifoldSelection::optimistic;
  Exploration exploration = Exploration::tangent;
  /// N, points sought on S(x). Empty: 4 (k + 1) for a manifold of dimension k, at most 40; 0 for k = 0.
  std::optional<Index> samples = std::nullopt;
  Index polished = 3;               // of the points found, how many of the best are polished
  double kernel_tolerance = 1e-8;   // curvature of g up to this times |H| counts as zero
  Index kernel_limit = 32;          // k is counted up to this; m vectors of R^m are stored for each
  double polish_tolerance = 1e-9;   // |P_ker f_y| against the largest |f_y| seen
  Index polish_iterations = 200;    // of each polish
  double tie_tolerance = 1e-7;      // pieces: f within this times 1 + |f| of the best
  Index descent_iterations = 2000;  // of L-BFGS, for each point that is sent down
};
void describe(OptionTable& table, SelectionOptions& options);

/// One minimiser of f over S(x), and the leader's gradient if it is the only one.
struct SelectionPiece {
  Vec y;                          // R^m, critical for g(x, .) up to rounding
  Vec gradient;                   // G = f_x - B w, R^n
  Vec adjoint;                    // w = H+ f_y, R^m
  double upper = 0;               // f(x, y)
  double lower = 0;               // g(x, y)
  double lower_residual = 0;      // |g_y|
  double selection_residual = 0;  // |P_ker f_y|
  double gradient_scale = 0;      // |f_x| + |B w|, what differences of gradients are measured against
};

/// What a selection found at one x; a certificate can be built on it.
struct SelectionReport {
  Status status = Status::lower_failed;  // converged, lower_failed or nonfinite
  std::string message;                   // of a failure, with numbers
  /// The best first, then the explored points that tie with it and give another gradient: Danskin's pieces.
  std::vector<SelectionPiece> pieces;
  bool kink = false;  // two pieces differ in G: F is not differentiable here
  /// f of the second best distinct point that was polished minus f of the best; empty: there is none.
  std::optional<double> gap;
  double opposite = 0;  // the f furthest from the selected one among all points seen, an inner bound of the other end
  bool explored = false;
  bool switched = false;                  // the start's own polish ended elsewhere, at a worse f
  std::optional<Index> kernel_dimension;  // k; empty: not counted this time, or beyond kernel_limit
  /// Smallest eigenvalue of the intrinsic Hessian v'f_yy v - D3g[v, v, w] on ker H, of -f for pessimistic ones; empty:
  /// not measured (no exploration, k = 0 or beyond the limit, or f has no hess_yy).
  std::optional<double> intrinsic_curvature;
  bool degenerate = false;  // that eigenvalue is nearly zero: expect F to be Hoelder continuous only
  /// Without exploration: f falls (rises) from the selected answer along a random tangent, so that it is stationary on
  /// S(x) but no minimiser (maximiser), as a tracked answer becomes where x crosses a kink. Explore.
  bool saddle = false;
  Index lower_steps = 0;  // steps of descents and corrections of the follower
};

/// What is carried from one selection to the next.
struct SelectionMemory {
  double upper_slope = 0;   // largest |f_y| seen, what selection residuals are measured against
  double tangent_step = 0;  // the last secant step along S(x); 0: none known
  double size = 0;          // largest |H u| / |u| seen
};

/// argmin (argmax) of f over S(x) = argmin g(x, .), sought from `start`: explore, rank, polish, differentiate. With
/// `explore` false only `start` is sent down and polished. Numerical trouble is in the report's status. Needs value,
/// grad_x, grad_y of f and value, grad_y, hess_yy, hess_xy of g. Throws MissingOracle, DimensionMismatch,
/// InvalidOption.  [HG-MS, article; reconstruction ours]
SelectionReport select_on_manifold(const BilevelProblem& problem, const Vec& x, const Vec& start,
                                   const SelectionOptions& options, Random& random, SelectionMemory& memory,
                                   bool explore = true);

/// The one-sided derivative F'(x; e) = min <G_i, e> over the pieces (max for pessimistic ones), by Danskin's theorem.
/// Where the minimisers that tie form a continuum the pieces are a sample of it, and this an upper (lower) bound.
/// Throws InvalidInput if there are no pieces, DimensionMismatch if e is not of R^n.
double one_sided_derivative(const SelectionReport& report, const Vec& e,
                            ManifoldSelection selection = ManifoldSelection::optimistic);

/// Adds to `report`, that of a selection at x, the piece that becomes the best one when x moves along e: it selects
/// again at x + t e with t |e| = 1e-4 (1 + |x|). With it one_sided_derivative(report, e) is right up to the order of t
/// even where the minimisers that tie form a continuum. False, and nothing added, if that selection failed or its
/// answer does not tie at x. Throws InvalidInput if there are no pieces or e is zero or not finite, and as
/// select_on_manifold.
bool add_piece_along(const BilevelProblem& problem, const Vec& x, const Vec& e, const SelectionOptions& options,
                     Random& random, SelectionMemory& memory, SelectionReport& report);

struct PenaltyOptions {
  ManifoldSelection selection = ManifoldSelection::optimistic;
  double weight = 1e-3;     // s > 0, in units of g / f
  bool extrapolate = true;  // 2 G(s/2) - G(s): removes the bias that is linear in s
  Index max_iterations = 5000;
};

/// The leader's gradient by differences of values' slopes, without any second derivative:
///     G = f_x(x, y_s) + (1/s) (g_x(x, y_s) - g_x(x, z))        y_s = argmin g + s f from y,  z = argmin g from y_s
/// Its bias is linear in s; what rounding of g_x leaves grows like 1/s. `adjoint` is (y - y_s)/s, which tends to w plus
/// a part along S(x). Needs value, grad_x and grad_y of f and of g. Throws as select_on_manifold. [HG-MS; details ours]
HypergradientResult penalty_hypergradient(const BilevelProblem& problem, const Vec& x, const Vec& y,
                                          const PenaltyOptions& options = {});

}  // namespace bilevel
