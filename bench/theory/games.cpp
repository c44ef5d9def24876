#include <cmath>

#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include "bilevel/autodiff.hpp"
#include "bilevel/hypergradient.hpp"
#include "theory/experiments.hpp"

namespace bilevel::theory {

double log_slope(const std::vector<double>& arguments, const std::vector<double>& values) {
  const auto count = static_cast<Index>(arguments.size());
  Eigen::MatrixXd design(count, 2);
  Vec target(count);
  for (Index i = 0; i < count; ++i) {
    design.row(i) << 1, arguments[static_cast<std::size_t>(i)];
    target[i] = std::log(values[static_cast<std::size_t>(i)]);
  }
  return design.colPivHouseholderQr().solve(target)[1];
}

BilevelProblem coupled_wells() {
  auto lower = make_objective("coupled wells", 1, 2, [](auto x, auto y) {
    return 0.25 * square(square(y[0]) - 1.0) - 0.1 * x[0] * y[0] + 0.25 * square(y[1] - y[0]);
  });
  auto upper = make_objective("distance", 1, 2, [](auto x, auto y) {
    return 0.05 * square(y[0] - 2.0) + 0.1 * square(y[1] - 1.5) + 0.5 * square(x[0]);
  });
  return {"coupled wells", upper, lower, Vec::Zero(1), Vec::Ones(2), {}};
}

BilevelProblem huber_wells(double target) {
  auto lower = make_objective("Huber wells", 1, 1, [](auto, auto y) { return huber(square(y[0]) - 1.0); });
  auto upper = make_objective("distance", 1, 1, [target](auto, auto y) { return square(y[0] - target); });
  return {"Huber wells", upper, lower, Vec::Zero(1), Vec::Ones(1), {}};
}

Solution coupled_solution(double inner_step_size) {
  const auto problem = coupled_wells();
  const GradientDescentMap map(*problem.lower, inner_step_size);
  Solution solution{problem.x0, problem.y0};
  // phi'' is close to 1: the error of x falls by two at least each time, that of y by rho^50.
  for (int i = 0; i < 80; ++i) {
    for (int j = 0; j < 50; ++j) solution.y = map.apply(solution.x, solution.y);
    solution.x -= 0.7 * implicit(problem, solution.x, solution.y, {.tolerance = 1e-14}).gradient;
  }
  for (int j = 0; j < 400; ++j) solution.y = map.apply(solution.x, solution.y);
  const auto at = problem.lower->linearize(solution.x, solution.y);
  Eigen::MatrixXd hessian(2, 2);
  for (Index j = 0; j < 2; ++j) hessian.col(j) = at.hess_yy(Vec::Unit(2, j));
  solution.rho = 1 - inner_step_size * Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(hessian).eigenvalues()[0];
  return solution;
}

}  // namespace bilevel::theory
