// Linear operators known only by their products, and iterative solvers for A x = b that say how they ended.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

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
    /// converged: the tolerance was met by the true residual. budget_reached: x is the last iterate. stagnated:
    /// rounding forbids a smaller residual. breakdown: see `negative_curvature`. nonfinite: a NaN or infinity appeared.
    /// After the last three x is the iterate with the smallest residual.
    Status status = Status::budget_reached;
    Index iterations = 0;
    Index products = 0;            // with A or its adjoint, all included
    double residual = 0;           // |b - A x|, recomputed from x
    double relative_residual = 0;  // residual / |b|; 0 if b = 0
    /// On breakdown: d with d' A d negative, or zero up to rounding: at most 10 epsilon |A| |d|^2.
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
  struct Options {
    /// Stops at |b - A x| <= tolerance |b|; in [0, 1). 0 runs until the budget or until rounding forbids progress.
    double tolerance = 1e-10;
    /// At least 0; 0 means ten times the dimension.
    Index max_iterations = 0;
  };

  ConjugateGradient();
  /// Throws InvalidOption for values out of range.
  explicit ConjugateGradient(Options options);

  const Options& options() const { return options_; }
  std::string_view name() const override { return "cg"; }
  Requirements requirements() const override { return {.symmetric = true}; }

 private:
  Summary do_solve(const LinearOperator& A, const Vec& b, const Vec* warm_start) const override;

  Options options_;
};

}  // namespace bilevel
