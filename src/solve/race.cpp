#include "bilevel/race.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bilevel/lower.hpp"
#include "bilevel/registry.hpp"

namespace bilevel {

namespace {

using Settings = std::map<std::string, std::string>;

/// A pair as it was at one moment, to be judged later.
struct Moment {
  double seconds = 0, passes = 0;
  Index iteration = 0;
  Vec x, y;
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
  std::vector<Moment> moments;

 private:
  static constexpr double kSpan = 300;  // from the first moment to the end of a budget
  static double first(double budget) { return budget / kSpan; }
  double growth() const { return std::pow(kSpan, 1.0 / static_cast<double>(options_.points)); }

  const BilevelProblem& problem_;
  const RaceOptions& options_;
  double seconds_before_, passes_before_, next_seconds_, next_passes_;
};

/// The one who solves the follower again and reads f.
class Judge {
 public:
  Judge(const RaceProblem& race, const RaceOptions& options) : race_(race), options_(options) {}

  /// y(x), from the method's own y.
  Vec answer(const Moment& moment) const {
    const auto& g = *race_.problem.lower;
    const double tolerance = g.attainable(options_.lower_tolerance);
    return Lbfgs().solve(g, moment.x, moment.y, {.tolerance = tolerance, .max_iterations = 1000}).y;
  }

  /// phi(x) with y = answer(moment).
  double value(const Moment& moment, const Vec& y) const { return race_.problem.upper->value(moment.x, y); }

  RacePoint judge(const Moment& moment, const Vec& y) const {
    RacePoint point{moment.seconds, moment.passes, moment.iteration, value(moment, y), {}};
    if (race_.scores) point.scores = race_.scores(moment.x, y);
    return point;
  }

 private:
  const RaceProblem& race_;
  const RaceOptions& options_;
};

class Runner {
 public:
  Runner(const RaceProblem& race, const RaceOptions& options) : race_(race), options_(options), judge_(race, options) {}

  RaceRun run_method(const std::string& name, std::uint64_t seed) {
    RaceRun result{.method = name, .seed = seed, .message = {}, .points = {}, .grid_step = {}, .certificate = {}};
    Settings settings = seeded(name, seed);
    std::vector<Moment> moments{{0, 0, 0, race_.problem.x0, race_.problem.y0}};
    std::unique_ptr<OuterMethod::State> from;
    double seconds = 0, passes = 0;
    if (options_.grid > 0 && has_option(name, "outer-step-size")) {
      from = choose_step(name, settings, result, seconds, passes);
    }
    const auto method = make_method(name, settings);
    Photographer photographer(race_.problem, options_, seconds, passes);
    const auto ended = bilevel::run(race_.problem, *method, stop(options_.time - seconds, photographer.over),
                                    {&photographer}, std::move(from));
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
      answer = judge_.answer(moment);
      result.points.push_back(judge_.judge(moment, answer));
    }
    if (options_.certificate && !interrupted()) {
      result.certificate = certify(race_.problem, moments.back().x, answer, {.tolerance = 1e-4});
    }
    return result;
  }

 private:
  bool interrupted() const { return options_.interrupt && options_.interrupt->load(); }

  static bool has_option(const std::string& name, std::string_view option) {
    return find_method(name).options()->find(option) != nullptr;
  }

  /// A method's own random numbers.
  static Settings seeded(const std::string& name, std::uint64_t seed) {
    Settings settings;
    for (const char* option : {"sampling-seed", "exploration-seed", "seed"}) {
      if (has_option(name, option)) settings[option] = fmt::format("{}", seed);
    }
    return settings;
  }

  static StopRule stop(double seconds, const std::atomic<bool>& over) {
    return {.tolerance = 0,
            .improvement = 0,
            .max_iterations = std::numeric_limits<Index>::max() / 2,
            .time_limit = std::max(seconds, 1e-9),
            .interrupt = &over};
  }

  /// Tries the grid, leaves the best step size in `settings`, and returns the state it ended in.
  std::unique_ptr<OuterMethod::State> choose_step(const std::string& name, Settings& settings, RaceRun& result,
                                                  double& seconds, double& passes) {
    constexpr double kSmallest = -3, kLargest = 2;  // decimal logarithms
    const auto tries = static_cast<double>(options_.grid);
    RaceOptions share = options_;
    share.passes = options_.passes / (2 * tries);
    std::unique_ptr<OuterMethod::State> best;
    double lowest = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < options_.grid && !interrupted(); ++i) {
      const double position = options_.grid > 1 ? static_cast<double>(i) / (tries - 1) : 0.5;
      const double step = std::pow(10, kSmallest + position * (kLargest - kSmallest));
      Settings trial = settings;
      trial["outer-step-size"] = fmt::format("{:.6g}", step);
      Photographer photographer(race_.problem, share, 0, 0);
      auto ended = bilevel::run(race_.problem, *make_method(name, trial),
                                stop(options_.time / (2 * tries), photographer.over), {&photographer});
      seconds += ended.seconds;
      passes += oracle_passes(race_.problem, ended.upper_calls, ended.lower_calls);
      if (ended.best_iteration == 0) continue;
      const Moment end{0, 0, 0, ended.best_x, ended.best_y};
      const double value = judge_.value(end, judge_.answer(end));
      if (!(value < lowest)) continue;
      lowest = value;
      best = std::move(ended.state);
      result.grid_step = step;
    }
    if (result.grid_step) settings["outer-step-size"] = fmt::format("{:.6g}", *result.grid_step);
    return best;
  }

  const RaceProblem& race_;
  const RaceOptions& options_;
  Judge judge_;
};

/// Those that can start on the problem; a sentence for each other one.
std::vector<std::string> starters(const BilevelProblem& problem, const RaceOptions& options, RaceResult& result) {
  std::vector<std::string> names;
  const bool all = options.methods.empty();
  for (const auto& name : all ? method_names() : options.methods) {
    try {
      make_method(name)->init(problem);
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

}  // namespace

RaceResult race(const std::function<RaceProblem(std::uint64_t seed)>& problem, const RaceOptions& options,
                const std::function<void(std::string_view)>& on_stage) {
  check_options(options);
  for (const auto& name : options.methods) find_method(name);
  RaceResult result;
  for (std::size_t s = 0; s < options.seeds; ++s) {
    const auto seed = options.first_seed + s;
    const auto of_seed = problem(seed);
    if (s == 0) {
      result.methods = starters(of_seed.problem, options, result);
      result.runs.resize(result.methods.size());
    }
    Runner runner(of_seed, options);
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t m = 0; m < result.methods.size(); ++m) {
      if (options.interrupt && options.interrupt->load()) return result;
      if (on_stage) on_stage(fmt::format("seed {}: {}", seed, result.methods[m]));
      auto run = runner.run_method(result.methods[m], seed);
      for (const auto& point : run.points) {
        if (point.value < best) best = point.value;
      }
      result.runs[m].push_back(std::move(run));
    }
    const double start = result.runs.front().back().points.front().value;
    result.best.push_back(best);
    result.targets.push_back(best + options.target_share * (start - best));
  }
  return result;
}

}  // namespace bilevel
