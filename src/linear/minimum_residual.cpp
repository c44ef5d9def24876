#include "linear/minimum_residual.hpp"

#include <algorithm>
#include <cmath>

#include "linear/lanczos.hpp"

namespace bilevel {

namespace {

// Minimum residuals reach |M r| of about sqrt(epsilon) |M| |r| on an inconsistent system before d runs away; this is
// safely above.
constexpr double kLeastSquaresLevel = 1e-7;
// Far above rounding, where minimum residuals on a singular operator is safe.
constexpr double kPassReduction = 1e-6;

}  // namespace

/// Symbols: v, v_old Lanczos vectors; alpha, beta the tridiagonal's entries; cosine, sine the last plane rotation;
/// gamma_bar, delta, epsilon the entries it leaves in the column at work; w directions; phi_bar = |r - M d|.
Refinement::Ending MinimumResidual::run(const Vec& r, Vec& d, double target) {
  using Ending = Refinement::Ending;
  double phi_bar = scaled_norm(r);
  Lanczos lanczos(r, phi_bar);
  const Vec& v = lanczos.v;
  const double &alpha = lanczos.alpha, &beta_next = lanczos.beta_next;
  Vec w = Vec::Zero(r.size()), w_old = w;
  double cosine = -1, sine = 0, delta_bar = 0, epsilon = 0;
  for (;;) {
    if (!next_iteration_()) return Ending::budget;
    if (!lanczos.orthogonalise(apply_(v))) return Ending::nonfinite;
    size_ = std::max(size_, lanczos.column_size());

    const double delta = cosine * delta_bar + sine * alpha;
    const double gamma_bar = sine * delta_bar - cosine * alpha;
    const double epsilon_old = epsilon;
    epsilon = sine * beta_next;
    delta_bar = -cosine * beta_next;
    // |M (r - M d)| / |r - M d| for the d before this update, which would divide by (almost) zero.
    if (std::hypot(gamma_bar, delta_bar) <= kLeastSquaresLevel * size_) return Ending::least_squares;

    const double gamma = std::hypot(gamma_bar, beta_next);
    cosine = gamma_bar / gamma;
    sine = beta_next / gamma;
    const Vec w_next = (v - epsilon_old * w_old - delta * w) / gamma;
    d += cosine * phi_bar * w_next;
    phi_bar *= sine;
    if (phi_bar <= target || beta_next == 0) return Ending::solved;

    w_old = w;
    w = w_next;
    lanczos.advance();
  }
}

Refinement::Ending MinimumResidual::run_in_range(const Vec& r, Vec& d) {
  using Ending = Refinement::Ending;
  if (!next_iteration_()) return Ending::budget;
  const Vec s = apply_(r);
  if (!all_finite(s)) return Ending::nonfinite;
  const double length = scaled_norm(s);
  if (length == 0) return Ending::least_squares;
  Vec y = Vec::Zero(r.size());
  Ending ending = run(s, y, kPassReduction * length);
  if (ending == Ending::budget || ending == Ending::nonfinite) return ending;
  const double inside = scaled_norm(y);
  if (inside == 0 || !all_finite(y)) return Ending::least_squares;
  ending = run(y, d, kPassReduction * inside);
  return ending == Ending::solved ? Ending::least_squares : ending;
}

}  // namespace bilevel
