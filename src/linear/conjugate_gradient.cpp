#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "bilevel/linear.hpp"
#include "linear/scaling.hpp"

namespace bilevel {

namespace {

/// Symbols: x iterate, r = b - A x by recurrence, d direction, q = A d; all in R^n and scaled by 1/`unit`.
class Run {
 public:
  Run(const LinearOperator& A, const Vec& b, double unit, const ConjugateGradient::Options& options)
      : A_(A), b_(b), unit_(unit), options_(options), budget_(options.max_iterations) {
    if (budget_ == 0) budget_ = 10 * b.size();
  }

  LinearSolver::Summary solve(const Vec& start) {
    x_ = start;
    const bool at_zero = (x_.array() == 0.0).all();
    r_ = at_zero ? b_ : Vec(b_ - product(x_));
    best_x_ = x_;
    best_ = norm(r_);
    true_residual_ = best_;
    if (!std::isfinite(best_)) {
      x_.setZero();
      best_x_ = x_;
      true_residual_ = norm(b_);
      best_ = *true_residual_;
      return finish(Status::nonfinite, "the product of the operator with the start is not finite");
    }
    if (best_ <= target()) return finish(Status::converged, {});
    return iterate();
  }

 private:
  // The recurrence's residual drifts away from b - A x; below rounding level it means nothing.
  double target() const { return options_.tolerance * norm(b_); }
  double trusted() const { return std::max(options_.tolerance, kEpsilon) * norm(b_); }

  Vec product(const Vec& v) {
    ++summary_.products;
    return A_.apply(v);
  }

  LinearSolver::Summary iterate() {
    Vec d = r_;
    double rr = dot(r_, r_);
    double checked = std::numeric_limits<double>::infinity();  // true residual at the last check
    while (summary_.iterations < budget_) {
      const Vec q = product(d);
      ++summary_.iterations;
      const double dd = dot(d, d);
      const double dq = dot(d, q);
      if (!std::isfinite(dq) || !all_finite(q)) {
        return finish(Status::nonfinite,
                      fmt::format("the operator's product at iteration {} is not finite", summary_.iterations));
      }
      size_ = std::max(size_, scaled_norm(q) / std::sqrt(dd));
      // Also where definiteness was promised: a broken promise would send x off along the kernel, far and unnoticed.
      const double noise = 10 * kEpsilon * size_ * dd;
      if (dq <= noise) {
        summary_.negative_curvature = d * unit_;
        summary_.curvature = dq / dd;
        return finish(
            Status::breakdown,
            fmt::format("a direction of curvature {:.3g} was met at iteration {} (|A| is at least {:.3g}): "
                        "the operator is {}",
                        summary_.curvature, summary_.iterations, size_,
                        std::abs(dq) <= noise ? "singular and the system inconsistent" : "not positive definite"));
      }
      const double step = rr / dq;
      x_ += step * d;
      true_residual_.reset();
      r_ -= step * q;
      const double rr_next = dot(r_, r_);
      if (!std::isfinite(rr_next)) {
        return finish(Status::nonfinite, fmt::format("the residual overflowed at iteration {}", summary_.iterations));
      }
      const double recurrence = std::sqrt(rr_next);
      if (recurrence <= trusted()) {
        r_ = b_ - product(x_);
        const double residual = norm(r_);
        true_residual_ = residual;
        remember(residual);
        if (residual <= target()) return finish(Status::converged, {});
        if (!(residual < 0.5 * checked)) return finish(Status::stagnated, "rounding forbids a smaller residual");
        checked = residual;
        d = r_;
        rr = dot(r_, r_);
        continue;
      }
      remember(recurrence);
      d = r_ + (rr_next / rr) * d;
      rr = rr_next;
    }
    return finish(Status::budget_reached, fmt::format("the budget of {} iterations is used up", budget_));
  }

  void remember(double residual) {
    if (residual < best_) {
      best_ = residual;
      best_x_ = x_;
    }
  }

  LinearSolver::Summary finish(Status status, const std::string& reason) {
    if (status != Status::converged && status != Status::budget_reached && best_x_ != x_) {
      x_ = best_x_;
      true_residual_.reset();
    }
    const double residual = true_residual_ ? *true_residual_ : norm(b_ - product(x_));
    summary_.relative_residual = residual / norm(b_);
    summary_.residual = residual * unit_;
    summary_.x = x_ * unit_;
    // A budget that ends exactly where the tolerance is met has not failed.
    summary_.status = status == Status::budget_reached && residual <= target() ? Status::converged : status;
    summary_.message = fmt::format("cg {} after {} iterations with |b - A x| = {:.3g} ({:.3g} of |b|){}{}",
                                   to_string(summary_.status), summary_.iterations, summary_.residual,
                                   summary_.relative_residual, reason.empty() ? "" : ": ", reason);
    return summary_;
  }

  const LinearOperator& A_;
  const Vec& b_;
  double unit_;
  const ConjugateGradient::Options& options_;
  Index budget_;
  Vec x_, r_, best_x_;
  double best_ = 0;
  std::optional<double> true_residual_;  // |b - A x| where it was computed for the present x
  double size_ = 0;                      // largest |A d| / |d| so far, a lower bound of |A|
  LinearSolver::Summary summary_;
};

}  // namespace

ConjugateGradient::ConjugateGradient() : ConjugateGradient(Options{}) {}

ConjugateGradient::ConjugateGradient(Options options) : options_(options) {
  check_stop("cg", options, "ten times the dimension");
}

LinearSolver::Summary ConjugateGradient::do_solve(const LinearOperator& A, const Vec& b, const Vec* warm_start) const {
  if (auto answer = answer_without_iteration(name(), A.cols(), b, warm_start)) return *answer;
  const double unit = power_of_two_near(b);
  const Vec scaled = b / unit;
  return Run(A, scaled, unit, options_).solve(warm_start ? Vec(*warm_start / unit) : Vec(Vec::Zero(A.cols())));
}

}  // namespace bilevel
