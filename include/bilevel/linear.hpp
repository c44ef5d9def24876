// Linear operators known only by their products, and iterative solvers for A x = b that say how they ended.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/status.hpp"
#include "bilevel/vec.hpp"

namespace bilevel {

/// What is promised about an operator; nothing checks the promise beforehand, but a solver reports when it meets a
/// contradiction. Definiteness is meant for symmetric operators, so it implies symmetric; definite implies
/// semidefinite.
struct StructureTags {
  bool symmetric = false;
  bool positive_definite = false;
  bool positive_semidefinite = false;
};

/// A linear map from R^cols to R^rows, given by its product with a vector. Copies share the functions.
/// Safe to use from several threads if the functions are.
class LinearOperator {
 public:
  using Product = std::function<Vec(const Vec&)>;

  /// `apply` maps R^cols -> R^rows, `apply_adjoint` maps R^rows -> R^cols and may be left out. A symmetric operator is
  /// its own adjoint. Throws DimensionMismatch for negative sizes or a symmetric operator that is not square,
  /// MissingOracle if `apply` is empty.
  LinearOperator(Index rows, Index cols, Product apply, Product apply_adjoint = {}, StructureTags tags = {});

  /// A square symmetric operator on R^size.
  static LinearOperator symmetric(Index size, Product apply, StructureTags tags = {.symmetric = true});

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  const StructureTags& tags() const { return tags_; }
  bool has_adjoint() const { return tags_.symmetric || static_cast<bool>(apply_adjoint_); }

  /// A v. Throws DimensionMismatch if v or the product has the wrong length.
  Vec apply(const Vec& v) const;

  /// A' u. Throws DimensionMismatch as apply does, MissingOracle if has_adjoint() is false.
  Vec apply_adjoint(const Vec& u) const;

 private:
  Index rows_, cols_;
  Product apply_, apply_adjoint_;
  StructureTags tags_;
};

/// Solves A x = b by products with A alone. The public call checks what can be known beforehand, then calls the private
/// virtual, so every solver refuses the same misuse in the same words.
class LinearSolver {
 public:
  /// What an operator must provide.
  struct Requirements {
    bool symmetric = false;
    bool positive_definite = false;
    bool adjoint = false;
  };

  struct Summary {
    Vec x;  // R^cols
    /// converged: the tolerance was met by the true residual, or `consistent` is false and x is a least-squares answer.
    /// budget_reached: x is the last iterate. stagnated: rounding forbids a smaller residual. breakdown: the system is
    /// not one for this solver, see its description. nonfinite: a NaN or infinity appeared.
    /// After the last three x is the iterate with the smallest residual.
    Status status = Status::budget_reached;
    /// False where the solve showed that no x solves the system: |A' r| <= level |A| |r| with r = b - A x, the level
    /// being the solver's tolerance but at least 10 epsilon and at most 1e-10, and r above rounding. A condition
    /// number above 1 / level cannot be told from that.
    bool consistent = true;
    Index iterations = 0;
    Index products = 0;            // with A or its adjoint, all included
    double residual = 0;           // |b - A x|, recomputed from x
    double relative_residual = 0;  // residual / |b|; 0 if b = 0
    /// On breakdown of cg: d with d' A d negative, or zero up to rounding: at most 10 epsilon |A| |d|^2.
    std::optional<Vec> negative_curvature;
    double curvature = 0;  // d' A d / |d|^2 of that direction
    std::string message;   // one sentence with numbers
  };

  virtual ~LinearSolver() = default;

  /// As used in options and messages, e.g. "cg".
  virtual std::string_view name() const = 0;
  virtual Requirements requirements() const = 0;

  /// Throws DimensionMismatch if A, b and *warm_start do not fit, InvalidOption if A lacks a structure tag that the
  /// solver needs, MissingOracle if it needs the adjoint and A has none. Numerical trouble never throws.
  Summary solve(const LinearOperator& A, const Vec& b, const Vec* warm_start = nullptr) const;

 private:
  virtual Summary do_solve(const LinearOperator& A, const Vec& b, const Vec* warm_start) const = 0;
};

/// When an iteration stops.
struct LinearStop {
  /// Stops at |b - A x| <= tolerance |b|; in [0, 1). 0 runs until the budget or until rounding forbids progress.
  double tolerance = 1e-10;
  /// At least 0; 0 means the solver's own default: ten times the dimension for Krylov methods (rows plus columns for
  /// lsqr), 10000 for normal_gradient.
  Index max_iterations = 0;
};

/// Conjugate gradients for symmetric positive (semi)definite A.
///
/// Hestenes and Stiefel, "Methods of conjugate gradients for solving linear systems", J. Res. NBS 49 (1952).
/// One product an iteration, one more for the recomputed residual, one more for a nonzero warm start. Singular A: if b
/// is in the range of A and the start is zero, the answer is the one of minimum norm; if b is not, the solve ends in
/// breakdown or at its budget. Indefinite A: ends in breakdown with a direction of negative curvature, as soon as one
/// is met (it need not be: a Krylov space can miss it). A condition number above 4e14 cannot be told from singular,
/// whatever the tags promise.
class ConjugateGradient final : public LinearSolver {
 public:
  using Options = LinearStop;

  ConjugateGradient();
  /// Throws InvalidOption for values out of range, as every solver below.
  explicit ConjugateGradient(Options options);

  const Options& options() const { return options_; }
  std::string_view name() const override { return "cg"; }
  Requirements requirements() const override { return {.symmetric = true}; }

 private:
  Summary do_solve(const LinearOperator& A, const Vec& b, const Vec* warm_start) const override;

  Options options_;
};

// The solvers below are for singular systems as well. Each improves its answer in passes: a pass solves A d = b - A x
// from d = 0 for the residual recomputed from x, until the true residual meets the tolerance or a pass no longer
// helps. A pass costs one product more than its iterations, and one more where least squares is to be recognised.
// From a zero start their answer is the one of minimum norm, from another start x0 the solution nearest to x0.

/// Minimum residuals for symmetric A, definite or not, singular or not.
///
/// Paige and Saunders, "Solution of sparse indefinite systems of linear equations", SIAM J. Numer. Anal. 12 (1975).
/// One product an iteration. An inconsistent system ends in breakdown with a least-squares answer and the message
/// "inconsistent: |A r| = ..., |r| = ...". That answer has minimum norm: the Krylov space meets the kernel of A in the
/// line of r only, and x loses its part along r (Liu, Milzarek and Roosta, "Obtaining pseudo-inverse solutions with
/// MINRES", arXiv:2309.17096).
class Minres final : public LinearSolver {
 public:
  using Options = LinearStop;

  Minres();
  explicit Minres(Options options);

  const Options& options() const { return options_; }
  std::string_view name() const override { return "minres"; }
  Requirements requirements() const override { return {.symmetric = true}; }

 private:
  Summary do_solve(const LinearOperator& A, const Vec& b, const Vec* warm_start) const override;

  Options options_;
};

/// Minimum residuals for symmetric A with a minimum-length answer, consistent or not.
///
/// Choi, Paige and Saunders, "MINRES-QLP: a Krylov subspace method for indefinite or singular symmetric systems", SIAM
/// J. Sci. Comput. 33 (2011). One product an iteration, as minres, and three vectors more. Ends as Lsqr does for
/// inconsistent systems, at the condition of A where Lsqr works on its square.
class MinresQlp final : public LinearSolver {
 public:
  using Options = LinearStop;

  MinresQlp();
  explicit MinresQlp(Options options);

  const Options& options() const { return options_; }
  std::string_view name() const override { return "minres_qlp"; }
  Requirements requirements() const override { return {.symmetric = true}; }

 private:
  Summary do_solve(const LinearOperator& A, const Vec& b, const Vec* warm_start) const override;

  Options options_;
};

/// Least squares for any A with an adjoint: argmin |A x - b|^2 + damping^2 |x|^2.
///
/// Paige and Saunders, "LSQR: an algorithm for sparse linear equations and sparse least squares", ACM TOMS 8 (1982).
/// Two products an iteration, one of them with A'. Ends as converged for inconsistent systems too, then with
/// `consistent` false and the message "least squares: |A'r| = ..., |r| = ...". With damping the answer is unique, the
/// solver's system is [A; damping I] x = [b; 0] and `consistent` speaks of that one, `residual` is still |b - A x|.
class Lsqr final : public LinearSolver {
 public:
  struct Options {
    double tolerance = 1e-10;  // as in LinearStop
    Index max_iterations = 0;  // as in LinearStop
    double damping = 0;        // finite, at least 0, in the unit of A
  };

  Lsqr();
  explicit Lsqr(Options options);

  const Options& options() const { return options_; }
  std::string_view name() const override { return "lsqr"; }
  Requirements requirements() const override { return {.adjoint = true}; }

 private:
  Summary do_solve(const LinearOperator& A, const Vec& b, const Vec* warm_start) const override;

  Options options_;
};

/// Gradient descent on |A x - b|^2 / 2: x <- x + s A' (b - A x) with s = 1 / |A|^2. [AM22, Alg. 1]
///
/// Two products an iteration, and at most 60 before the first to measure |A| by power iteration; where a later product
/// shows that |A| is larger, the step shrinks. Iterations grow like the square of the condition number. Ends as Lsqr
/// does for inconsistent systems.
class NormalGradient final : public LinearSolver {
 public:
  using Options = LinearStop;

  NormalGradient();
  explicit NormalGradient(Options options);

  const Options& options() const { return options_; }
  std::string_view name() const override { return "normal_gradient"; }
  Requirements requirements() const override { return {.adjoint = true}; }

 private:
  Summary do_solve(const LinearOperator& A, const Vec& b, const Vec* warm_start) const override;

  Options options_;
};

/// x = A z with z in argmin |A^2 z - b|^2, for symmetric A: from a zero start the answer is in the range of A by
/// construction, whatever rounding does to z. [AM22, sec. 5.2]
///
/// Differs from the paper: z is found by minimum residuals on the semidefinite A^2, not by a gradient map. Two products
/// an iteration, one more a pass for x = A z. The condition number enters squared: beyond about 1e4 it stagnates where
/// the other solvers still converge. Ends as Lsqr does for inconsistent systems.
class Reparametrised final : public LinearSolver {
 public:
  using Options = LinearStop;

  Reparametrised();
  explicit Reparametrised(Options options);

  const Options& options() const { return options_; }
  std::string_view name() const override { return "reparametrised"; }
  Requirements requirements() const override { return {.symmetric = true}; }

 private:
  Summary do_solve(const LinearOperator& A, const Vec& b, const Vec* warm_start) const override;

  Options options_;
};

/// The names that make_linear_solver knows.
const std::vector<std::string>& linear_solver_names();

/// A solver by name, without damping. Throws InvalidOption for an unknown name (with the nearest known one) and for
/// values that LinearStop does not allow.
std::unique_ptr<LinearSolver> make_linear_solver(std::string_view name, double tolerance, Index max_iterations);

}  // namespace bilevel
