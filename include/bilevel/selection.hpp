// Selection maps: which critical point of g(x, .) a follower at y answers, and how that answer moves with x.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "bilevel/linear.hpp"
#include "bilevel/lower.hpp"

namespace bilevel {

/// What a selection answered: phi(x, y).
struct Selection {
  Vec y;  // R^m
  /// converged: critical to the selection's tolerance. Every other status says why y is not, or that there is no y.
  Status status = Status::converged;
  double residual = 0;   // |g_y(x, phi(x, y))|
  Index iterations = 0;  // steps of the map, iterations of the solver or of the integrator
  OracleCounts work;     // calls of the follower's oracles, those of other threads at the same time included
  std::string message;   // how it ended, with numbers
};

/// What the derivative of a selection is the derivative of.
enum class SelectionDerivative {
  finite_map,      // exactly that of the finite map, whether or not its answer is critical
  flow_limit,      // U_infinity of the gradient flow [AM22, Thm 2]
  pseudo_inverse,  // -B H+ at the answer: that of the flow where the start is critical too [AM22, (4)]
};
std::string_view to_string(SelectionDerivative derivative);

/// A product with the derivative of a selection.
struct SelectionProduct {
  Vec value;  // empty where the status is not converged
  /// breakdown: phi is not differentiable at this point; the message says what was found.
  Status status = Status::converged;
  std::string message;
};

/// The derivative of x -> f(x, phi(x, y)) with y held.
struct SelectionHypergradient {
  Vec gradient;      // f_x + d_x phi f_y in R^n; empty where the status is not converged
  double upper = 0;  // f(x, phi(x, y))
  Selection answer;
  Status status = Status::converged;
  std::string message;
};

/// phi(x, y) picks one critical point of g(x, .) given the follower's present y [AM22, Def. 1]:
///   criticality        g_y(x, phi(x, y)) = 0
///   self-consistency   phi(x, y) = y where g_y(x, y) = 0 already
/// Each selection says which of the two it has; check_selection measures both.
///
/// The public calls check shapes (DimensionMismatch) and answer points that are not finite by Status::nonfinite; the
/// private virtuals do the work. Calls from several threads are allowed where the objective allows them.
class SelectionMap {
 public:
  /// The selection recorded at one (x, y): the answer, and products with d_x phi (n x m, the convention of [AM22]).
  /// Must not outlive the selection. Not to be shared by threads.
  class Point {
   public:
    virtual ~Point() = default;
    const Selection& answer() const { return answer_; }
    /// d_x phi v in R^n for v in R^m.
    SelectionProduct pull_back(const Vec& v) const;
    /// (d_x phi)' dx in R^m for dx in R^n: how the answer moves.
    SelectionProduct push_forward(const Vec& dx) const;

   protected:
    Point(const SelectionMap& selection, Selection answer);

   private:
    friend class SelectionMap;
    virtual SelectionProduct do_pull_back(const Vec& v) const = 0;
    virtual SelectionProduct do_push_forward(const Vec& dx) const = 0;

    Index dim_x_, dim_y_;
    Selection answer_;
  };

  virtual ~SelectionMap() = default;

  /// phi(x, y) alone.
  Selection select(const Vec& x, const Vec& y) const;
  /// phi(x, y) with what its derivative needs.
  std::unique_ptr<const Point> record(const Vec& x, const Vec& y) const;
  /// d_x phi(x, y) v, from a new record.
  SelectionProduct pull_back(const Vec& x, const Vec& y, const Vec& v) const;
  /// (d_x phi(x, y))' dx, from a new record.
  SelectionProduct push_forward(const Vec& x, const Vec& y, const Vec& dx) const;
  /// f_x + d_x phi f_y at (x, phi(x, y)): one record, one pull-back.
  SelectionHypergradient hypergradient(const Objective& upper, const Vec& x, const Vec& y) const;

  const Objective& lower() const { return *lower_; }
  virtual SelectionDerivative derivative() const = 0;
  /// Names the selection and its parameters, for messages.
  virtual std::string describe() const = 0;

 protected:
  /// Throws InvalidInput if there is no objective, MissingOracle if it has no grad_y.
  explicit SelectionMap(std::shared_ptr<const Objective> lower);

 private:
  virtual Selection do_select(const Vec& x, const Vec& y) const = 0;
  virtual std::unique_ptr<Point> do_record(const Vec& x, const Vec& y) const = 0;
  void check_point(const Vec& x, const Vec& y) const;

  std::shared_ptr<const Objective> lower_;
};

/// K steps of a map from y.  [AM22, sec. 5.1: "phi_T is not a selection"]
///   criticality        in the limit K -> infinity only; `converged` where |g_y| <= tolerance max(1, |g_y(x, y)|),
///                      otherwise `budget_reached`
///   self-consistency   exact if the map fixes critical points, as gradient descent does
/// The derivative is exact for the finite map, converged or not. A record keeps K points: K point_bytes() of memory.
class UnrolledSelection final : public SelectionMap {
 public:
  struct Options {
    Index steps = 100;        // K >= 1
    double tolerance = 1e-8;  // >= 0; only names the status
  };

  /// `map` must be one of `lower`.
  UnrolledSelection(std::shared_ptr<const Objective> lower, std::shared_ptr<const StepMap> map, Options options);

  SelectionDerivative derivative() const override { return SelectionDerivative::finite_map; }
  std::string describe() const override;

 private:
  class Recorded;
  Selection do_select(const Vec& x, const Vec& y) const override;
  std::unique_ptr<Point> do_record(const Vec& x, const Vec& y) const override;
  Selection finish(const Vec& x, Vec y, double first_residual, Index steps) const;

  std::shared_ptr<const StepMap> map_;
  Options options_;
};

/// A lower solver run to its tolerance, from y.
///   criticality        to the tolerance of the solver
///   self-consistency   exact where |g_y(x, y)| already meets the tolerance: the solver returns its start. From other
///                      starts the point that is reached is the solver's choice; a line search may cross a ridge.
/// The derivative is -B H+ at the answer [AM22, Thm 2], by a linear solver for singular systems. It is no derivative,
/// and said so by `breakdown`, where the solve shows that H has negative curvature along its answer, or that B' leaves
/// the range of H: in push_forward for that dx, in pull_back where B P_ker(H) v is not 0.
class SolverSelection final : public SelectionMap {
 public:
  /// `linear` must accept symmetric singular operators: "minres", "reparametrised", "lsqr" of make_linear_solver.
  SolverSelection(std::shared_ptr<const Objective> lower, std::shared_ptr<const LowerSolver> solver,
                  LowerSolver::Options options, std::shared_ptr<const LinearSolver> linear);

  SelectionDerivative derivative() const override { return SelectionDerivative::pseudo_inverse; }
  std::string describe() const override;

 private:
  class Recorded;
  Selection do_select(const Vec& x, const Vec& y) const override;
  std::unique_ptr<Point> do_record(const Vec& x, const Vec& y) const override;

  std::shared_ptr<const LowerSolver> solver_;
  LowerSolver::Options options_;
  std::shared_ptr<const LinearSolver> linear_;
};

/// phi(x, A^M(x, y)): M steps of a map, not differentiated, then another selection.  [AM22, Alg. 1]
///   criticality        as the selection has it
///   self-consistency   as the selection has it, if the map fixes critical points
/// The derivative is that of the selection at A^M(x, y): what M more steps would have moved with x is left out, which
/// is nothing only where the start is critical or the answer does not depend on the start.
class WarmStartedSelection final : public SelectionMap {
 public:
  /// steps M >= 0, else InvalidOption.
  WarmStartedSelection(std::shared_ptr<const StepMap> map, Index steps, std::shared_ptr<const SelectionMap> selection);

  SelectionDerivative derivative() const override { return selection_->derivative(); }
  std::string describe() const override;

 private:
  class Recorded;
  Selection do_select(const Vec& x, const Vec& y) const override;
  std::unique_ptr<Point> do_record(const Vec& x, const Vec& y) const override;
  Vec warm(const Vec& x, const Vec& y) const;

  std::shared_ptr<const StepMap> map_;
  Index steps_;
  std::shared_ptr<const SelectionMap> selection_;
};

}  // namespace bilevel
