#include "solve/race_runner.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bilevel/registry.hpp"

namespace bilevel {

namespace {

constexpr const char* kStepSize = "outer-step-size";

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

/// Takes the pair that the run would return, whenever another fraction of a budget is spent: early ones more densely.
class Photographer final : public Observer {
 public:
  Photographer(const BilevelProblem& problem, const RaceOptions& options, double seconds_before, double passes_before)
      : problem_(problem),
        options_(options),
        seconds_before_(seconds_before),
        passes_before_(passes_before),
        next_seconds_(first(options.time)),
        next_passes_(first(options.passes)) {}

  void on_step(const TraceRow& row, const OuterMethod::State& state) override {
    const double seconds = seconds_before_ + row.seconds;
    const double passes = passes_before_ + oracle_passes(problem_, row.upper, row.lower);
    over = over || passes >= options_.passes || (options_.interrupt && options_.interrupt->load());
    // Without a bound of passes their moments begin with the first step that makes any.
    if (std::isinf(next_passes_) && passes > 0) next_passes_ = passes;
    if (seconds < next_seconds_ && passes < next_passes_) return;
    while (next_seconds_ <= seconds) next_seconds_ *= growth();
    while (next_passes_ <= passes) next_passes_ *= growth();
    const auto& progress = state.progress;
    if (progress.best_x.size() > 0) {
      moments.push_back({seconds, passes, row.iteration, progress.best_x, progress.best_y});
    }
  }

  std::atomic<bool> over = false;
  std::vector<RaceMoment> moments;

 private:
  static constexpr double kSpan = 300;  // from the first moment to the end of a budget
  static double first(double budget) { return budget / kSpan; }
  double growth() const { return std::pow(kSpan, 1.0 / static_cast<double>(options_.points)); }

  const BilevelProblem& problem_;
  const RaceOptions& options_;
  double seconds_before_, passes_before_, next_seconds_, next_passes_;
};

bool has_option(const std::string& name, std::string_view option) {
  return find_method(name).options()->find(option) != nullptr;
}

StopRule stop(double seconds, const std::atomic<bool>& over) {
  return {.tolerance = 0,
          .improvement = 0,
          .max_iterations = std::numeric_limits<Index>::max() / 2,
          .time_limit = std::max(seconds, 1e-9),
          .interrupt = &over};
}

}  // namespace

MethodSettings RaceRunner::settings_of(const std::string& name, std::uint64_t seed) const {
  MethodSettings settings = own_settings(options_, name);
  for (const char* option : {"sampling-seed", "exploration-seed", "seed"}) {
    if (has_option(name, option)) settings.try_emplace(option, fmt::format("{}", seed));
  }
  return settings;
}

RunResult RaceRunner::timed_run(const OuterMethod& method, const StopRule& rule, Observer& observer,
                                std::unique_ptr<OuterMethod::State> from) {
  auto ended = bilevel::run(race_.problem, method, rule, {&observer}, std::move(from));
  spent_.methods += ended.seconds;
  return ended;
}

const RaceJudge::Reading& RaceRunner::read(const RaceMoment& moment) {
  const Stopwatch watch;
  const auto& reading = judge_.read(moment);
  spent_.judge += watch.seconds();
  return reading;
}

std::optional<RaceRun> RaceRunner::run_method(const std::string& name, std::uint64_t seed) {
  RaceRun result{.method = name, .seed = seed, .message = {}, .points = {}, .grid_step = {}, .certificate = {}};
  MethodSettings settings = settings_of(name, seed);
  std::vector<RaceMoment> moments{{0, 0, 0, race_.problem.x0, race_.problem.y0}};
  std::unique_ptr<OuterMethod::State> from;
  double seconds = 0, passes = 0;
  if (options_.grid > 0 && has_option(name, kStepSize) && settings.count(kStepSize) == 0) {
    from = choose_step(name, settings, result, seconds, passes);
  }
  const auto method = make_method(name, settings);
  Photographer photographer(race_.problem, options_, seconds, passes);
  const auto ended =
      timed_run(*method, stop(options_.time - seconds, photographer.over), photographer, std::move(from));
  result.status = ended.status;
  result.message = ended.message;
  if (ended.status == Status::interrupted && !interrupted()) {
    result.status = Status::budget_reached;
    result.message = fmt::format("{:.4g} passes over the data, the most allowed", options_.passes);
  }
  moments.insert(moments.end(), std::make_move_iterator(photographer.moments.begin()),
                 std::make_move_iterator(photographer.moments.end()));
  if (ended.best_iteration > 0) {
    moments.push_back({seconds + ended.seconds,
                       passes + oracle_passes(race_.problem, ended.upper_calls, ended.lower_calls), ended.iterations,
                       ended.best_x, ended.best_y});
  }
  Vec answer;
  for (const auto& moment : moments) {
    const auto& reading = read(moment);
    if (interrupted()) return {};
    result.points.push_back({moment.seconds, moment.passes, moment.iteration, reading.value, reading.scores});
    answer = reading.answer;
  }
  if (options_.certificate && !interrupted()) {
    const Stopwatch watch;
    result.certificate = certify(race_.problem, moments.back().x, answer, race_.certificate);
    spent_.certificates += watch.seconds();
  }
  return result;
}

std::unique_ptr<OuterMethod::State> RaceRunner::choose_step(const std::string& name, MethodSettings& settings,
                                                            RaceRun& result, double& seconds, double& passes) {
  constexpr double kSmallest = -3, kLargest = 2;  // decimal logarithms
  const auto tries = static_cast<double>(options_.grid);
  RaceOptions share = options_;
  share.passes = options_.passes / (2 * tries);
  std::unique_ptr<OuterMethod::State> best;
  double lowest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < options_.grid && !interrupted(); ++i) {
    const double position = options_.grid > 1 ? static_cast<double>(i) / (tries - 1) : 0.5;
    const double step = std::pow(10, kSmallest + position * (kLargest - kSmallest));
    MethodSettings trial = settings;
    trial[kStepSize] = fmt::format("{:.6g}", step);
    Photographer photographer(race_.problem, share, 0, 0);
    auto ended =
        timed_run(*make_method(name, trial), stop(options_.time / (2 * tries), photographer.over), photographer);
    seconds += ended.seconds;
    passes += oracle_passes(race_.problem, ended.upper_calls, ended.lower_calls);
    if (ended.best_iteration == 0) continue;
    const double value = read({0, 0, 0, ended.best_x, ended.best_y}).value;
    if (!(value < lowest)) continue;
    lowest = value;
    best = std::move(ended.state);
    result.grid_step = step;
  }
  if (result.grid_step) settings[kStepSize] = fmt::format("{:.6g}", *result.grid_step);
  return best;
}

}  // namespace bilevel
