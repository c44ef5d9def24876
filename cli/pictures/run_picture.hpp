// A run's picture for any number of variables: upper value, |hypergradient| and the follower's residual.
#pragma once

#include <string_view>

#include "bilevel/run.hpp"
#include "pictures/script.hpp"

namespace bilevel::cli {

/// Three panels against iterations, each with a logarithmic axis where the values span decades; the best iteration is
/// marked, and the line below the title says how the run ended. Numbers that are not finite interrupt the lines and are
/// counted there. A run without a step gives empty panels.
///
///     draw(run_picture_script(problem.name, run(problem, method)), "run.svg");
Script run_picture_script(std::string_view title, const RunResult& result);

}  // namespace bilevel::cli
