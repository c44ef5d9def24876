#include "bilevel/method.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace bilevel {

void note_choice(Choices& choices, Choice choice) {
  const auto known =
      std::find_if(choices.begin(), choices.end(), [&](const Choice& c) { return c.option == choice.option; });
  if (known == choices.end()) {
    choices.push_back(std::move(choice));
  } else {
    *known = std::move(choice);
  }
}

std::unique_ptr<OuterMethod::State> OuterMethod::init(const BilevelProblem& problem) const {
  problem.validate();
  const auto [upper, lower] = needs();
  const OracleSet missing_upper = upper.without(problem.upper->provides());
  const OracleSet missing_lower = lower.without(problem.lower->provides());
  if (!missing_upper.empty() || !missing_lower.empty()) {
    std::string misfits;
    const auto add = [&](const Objective& objective, OracleSet missing) {
      if (missing.empty()) return;
      misfits += fmt::format("{}{} of '{}', which provides only {}", misfits.empty() ? "" : "; ", to_string(missing),
                             objective.name(), to_string(objective.provides()));
    };
    add(*problem.upper, missing_upper);
    add(*problem.lower, missing_lower);
    throw MissingOracle(fmt::format("method {} needs {}", name(), misfits));
  }
  return do_init(problem);
}

}  // namespace bilevel
