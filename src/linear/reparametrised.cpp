#include <algorithm>
#include <cmath>

#include "linear/minimum_residual.hpp"

namespace bilevel {

namespace {

class Run final : public Refinement {
 public:
  using Refinement::Refinement;

 private:
  // A^2 / |A| in place of A^2 keeps the products in range, whatever the unit of A.
  Ending pass(const Vec& r, Vec& d) override {
    if (size() == 0) {
      const Vec first = product(r / scaled_norm(r));
      if (!all_finite(first)) return next_iteration() ? Ending::nonfinite : Ending::budget;
      observe(scaled_norm(first));
      if (size() == 0) return next_iteration() ? Ending::least_squares : Ending::budget;
    }
    const double scale = size();
    const auto square = [&](const Vec& v) -> Vec {
      const Vec once = product(v);
      if (!all_finite(once)) return once;
      observe(scaled_norm(once) / scaled_norm(v));
      return product(once / scale);
    };
    MinimumResidual minimum(square, [this] { return next_iteration(); });
    Vec z = Vec::Zero(r.size());
    const Ending ending = kernel_met_ ? minimum.run_in_range(r, z) : minimum.run(r, z, trusted());
    kernel_met_ = kernel_met_ || ending == Ending::least_squares;
    d = product(z) / scale;
    return ending;
  }

  bool kernel_met_ = false;
};

}  // namespace

Reparametrised::Reparametrised() : Reparametrised(Options{}) {}

Reparametrised::Reparametrised(Options options) : options_(options) {
  check_stop("reparametrised", options, "ten times the dimension");
}

LinearSolver::Summary Reparametrised::do_solve(const LinearOperator& A, const Vec& b, const Vec* warm_start) const {
  if (auto answer = answer_without_iteration(name(), A.cols(), b, warm_start)) return *answer;
  const Index budget = options_.max_iterations > 0 ? options_.max_iterations : 10 * A.cols();
  return Run(name(), A, b, options_.tolerance, budget).solve(warm_start);
}

}  // namespace bilevel
