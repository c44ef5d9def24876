#include <fmt/format.h>

#include "bilevel/linear.hpp"

namespace bilevel {

LinearSolver::Summary LinearSolver::solve(const LinearOperator& A, const Vec& b, const Vec* warm_start) const {
  if (b.size() != A.rows()) {
    throw DimensionMismatch(fmt::format("{} needs a right-hand side of length {} for a {} x {} operator, but b has {}",
                                        name(), A.rows(), A.rows(), A.cols(), b.size()));
  }
  if (warm_start && warm_start->size() != A.cols()) {
    throw DimensionMismatch(fmt::format("{} needs a start of length {} for a {} x {} operator, but it has {}", name(),
                                        A.cols(), A.rows(), A.cols(), warm_start->size()));
  }
  const Requirements needs = requirements();
  const auto refuse = [&](std::string_view structure) {
    throw InvalidOption(fmt::format("{} needs a {} operator, but the {} x {} operator is not tagged as one", name(),
                                    structure, A.rows(), A.cols()));
  };
  if (needs.symmetric && !A.tags().symmetric) refuse("symmetric");
  if (needs.positive_definite && !A.tags().positive_definite) refuse("positive definite");
  if (needs.adjoint && !A.has_adjoint()) {
    throw MissingOracle(fmt::format("{} needs the operator's adjoint, but the {} x {} operator was built without one",
                                    name(), A.rows(), A.cols()));
  }
  return do_solve(A, b, warm_start);
}

}  // namespace bilevel
