#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "bilevel/manifold_selection.hpp"

namespace bilevel {

namespace {

/// g + weight f, values and gradients only.
class Penalised final : public Objective {
 public:
  Penalised(const BilevelProblem& problem, double weight)
      : Objective("g + s f", problem.dim_x(), problem.dim_y()), problem_(problem), weight_(weight) {}

  double rounding() const override { return problem_.rounding(); }

 private:
  OracleSet do_provides() const override { return Oracle::value | Oracle::grad_x | Oracle::grad_y; }
  Evaluation do_evaluate(OracleSet want, const Vec& x, const Vec& y, Batch) const override {
    auto g = problem_.lower->evaluate(want, x, y);
    auto f = problem_.upper->evaluate(want, x, y);
    if (g.value) *g.value += weight_ * *f.value;
    if (g.grad_x) *g.grad_x += weight_ * *f.grad_x;
    if (g.grad_y) *g.grad_y += weight_ * *f.grad_y;
    return g;
  }
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec&, const Vec&, Batch, OracleSet,
                                                                    Evaluation&) const override {
    throw MissingOracle("g + s f provides no Hessian products: the penalty form needs none");
  }

  const BilevelProblem& problem_;
  double weight_;
};

/// The plain difference for one s; `result.y` is where it starts and becomes y_s.
void penalty_difference(const BilevelProblem& problem, const Vec& x, double sign, double weight, Index max_iterations,
                        HypergradientResult& result) {
  constexpr double kTolerance = 1e-14;  // below what rounding allows: L-BFGS stops where no step helps
  constexpr double kSolved = 1e-6;      // of s: beyond that the difference is not worth its name
  const LowerSolver::Options options{.tolerance = kTolerance, .max_iterations = max_iterations, .interrupt = {}};
  const Vec y = result.y;
  const Penalised penalised(problem, sign * weight);
  const auto pulled = Lbfgs().solve(penalised, x, y, options);
  const auto released = Lbfgs().solve(*problem.lower, x, pulled.y, options);
  result.lower_steps += pulled.iterations + released.iterations;
  result.lower_residual = released.residual;
  for (const auto* solved : {&pulled, &released}) {
    if (solved->status == Status::nonfinite || !all_finite(solved->y)) {
      result.status = Status::nonfinite;
      result.message = fmt::format("the penalty form's descent met a number that is not finite: {}", solved->message);
      return;
    }
    if (!(solved->residual <= kSolved * weight * (1 + norm(y)))) {
      result.status = Status::lower_failed;
      result.message =
          fmt::format("the penalty form with s = {:g} needs the follower solved better: {}", weight, solved->message);
      return;
    }
  }
  auto f = problem.upper->evaluate(Oracle::value | Oracle::grad_x, x, pulled.y);
  result.upper = *f.value;
  result.gradient =
      *f.grad_x + (sign / weight) * (problem.lower->grad_x(x, pulled.y) - problem.lower->grad_x(x, released.y));
  result.adjoint = (sign / weight) * (y - pulled.y);
  result.y = pulled.y;
  if (!std::isfinite(result.upper) || !all_finite(result.gradient)) {
    result.status = Status::nonfinite;
    result.message = "the penalty form's hypergradient is not finite";
  }
}

}  // namespace

HypergradientResult penalty_hypergradient(const BilevelProblem& problem, const Vec& x, const Vec& y,
                                          const PenaltyOptions& options) {
  if (!(options.weight > 0) || !std::isfinite(options.weight)) {
    throw InvalidOption(fmt::format("the penalty's weight s must be > 0 and finite, but is {}", options.weight));
  }
  if (options.max_iterations < 1) {
    throw InvalidOption(
        fmt::format("the penalty's max_iterations must be at least 1, but is {}", options.max_iterations));
  }
  const double sign = options.selection == ManifoldSelection::optimistic ? 1 : -1;
  HypergradientResult result;
  result.y = y;
  penalty_difference(problem, x, sign, options.weight, options.max_iterations, result);
  if (!options.extrapolate || result.status != Status::converged) return result;
  HypergradientResult halved;
  halved.y = result.y;
  penalty_difference(problem, x, sign, 0.5 * options.weight, options.max_iterations, halved);
  halved.lower_steps += result.lower_steps;
  if (halved.status != Status::converged) return halved;
  halved.gradient = 2 * halved.gradient - result.gradient;
  return halved;
}

}  // namespace bilevel
