// The frame of the solvers for singular systems: passes on the true residual, and a truthful end.
#pragma once

#include <string>

#include "bilevel/linear.hpp"
#include "linear/scaling.hpp"

namespace bilevel {

/// One solve. A solver provides `pass`; everything is in units of `power_of_two_near(b)`.
class Refinement {
 public:
  /// How a pass ended, by its own recurrences; the frame believes none of it.
  enum class Ending { solved, least_squares, budget, nonfinite };

  /// `budget` in iterations. `b` must be finite and not zero; `A` and `b` must outlive the solve.
  Refinement(std::string_view name, const LinearOperator& A, const Vec& b, double tolerance, Index budget);
  virtual ~Refinement() = default;

  /// From *warm_start, or from zero.
  LinearSolver::Summary solve(const Vec* warm_start);

 protected:
  /// Sets d (zero at the call) so that |r - A d| is smaller than |r|, r the true residual. Counts at least one
  /// iteration with `next_iteration`.
  virtual Ending pass(const Vec& r, Vec& d) = 0;

  /// Called once x is a least-squares answer: `moved` = x - start may change along the kernel of A.
  virtual void settle(Vec& /*moved*/, const Vec& /*r*/) {}

  /// The status of a least-squares answer to an inconsistent system, and how its message begins.
  virtual Status least_squares_status() const { return Status::converged; }
  virtual std::string_view least_squares_words() const { return "least squares: |A'r|"; }

  /// Takes the part along r out of `moved`: a Krylov space that r starts meets the kernel in the line of the
  /// least-squares residual only. [Liu, Milzarek and Roosta 2023]
  static void remove_along(const Vec& r, Vec& moved);

  Vec product(const Vec& v);
  Vec adjoint_product(const Vec& u);

  /// False once the budget is used up; otherwise counts one.
  bool next_iteration();

  /// Takes note of |A v| / |v|, a lower bound of |A|.
  void observe(double ratio);

  double size() const { return size_; }
  /// Of |r|, where a pass may stop: rounding makes a recurrence below epsilon |b| meaningless.
  double trusted() const;
  /// Of |A' r| / (|A| |r|), where r is taken for orthogonal to the range of A.
  double level() const;

 private:
  double target() const { return tolerance_ * norm_b_; }
  double noise() const { return 10 * kEpsilon * (norm_b_ + size_ * scaled_norm(x_)); }

  LinearSolver::Summary iterate();
  LinearSolver::Summary finish_least_squares();
  LinearSolver::Summary finish(Status status, const std::string& reason);

  std::string_view name_;
  const LinearOperator& A_;
  double unit_;
  Vec b_;
  double norm_b_;
  double tolerance_;
  Index budget_;
  Vec start_, x_, r_;
  double size_ = 0;
  LinearSolver::Summary summary_;
};

}  // namespace bilevel
