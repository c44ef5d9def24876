#include "linear/minimum_residual.hpp"

namespace bilevel {

namespace {

class Run final : public Refinement {
 public:
  using Refinement::Refinement;

 private:
  Ending pass(const Vec& r, Vec& d) override {
    MinimumResidual minimum([this](const Vec& v) { return product(v); }, [this] { return next_iteration(); });
    const Ending ending = kernel_met_ ? minimum.run_in_range(r, d) : minimum.run(r, d, trusted());
    observe(minimum.size());
    kernel_met_ = kernel_met_ || ending == Ending::least_squares;
    return ending;
  }

  void settle(Vec& moved, const Vec& r) override { remove_along(r, moved); }

  Status least_squares_status() const override { return Status::breakdown; }
  std::string_view least_squares_words() const override { return "inconsistent: |A r|"; }

  bool kernel_met_ = false;
};

}  // namespace

Minres::Minres() : Minres(Options{}) {}

Minres::Minres(Options options) : options_(options) { check_stop("minres", options, "ten times the dimension"); }

LinearSolver::Summary Minres::do_solve(const LinearOperator& A, const Vec& b, const Vec* warm_start) const {
  if (auto answer = answer_without_iteration(name(), A.cols(), b, warm_start)) return *answer;
  const Index budget = options_.max_iterations > 0 ? options_.max_iterations : 10 * A.cols();
  return Run(name(), A, b, options_.tolerance, budget).solve(warm_start);
}

}  // namespace bilevel
