#include <cmath>

#include <fmt/format.h>

#include "linear/refinement.hpp"

namespace bilevel {

namespace {

/// Symbols: u, v bidiagonalisation vectors of R^rows and R^cols; alpha, beta its entries; w direction of d; rho_bar,
/// theta what the last plane rotation leaves; phi_bar = |r - A d|.
class Run final : public Refinement {
 public:
  using Refinement::Refinement;

 private:
  Ending pass(const Vec& r, Vec& d) override {
    if (!next_iteration()) return Ending::budget;
    double phi_bar = scaled_norm(r);
    Vec u = r / phi_bar;
    Vec v = adjoint_product(u);
    double alpha = scaled_norm(v);
    if (!all_finite(v) || !std::isfinite(alpha)) return Ending::nonfinite;
    observe(alpha);
    if (alpha == 0) return Ending::least_squares;
    v /= alpha;
    Vec w = v;
    double rho_bar = alpha;
    do {
      u = product(v) - alpha * u;
      const double beta = scaled_norm(u);
      if (!all_finite(u) || !std::isfinite(beta)) return Ending::nonfinite;
      observe(std::hypot(alpha, beta));
      if (beta > 0) {
        u /= beta;
        v = adjoint_product(u) - beta * v;
        alpha = scaled_norm(v);
        if (!all_finite(v) || !std::isfinite(alpha)) return Ending::nonfinite;
        observe(std::hypot(alpha, beta));
        if (alpha > 0) v /= alpha;
      } else {
        alpha = 0;
      }
      const double rho = std::hypot(rho_bar, beta);
      const double cosine = rho_bar / rho, sine = beta / rho;
      d += (cosine * phi_bar / rho) * w;
      phi_bar *= sine;
      if (phi_bar <= trusted() || beta == 0) return Ending::solved;
      if (alpha * std::abs(cosine) <= level() * size()) return Ending::least_squares;
      w = v - (sine * alpha / rho) * w;
      rho_bar = -cosine * alpha;
    } while (next_iteration());
    return Ending::budget;
  }
};

/// [A; damping I] from R^cols to R^(rows + cols).
LinearOperator with_damping(const LinearOperator& A, double damping) {
  const Index rows = A.rows(), cols = A.cols();
  return LinearOperator(
      rows + cols, cols,
      [A, damping, rows, cols](const Vec& v) -> Vec {
        Vec stacked(rows + cols);
        stacked << A.apply(v), damping * v;
        return stacked;
      },
      [A, damping, rows, cols](const Vec& u) -> Vec { return A.apply_adjoint(u.head(rows)) + damping * u.tail(cols); });
}

}  // namespace

Lsqr::Lsqr() : Lsqr(Options{}) {}

Lsqr::Lsqr(Options options) : options_(options) {
  check_stop("lsqr", {options.tolerance, options.max_iterations}, "ten times the rows plus columns");
  if (!(options.damping >= 0 && std::isfinite(options.damping))) {
    throw InvalidOption(fmt::format("lsqr's damping is {}, but it must be finite and at least 0", options.damping));
  }
}

LinearSolver::Summary Lsqr::do_solve(const LinearOperator& A, const Vec& b, const Vec* warm_start) const {
  if (auto answer = answer_without_iteration(name(), A.cols(), b, warm_start)) return *answer;
  const Index budget = options_.max_iterations > 0 ? options_.max_iterations : 10 * (A.rows() + A.cols());
  if (options_.damping == 0) return Run(name(), A, b, options_.tolerance, budget).solve(warm_start);
  Vec stacked = Vec::Zero(A.rows() + A.cols());
  stacked.head(A.rows()) = b;
  const LinearOperator damped = with_damping(A, options_.damping);
  Summary summary = Run("lsqr (damped)", damped, stacked, options_.tolerance, budget).solve(warm_start);
  const Vec residual = b - A.apply(summary.x);
  ++summary.products;
  summary.residual = scaled_norm(residual);
  summary.relative_residual = summary.residual / scaled_norm(b);
  return summary;
}

}  // namespace bilevel
