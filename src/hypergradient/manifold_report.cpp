#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "bilevel/manifold_selection.hpp"

namespace bilevel {

std::string_view to_string(ManifoldSelection selection) {
  return selection == ManifoldSelection::optimistic ? "optimistic" : "pessimistic";
}

std::string_view to_string(Exploration exploration) {
  switch (exploration) {
    case Exploration::tangent: return "tangent";
    case Exploration::langevin: return "langevin";
    case Exploration::restarts: return "restarts";
  }
  return "";
}

double one_sided_derivative(const SelectionReport& report, const Vec& e, ManifoldSelection selection) {
  if (report.pieces.empty()) {
    throw InvalidInput("the one-sided derivative needs a selection that succeeded, but this report has no pieces");
  }
  const double sign = selection == ManifoldSelection::optimistic ? 1 : -1;
  double least = std::numeric_limits<double>::infinity();
  for (const auto& piece : report.pieces) {
    if (piece.gradient.size() != e.size()) {
      throw DimensionMismatch(fmt::format("the one-sided derivative needs a direction of length {}, but e has {}",
                                          piece.gradient.size(), e.size()));
    }
    least = std::min(least, sign * dot(piece.gradient, e));
  }
  return sign * least;
}

void describe(OptionTable& table, SelectionOptions& options) {
  table.group("Selection")
      .add("selection", options.selection,
           "which of the follower's minimisers the leader is given: optimistic, the one with the least f; pessimistic, "
           "the one with the greatest",
           {{"optimistic", ManifoldSelection::optimistic}, {"pessimistic", ManifoldSelection::pessimistic}})
      .add(
          "exploration", options.exploration,
          "how other minimisers are sought: tangent moves along ker H, langevin chains on g, or restarts around the "
          "last answer; each is then sent down by descent",
          {{"tangent", Exploration::tangent}, {"langevin", Exploration::langevin}, {"restarts", Exploration::restarts}})
      .add("exploration-samples", options.samples,
           "minimisers N sought when exploring; auto: 4 (k + 1) for a manifold of dimension k, at most 40", at_least(0))
      .add("polished", options.polished, "of the minimisers found, how many of the best are polished", at_least(1))
      .add("kernel-tolerance", options.kernel_tolerance, "curvature of g up to this times |H| counts as zero",
           between(1e-14, 0.1))
      .add("kernel-limit", options.kernel_limit, "the manifold's dimension k is counted up to this", at_least(0))
      .add("polish-tolerance", options.polish_tolerance,
           "polish until |P_ker f_y| is this times the largest |f_y| seen", between(1e-14, 0.1))
      .add("polish-iterations", options.polish_iterations, "most steps along the manifold of each polish", at_least(1))
      .add("tie-tolerance", options.tie_tolerance,
           "minimisers whose f is within this times 1 + |f| of the best tie with it", between(0, 0.1))
      .add("descent-iterations", options.descent_iterations, "most L-BFGS iterations that send a point down",
           at_least(1));
}

}  // namespace bilevel
