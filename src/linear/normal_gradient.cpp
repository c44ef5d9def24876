#include <cmath>

#include "linear/refinement.hpp"

namespace bilevel {

namespace {

constexpr Index kDefaultBudget = 10000;
constexpr int kPowerSteps = 30;

class Run final : public Refinement {
 public:
  using Refinement::Refinement;

 private:
  Ending pass(const Vec& r, Vec& d) override {
    if (!next_iteration()) return Ending::budget;
    Vec residual = r;
    Vec s = adjoint_product(residual);
    if (!all_finite(s) || !std::isfinite(scaled_norm(s))) return Ending::nonfinite;
    if (size() == 0 && !measure_size(s)) return Ending::nonfinite;
    for (;;) {
      const double slope = scaled_norm(s);
      if (slope <= level() * size() * scaled_norm(residual)) return Ending::least_squares;
      const Vec q = product(s / slope);
      if (!all_finite(q) || !std::isfinite(scaled_norm(q))) return Ending::nonfinite;
      observe(scaled_norm(q));
      // d + s / |A|^2, in factors whose squares stay in range.
      const double length = slope / size() / size();
      d += length * (s / slope);
      residual -= length * q;
      if (scaled_norm(residual) <= trusted()) return Ending::solved;
      if (!next_iteration()) return Ending::budget;
      s = adjoint_product(residual);
      if (!all_finite(s) || !std::isfinite(scaled_norm(s))) return Ending::nonfinite;
    }
  }

  /// Power iteration on A' A from s = A' r; false where a product is not finite.
  bool measure_size(const Vec& s) {
    double length = scaled_norm(s);
    Vec v = s;
    for (int step = 0; step < kPowerSteps && length > 0; ++step) {
      v /= length;
      const Vec q = product(v);
      const double ratio = scaled_norm(q);
      if (!all_finite(q) || !std::isfinite(ratio)) return false;
      const double known = size();
      observe(ratio);
      if (ratio == 0 || size() <= 1.001 * known) break;
      v = adjoint_product(q / ratio);
      length = scaled_norm(v);
      if (!all_finite(v) || !std::isfinite(length)) return false;
      observe(length);
    }
    return true;
  }
};

}  // namespace

NormalGradient::NormalGradient() : NormalGradient(Options{}) {}

NormalGradient::NormalGradient(Options options) : options_(options) { check_stop("normal_gradient", options, "10000"); }

LinearSolver::Summary NormalGradient::do_solve(const LinearOperator& A, const Vec& b, const Vec* warm_start) const {
  if (auto answer = answer_without_iteration(name(), A.cols(), b, warm_start)) return *answer;
  const Index budget = options_.max_iterations > 0 ? options_.max_iterations : kDefaultBudget;
  return Run(name(), A, b, options_.tolerance, budget).solve(warm_start);
}

}  // namespace bilevel
