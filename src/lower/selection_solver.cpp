#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "bilevel/selection.hpp"

namespace bilevel {

/// With H s = b and r = b - H s (the part of b in ker H, for the least-squares solution), the derivative is
///   push_forward   s for b = -B' dx; r must vanish, or the answer moves along ker H without bound
///   pull_back     -B s for b = v; B r must vanish, for the same reason
class SolverSelection::Recorded final : public SelectionMap::Point {
 public:
  Recorded(const SolverSelection& selection, Selection answer, Linearization at)
      : Point(selection, std::move(answer)),
        selection_(selection),
        at_(std::move(at)),
        hessian_(
            LinearOperator::symmetric(selection.lower().dim_y(), [this](const Vec& v) { return at_.hess_yy(v); })) {}

 private:
  static constexpr double kRounding = 1e-8;  // relative size of what counts as zero: half of the digits

  SelectionProduct do_pull_back(const Vec& v) const override {
    auto [solved, refusal] = solve(v);
    if (!refusal.message.empty()) return refusal;
    const Vec outside = v - at_.hess_yy(solved.x);
    const double leak = norm(at_.hess_xy(outside));
    const double scale = norm(at_.hess_xy(v)) + norm(at_.hess_xy(solved.x));
    if (!solved.consistent && leak > 1e2 * kRounding * scale) return leaves_range(leak, scale);
    return {-at_.hess_xy(solved.x), Status::converged, std::move(solved.message)};
  }

  SelectionProduct do_push_forward(const Vec& dx) const override {
    const Vec b = -at_.hess_yx(dx);
    auto [solved, refusal] = solve(b);
    if (!refusal.message.empty()) return refusal;
    if (!solved.consistent && solved.relative_residual > 1e2 * kRounding) return leaves_range(solved.residual, norm(b));
    return {std::move(solved.x), Status::converged, std::move(solved.message)};
  }

  std::pair<LinearSolver::Summary, SelectionProduct> solve(const Vec& b) const {
    if (answer().status != Status::converged) return {{}, {{}, Status::lower_failed, answer().message}};
    auto solved = selection_.linear_->solve(hessian_, b);
    const bool solves = solved.status == Status::converged || !solved.consistent ||
                        (solved.status == Status::stagnated && solved.relative_residual <= kRounding);
    if (!solves) return {solved, {{}, solved.status, fmt::format("the system with H: {}", solved.message)}};
    const double length = norm(solved.x);
    const double curvature = dot(solved.x, at_.hess_yy(solved.x));
    if (curvature < -kRounding * length * norm(at_.hess_yy(solved.x))) {
      return {solved,
              {{},
               Status::breakdown,
               fmt::format("the answer is a saddle of the follower: s'Hs/|s|^2 = {:.3g} is negative, so the selection "
                           "has no derivative there",
                           curvature / (length * length))}};
    }
    return {std::move(solved), {}};
  }

  static SelectionProduct leaves_range(double part, double whole) {
    return {{},
            Status::breakdown,
            fmt::format("the follower is not Morse-Bott here: B' leaves the range of H (a part of {:.3g} in {:.3g})",
                        part, whole)};
  }

  const SolverSelection& selection_;
  Linearization at_;
  LinearOperator hessian_;
};

SolverSelection::SolverSelection(std::shared_ptr<const Objective> lower, std::shared_ptr<const LowerSolver> solver,
                                 LowerSolver::Options options, std::shared_ptr<const LinearSolver> linear)
    : SelectionMap(std::move(lower)), solver_(std::move(solver)), options_(options), linear_(std::move(linear)) {
  if (!solver_) throw InvalidInput("a selection by a solver needs a lower solver, but got none");
  if (!linear_) throw InvalidInput("a selection by a solver needs a linear solver for its derivative, but got none");
  if (linear_->requirements().positive_definite) {
    throw InvalidInput(
        fmt::format("a selection by a solver needs a linear solver for singular systems, but {} asks for "
                    "a positive definite operator",
                    linear_->name()));
  }
}

std::string SolverSelection::describe() const {
  return fmt::format("{} to tolerance {:.3g}", solver_->name(), options_.tolerance);
}

Selection SolverSelection::do_select(const Vec& x, const Vec& y) const {
  auto solved = solver_->solve(lower(), x, y, options_);
  return {std::move(solved.y), solved.status, solved.residual, solved.iterations, {}, std::move(solved.message)};
}

std::unique_ptr<SelectionMap::Point> SolverSelection::do_record(const Vec& x, const Vec& y) const {
  auto answer = do_select(x, y);
  auto at = lower().linearize(x, all_finite(answer.y) ? answer.y : y);
  return std::make_unique<Recorded>(*this, std::move(answer), std::move(at));
}

}  // namespace bilevel
