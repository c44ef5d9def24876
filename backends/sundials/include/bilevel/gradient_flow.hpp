// The gradient flow of the follower as a selection, with its sensitivities: the optional component
// Bilevel::gradient_flow, integrated by SUNDIALS CVODES.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "bilevel/selection.hpp"

namespace bilevel {

struct GradientFlowOptions {
  /// The flow has converged where |g_y| <= tolerance max(1, |g_y(x, y)|); in (0, 1). It is then followed on, as far as
  /// the integrator comes, until |g_y| over the smallest nonzero curvature, about the distance to the limit, is below
  /// tolerance (1 + |y|).
  double tolerance = 1e-9;
  /// A sensitivity has converged where |dS/dt| <= this times the largest of its terms; in (0, 1).
  double sensitivity_tolerance = 1e-9;
  double relative_accuracy = 1e-9;   // of one step of the integrator, in [1e-14, 1e-1]
  double absolute_accuracy = 1e-11;  // the same in the unit of y, > 0
  double end_time = 1e15;            // the flow's own time, > 0; ends `budget_reached` there
  Index max_steps = 10000;           // of the integrator, >= 1, for each integration
  Index max_products = 10'000'000;   // with H, B and B' together, >= 1, for each call
  Index krylov_dimension = 30;       // vectors that the Krylov solver keeps, >= 1
  Index steps_per_checkpoint = 200;  // between checkpoints of the adjoint, >= 1
  const std::atomic<bool>* interrupt = nullptr;
};

/// Y and its derivative in chosen directions of x.
struct FlowSensitivity {
  Selection answer;       // with Y
  Eigen::MatrixXd moves;  // m x k: column j is U' dx_j, empty where the status is not converged
  double time = 0;        // of the flow
  Status status = Status::converged;
  std::string message;
};

/// phi(x, y) = the limit of dY/dt = -g_y(x, Y), Y(0) = y.  [AM22, (GF), Prop. 2]
///   criticality        to `tolerance`
///   self-consistency   exact up to rounding of g_y; beside critical points it moves y by about the distance to one
///
/// Y by CVODES: backward differentiation of order 1 to 5 with Newton-Krylov steps (SPGMR) whose only access to H is its
/// product with a vector. Forward sensitivities S = U' dx: dS/dt = -(B' dx + H S), S(0) = 0 [AM22, (2)], in the same
/// integration. Adjoint, for d_x phi v: the flow's end is followed to rest with H and B frozen,
/// lambda' = -H lambda from v, and from what is left of lambda there (its part in ker H) back to the start,
///
///     d_x phi v = - integral of B lambda dt over both parts,
///
/// the second between checkpoints of the flow. Forward and adjoint agree to the accuracy asked for. A record keeps the
/// checkpoints (some vectors each) and the states between two of them.
///
/// Where the limit is not differentiable the product ends in `breakdown` and has no value:
///   "the flow ends at a saddle"             H has a clearly negative curvature at the answer (below -1e-6 |H|): found
///                                           by at most 60 products of Lanczos, or in the direction in which S grows
///   "the follower is not Morse-Bott here"   S grows linearly: B' dx has a part in ker H [AM22, Prop. 6]
/// Eigenvalues of H within 1e-6 |H| of 0 count as kernel there; a condition number above that is out of reach.
///
/// Needs grad_y and hess_yy; pull_back also hess_xy; push_forward and sensitivity also hess_yx.
class GradientFlow final : public SelectionMap {
 public:
  /// Throws InvalidOption for options out of range.
  explicit GradientFlow(std::shared_ptr<const Objective> lower, GradientFlowOptions options = {});

  const GradientFlowOptions& options() const { return options_; }
  SelectionDerivative derivative() const override { return SelectionDerivative::flow_limit; }
  std::string describe() const override;

  /// The limit and its derivative in the k columns of `directions` (n x k), in one integration.
  FlowSensitivity sensitivity(const Vec& x, const Vec& y, const Eigen::MatrixXd& directions) const;

  /// The flow and its derivative at a time >= 0, converged or not; `directions` is n x k, k may be 0.
  FlowSensitivity at_time(const Vec& x, const Vec& y, double time, const Eigen::MatrixXd& directions) const;

 private:
  class Recorded;
  Selection do_select(const Vec& x, const Vec& y) const override;
  std::unique_ptr<Point> do_record(const Vec& x, const Vec& y) const override;
  void check_directions(const Vec& x, const Vec& y, const Eigen::MatrixXd& directions) const;

  GradientFlowOptions options_;
};

}  // namespace bilevel
