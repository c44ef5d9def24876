// What the plugin offers: an answer found by differentiated lambdas, and a loss computed on several threads. Both use
// variables of a thread inside the library, which a shared library must reach in its own way.
#include <bilevel/autodiff.hpp>
#include <bilevel/linear_models.hpp>
#include <bilevel/run.hpp>
#include <bilevel/smbg.hpp>
#include <cmath>
#include <span>
#include <vector>

/// The leader's best x for f = (y - 1)^2 + x^2 and g = (y - x)^2, which is 1/2; NaN if the run did not converge.
extern "C" double solve_a_game() {
  const bilevel::BilevelProblem problem{
      "plugin",
      bilevel::make_objective("f", 1, 1, [](auto x, auto y) { return square(y[0] - 1.0) + square(x[0]); }),
      bilevel::make_objective("g", 1, 1, [](auto x, auto y) { return square(y[0] - x[0]); }),
      bilevel::Vec::Zero(1),
      bilevel::Vec::Zero(1),
      {}};
  const auto result = bilevel::run(problem, bilevel::Smbg());
  return result.status == bilevel::Status::converged ? result.x[0] : std::nan("");
}

/// The squared loss at 0 of 100,000 rows whose targets are 2, which is 4 / 2, on three threads.
extern "C" double loss_of_many_rows() {
  constexpr std::size_t kRows = 100000;
  const std::vector<double> ones(kRows, 1.0);
  const auto features = bilevel::FeatureMatrix::dense(kRows, 1, std::span<const double>(ones));
  const auto loss = bilevel::validation_objective(features, std::vector<double>(kRows, 2.0),
                                                  {.loss = bilevel::LinearLoss::squared, .threads = 3}, 0);
  return loss->value(bilevel::Vec(), bilevel::Vec::Zero(1));
}
