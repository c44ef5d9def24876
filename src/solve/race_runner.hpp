// Runs methods on the problem of one seed, each within its budget, and has them judged.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "bilevel/race.hpp"
#include "solve/race_judge.hpp"
#include "solve/race_settings.hpp"

namespace bilevel {

class RaceRunner {
 public:
  /// All must outlive the runner; what was spent is added to `spent`.
  RaceRunner(const RaceProblem& race, const RaceOptions& options, RaceSeconds& spent)
      : race_(race), options_(options), spent_(spent), judge_(race, options) {}

  /// Empty after an interrupt: a run that is not judged to its end says nothing about equal budgets.
  std::optional<RaceRun> run_method(const std::string& name, std::uint64_t seed);

 private:
  bool interrupted() const { return options_.interrupt && options_.interrupt->load(); }
  /// What was set, and for the rest the seed of the method's own random numbers.
  MethodSettings settings_of(const std::string& name, std::uint64_t seed) const;
  RunResult timed_run(const OuterMethod& method, const StopRule& rule, Observer& observer,
                      std::unique_ptr<OuterMethod::State> from = nullptr);
  const RaceJudge::Reading& read(const RaceMoment& moment);
  /// Tries the grid, leaves the best step size in `settings`, and returns the state it ended in; adds what it took.
  std::unique_ptr<OuterMethod::State> choose_step(const std::string& name, MethodSettings& settings, RaceRun& result,
                                                  double& seconds, double& passes);

  const RaceProblem& race_;
  const RaceOptions& options_;
  RaceSeconds& spent_;
  RaceJudge judge_;
};

}  // namespace bilevel
