#include "bilevel/solve.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bilevel/recommendation.hpp"
#include "bilevel/registry.hpp"

namespace bilevel {

MethodChoice choose_method(const BilevelProblem& problem, const SolveOptions& options) {
  constexpr Index kSearched = 3;  // up to here a search for the other minimisers takes milliseconds
  if (options.method != "auto") return {find_method(options.method).name, options.settings, {}, false, false};
  problem.validate();
  std::optional<CriticalPoints> found;
  if (options.box_y && problem.dim_y() <= kSearched) {
    found = find_critical_points(*problem.lower, problem.x0, *options.box_y, {.seed = options.seed});
  }
  const auto advice = recommend(problem, found ? &*found : nullptr);
  MethodChoice chosen{advice.method, options.settings, {}, advice.several_minimisers, true};
  chosen.choices.push_back({"method", "auto", advice.method, advice.summary});
  for (const auto& [name, value] : advice.settings) {
    if (chosen.settings.try_emplace(name, value).second) {
      chosen.choices.push_back({name, "auto", value, "recommended with the method"});
    }
  }
  return chosen;
}

std::vector<Finding> explain_end(const BilevelProblem& problem, const RunResult& run) {
  constexpr double kOnIt = 1e-6;
  std::vector<Finding> all;
  for (const auto& [objective, name] : {std::pair(problem.upper.get(), "f"), std::pair(problem.lower.get(), "g")}) {
    if (run.status == Status::nonfinite) {
      if (auto why = objective->explain_nonfinite(run.x, run.y); !why.empty()) {
        all.push_back({"not_finite_because", 0, fmt::format("{} is not a number there: {}", name, why)});
      }
      continue;
    }
    for (const auto& kink : objective->kinks(run.x, run.y)) {
      if (!kink.is_within(kOnIt)) break;
      all.push_back({"kink_in_the_formula", kink.distance,
                     fmt::format("the formula of {} has a kink at the answer: {}", name, to_string(kink))});
    }
  }
  return all;
}

RunResult run_choice(const BilevelProblem& problem, MethodChoice& choice, const StopRule& stop,
                     const std::vector<Observer*>& observers) {
  auto result = run(problem, *make_method(choice.name, choice.settings), stop, observers);
  if (!choice.automatic || choice.name != "newton" || result.status != Status::breakdown) return result;
  BilevelProblem rest = problem;
  rest.x0 = result.x;
  rest.y0 = result.y;
  choice.name = "hg_ms";
  choice.settings.clear();
  note_choice(choice.choices,
              {"method", "auto", "hg_ms",
               fmt::format("newton met a manifold of the follower's minimisers after {} steps", result.iterations)});
  return run(rest, *make_method(choice.name, {}), stop, observers);
}

Solved solve(const BilevelProblem& problem, const SolveOptions& options, const std::vector<Observer*>& observers) {
  Solved solved;
  solved.method = choose_method(problem, options);
  solved.run = run_choice(problem, solved.method, options.stop, observers);
  for (auto& finding : explain_end(problem, solved.run)) solved.run.findings.push_back(std::move(finding));
  solved.run.choices.insert(solved.run.choices.begin(), solved.method.choices.begin(), solved.method.choices.end());
  return solved;
}

}  // namespace bilevel
