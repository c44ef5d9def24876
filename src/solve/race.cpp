#include "bilevel/race.hpp"

#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bilevel/registry.hpp"
#include "bilevel/status.hpp"
#include "solve/race_runner.hpp"
#include "solve/race_settings.hpp"

namespace bilevel {

namespace {

/// Those that can start on the problem; a sentence for each other one.
std::vector<std::string> starters(const BilevelProblem& problem, const RaceOptions& options, RaceResult& result) {
  std::vector<std::string> names;
  const bool all = options.methods.empty();
  for (const auto& name : all ? method_names() : options.methods) {
    try {
      make_method(name, own_settings(options, name))->init(problem);
      names.push_back(name);
    } catch (const MissingOracle& error) {
      result.left_out.push_back(fmt::format("{}: {}", name, error.what()));
    }
  }
  if (names.empty()) {
    throw InvalidInput(fmt::format("no method can run on this problem: {}", fmt::join(result.left_out, "; ")));
  }
  return names;
}

/// The problem of a seed; nothing, and a sentence in `result`, where a later seed's cannot be made.
std::optional<RaceProblem> made(const std::function<RaceProblem(std::uint64_t seed)>& problem, std::uint64_t seed,
                                bool is_first, RaceResult& result) {
  try {
    return problem(seed);
  } catch (const InvalidInput& error) {
    if (is_first) throw;
    result.left_out.push_back(fmt::format("seed {}: {}", seed, error.what()));
    return {};
  }
}

/// After an interrupt in `seed`: `runs` are those of the methods that are through with it.
void keep_what_is_complete(RaceResult& result, std::vector<RaceRun>& runs, std::uint64_t seed) {
  const auto where = fmt::format("stopped by the user in seed {}, at {}", seed, result.methods[runs.size()]);
  if (!result.best.empty()) {
    result.stopped = fmt::format("{}: only the seeds before are compared, which all methods are through with", where);
    runs.clear();
    return;
  }
  result.stopped = fmt::format("{}: only the methods before it are compared", where);
  result.methods.resize(runs.size());
  result.runs.resize(runs.size());
}

void add_seed(RaceResult& result, std::vector<RaceRun> runs, double target_share) {
  double best = std::numeric_limits<double>::infinity();
  for (const auto& run : runs) {
    for (const auto& point : run.points) {
      if (point.value < best) best = point.value;
    }
  }
  const double start = runs.front().points.front().value;
  result.best.push_back(best);
  result.targets.push_back(best + target_share * (start - best));
  for (std::size_t m = 0; m < runs.size(); ++m) result.runs[m].push_back(std::move(runs[m]));
}

}  // namespace

RaceResult race(const std::function<RaceProblem(std::uint64_t seed)>& problem, const RaceOptions& options,
                const std::function<void(std::string_view)>& on_stage) {
  check_race(options);
  RaceResult result;
  for (std::size_t s = 0; s < options.seeds && result.stopped.empty(); ++s) {
    const auto seed = options.first_seed + s;
    const auto of_seed = made(problem, seed, s == 0, result);
    if (!of_seed) continue;
    if (s == 0) {
      result.methods = starters(of_seed->problem, options, result);
      result.runs.resize(result.methods.size());
    }
    RaceRunner runner(*of_seed, options, result.seconds);
    std::vector<RaceRun> runs;
    for (const auto& name : result.methods) {
      if (on_stage) on_stage(fmt::format("seed {}: {}", seed, name));
      auto run = runner.run_method(name, seed);
      if (!run) break;
      runs.push_back(std::move(*run));
    }
    if (runs.size() < result.methods.size()) keep_what_is_complete(result, runs, seed);
    if (!runs.empty()) add_seed(result, std::move(runs), options.target_share);
  }
  return result;
}

}  // namespace bilevel
