#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bilevel/linear.hpp"

namespace bilevel {

const std::vector<std::string>& linear_solver_names() {
  static const std::vector<std::string> names{"cg",         "minres",          "lsqr",
                                              "minres_qlp", "normal_gradient", "reparametrised"};
  return names;
}

std::unique_ptr<LinearSolver> make_linear_solver(std::string_view name, double tolerance, Index max_iterations) {
  const LinearStop stop{tolerance, max_iterations};
  if (name == "cg") return std::make_unique<ConjugateGradient>(stop);
  if (name == "minres") return std::make_unique<Minres>(stop);
  if (name == "lsqr") return std::make_unique<Lsqr>(Lsqr::Options{tolerance, max_iterations, 0.0});
  if (name == "minres_qlp") return std::make_unique<MinresQlp>(stop);
  if (name == "normal_gradient") return std::make_unique<NormalGradient>(stop);
  if (name == "reparametrised") return std::make_unique<Reparametrised>(stop);
  const auto nearest = nearest_name(name, linear_solver_names());
  throw InvalidOption(fmt::format("there is no linear solver '{}'{}; the solvers are {}", name,
                                  nearest.empty() ? "" : fmt::format(", did you mean '{}'?", nearest),
                                  fmt::join(linear_solver_names(), ", ")));
}

}  // namespace bilevel
