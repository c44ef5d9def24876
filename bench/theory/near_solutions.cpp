// Lemma 3.11, Theorems 4.2 and 5.3: what holds near a strong local bilevel solution.
#include <cmath>

#include "bilevel/dpbg.hpp"
#include "bilevel/run.hpp"
#include "bilevel/smbg.hpp"
#include "theory/experiments.hpp"

namespace bilevel::theory {

namespace {

constexpr double kStepSize = 0.3;  // a: the solution's H has eigenvalues near 0.4 and 2.7

void add(Law& law, Index k, double value) {
  law.inner_steps.push_back(static_cast<double>(k));
  law.values.push_back(value);
}

void finish(Law& law, double predicted) {
  law.fitted = log_slope(law.inner_steps, law.values);
  law.predicted = predicted;
}

}  // namespace

ContractionRates contraction_rates(Index first, Index last) {
  const auto problem = coupled_wells();
  const auto solution = coupled_solution(kStepSize);
  // Off the solution in x and in z, where grad phi does not vanish.
  const Vec x = solution.x + Vec::Constant(1, 0.3), z = solution.y + Vec::Constant(2, 0.2);
  const GradientDescentMap map(*problem.lower, kStepSize);
  Vec y = z;
  for (int j = 0; j < 2000; ++j) y = map.apply(x, y);
  const auto at = problem.lower->linearize(x, y);
  // Two by two: trace and determinant give lambda_min.
  const Vec first_column = at.hess_yy(Vec::Unit(2, 0)), second_column = at.hess_yy(Vec::Unit(2, 1));
  const double half_trace = 0.5 * (first_column[0] + second_column[1]);
  const double determinant = first_column[0] * second_column[1] - first_column[1] * second_column[0];
  const double rho = 1 - kStepSize * (half_trace - std::sqrt(half_trace * half_trace - determinant));
  const Vec gradient = implicit(problem, x, y, {.tolerance = 1e-14}).gradient;

  ContractionRates rates;
  for (Index k = first; k <= last; ++k) {
    const auto result = unrolled(problem, map, x, z, {.steps = k});
    add(rates.answer, k, norm(result.y - y));
    add(rates.start_derivative, k, norm(result.adjoint));
    add(rates.gradient_error, k, norm(result.gradient - gradient) / static_cast<double>(k));
  }
  for (Law* law : {&rates.answer, &rates.start_derivative, &rates.gradient_error}) finish(*law, std::log(rho));
  return rates;
}

Law escape_times(Index first, Index last, Index stride, double radius, double outer_step_size) {
  constexpr Index kMostSteps = 50'000'000;
  auto problem = coupled_wells();
  const auto solution = coupled_solution(kStepSize);
  problem.x0 = solution.x;
  problem.y0 = solution.y;
  Law law;
  for (Index k = first; k <= last; k += stride) {
    DpbgOptions options{.inner_steps = k, .inner_step_size = kStepSize};
    options.leader.step_size = outer_step_size;
    const Dpbg method(options);
    const auto base = method.init(problem);
    const auto& state = dynamic_cast<const Dpbg::State&>(*base);
    while (norm(state.x - solution.x) + norm(state.z - solution.y) <= radius && state.iteration < kMostSteps) {
      if (method.step(problem, *base).status != Status::converged) break;
    }
    add(law, k, static_cast<double>(state.iteration));
  }
  finish(law, -std::log(solution.rho));
  return law;
}

Law smbg_bias(Index first, Index last, Index stride, double outer_step_size) {
  const auto problem = coupled_wells();
  const auto solution = coupled_solution(kStepSize);
  Law law;
  for (Index k = first; k <= last; k += stride) {
    SmbgOptions options{.inner_steps = k, .inner_step_size = kStepSize};
    options.leader = {.rule = LeaderRule::gradient_descent, .step_size = outer_step_size};
    StopRule stop;
    stop.tolerance = 1e-13;
    stop.max_iterations = 20000;
    add(law, k, norm(run(problem, Smbg(options), stop).x - solution.x));
  }
  finish(law, std::log(solution.rho));
  return law;
}

}  // namespace bilevel::theory
