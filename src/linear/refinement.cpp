#include "linear/refinement.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace bilevel {

namespace {

// A loose tolerance must not make a moderate condition number look like a singular operator, and the kernel's part of x
// can only be removed along an r that is almost free of A's range.
constexpr double kLoosestLevel = 1e-10;
// sqrt(epsilon): where rounding of r hides more than half of its digits, nothing is concluded from A' r.
constexpr double kLoosestReachable = 1.5e-8;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

Refinement::Refinement(std::string_view name, const LinearOperator& A, const Vec& b, double tolerance, Index budget)
    : name_(name),
      A_(A),
      unit_(power_of_two_near(b)),
      b_(b / unit_),
      norm_b_(norm(b_)),
      tolerance_(tolerance),
      budget_(budget) {}

void Refinement::remove_along(const Vec& r, Vec& moved) {
  const Vec kernel = r / scaled_norm(r);
  moved -= dot(kernel, moved) * kernel;
}

Vec Refinement::product(const Vec& v) {
  ++summary_.products;
  return A_.apply(v);
}

Vec Refinement::adjoint_product(const Vec& u) {
  ++summary_.products;
  return A_.apply_adjoint(u);
}

bool Refinement::next_iteration() {
  if (summary_.iterations >= budget_) return false;
  ++summary_.iterations;
  return true;
}

void Refinement::observe(double ratio) {
  if (std::isfinite(ratio)) size_ = std::max(size_, ratio);
}

double Refinement::trusted() const { return std::max(tolerance_, kEpsilon) * norm_b_; }

double Refinement::level() const { return std::clamp(tolerance_, 10 * kEpsilon, kLoosestLevel); }

LinearSolver::Summary Refinement::solve(const Vec* warm_start) {
  start_ = warm_start ? Vec(*warm_start / unit_) : Vec(Vec::Zero(A_.cols()));
  x_ = start_;
  r_ = (x_.array() == 0.0).all() ? b_ : Vec(b_ - product(x_));
  if (!std::isfinite(scaled_norm(r_)) || !all_finite(r_)) {
    x_.setZero();
    r_ = b_;
    return finish(Status::nonfinite, "the product of the operator with the start is not finite");
  }
  return iterate();
}

LinearSolver::Summary Refinement::iterate() {
  double least_normal = std::numeric_limits<double>::infinity();  // |A' r| at the last check
  for (;;) {
    const double before = scaled_norm(r_);
    if (before <= target()) return finish(Status::converged, {});
    Vec d = Vec::Zero(A_.cols());
    const Ending ending = pass(r_, d);
    const Vec next = x_ + d;
    const Vec r = all_finite(next) ? Vec(b_ - product(next)) : Vec(Vec::Constant(b_.size(), kNaN));
    const bool finite = all_finite(r);
    const double after = finite ? scaled_norm(r) : std::numeric_limits<double>::infinity();
    // At a least-squares answer |r| no longer shows progress; |A' r| does.
    if (after < before || (ending == Ending::least_squares && after <= before + noise())) {
      x_ = next;
      r_ = r;
    }
    if (ending == Ending::nonfinite) {
      return finish(Status::nonfinite,
                    fmt::format("the operator's product at iteration {} is not finite", summary_.iterations));
    }
    if (!finite) {
      return finish(Status::nonfinite, fmt::format("the iterate overflowed by iteration {}", summary_.iterations));
    }
    if (scaled_norm(r_) <= target()) return finish(Status::converged, {});
    if (ending == Ending::budget) {
      return finish(Status::budget_reached, fmt::format("the budget of {} iterations is used up", budget_));
    }
    if (ending == Ending::least_squares) {
      const double residual = scaled_norm(r_);
      const double normal = scaled_norm(adjoint_product(r_));
      // Rounding of r may be all that A' r consists of, but a small r shows nothing by that.
      const double reachable = std::max(level(), noise() / residual);
      if (reachable <= kLoosestReachable && normal <= reachable * size_ * residual) return finish_least_squares();
      if (normal < 0.5 * least_normal) {
        least_normal = normal;
        continue;
      }
    } else if (after < 0.5 * before) {
      continue;
    }
    return finish(Status::stagnated, "rounding forbids a smaller residual");
  }
}

LinearSolver::Summary Refinement::finish_least_squares() {
  Vec moved = x_ - start_;
  settle(moved, r_);
  const Vec settled = start_ + moved;
  if (settled != x_) {
    const Vec r = b_ - product(settled);
    if (scaled_norm(r) <= scaled_norm(r_) + noise()) {
      x_ = settled;
      r_ = r;
    }
  }
  const double normal = scaled_norm(adjoint_product(r_));
  summary_.consistent = false;
  return finish(least_squares_status(), fmt::format("{} = {:.3g}, |r| = {:.3g}", least_squares_words(), normal * unit_,
                                                    scaled_norm(r_) * unit_));
}

LinearSolver::Summary Refinement::finish(Status status, const std::string& reason) {
  const double residual = norm(r_);
  summary_.x = x_ * unit_;
  summary_.residual = residual * unit_;
  summary_.relative_residual = residual / norm_b_;
  summary_.status = status;
  summary_.message = fmt::format("{} {} after {} iterations with |b - A x| = {:.3g} ({:.3g} of |b|){}{}", name_,
                                 to_string(status), summary_.iterations, summary_.residual, summary_.relative_residual,
                                 reason.empty() ? "" : ": ", reason);
  return summary_;
}

}  // namespace bilevel
