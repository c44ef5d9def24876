// What a race says: values at equal budgets, times to a target, wins; and its options.
#include <algorithm>
#include <cmath>

#include "bilevel/race.hpp"

namespace bilevel {

namespace {

/// The latest point whose coordinate is within the budget; the first one is at zero.
template <class Coordinate>
const RacePoint& latest(const std::vector<RacePoint>& points, double budget, const Coordinate& coordinate) {
  const RacePoint* found = &points.front();
  for (const auto& point : points) {
    if (coordinate(point) <= budget) found = &point;
  }
  return *found;
}

template <class Coordinate>
std::optional<double> first_below(const std::vector<RacePoint>& points, double target, const Coordinate& coordinate) {
  for (const auto& point : points) {
    if (point.value <= target) return coordinate(point);
  }
  return {};
}

double seconds_of(const RacePoint& point) { return point.seconds; }
double passes_of(const RacePoint& point) { return point.passes; }

}  // namespace

double oracle_passes(const BilevelProblem& problem, const OracleCounts& upper, const OracleCounts& lower) {
  const auto passes = [](const OracleCounts& counts, const Objective& objective) {
    double samples = 0;
    for (const auto count : counts.samples) samples += static_cast<double>(count);
    return samples / static_cast<double>(objective.samples());
  };
  return passes(upper, *problem.upper) + passes(lower, *problem.lower);
}

const RacePoint& RaceRun::at_seconds(double seconds) const { return latest(points, seconds, seconds_of); }
const RacePoint& RaceRun::at_passes(double passes) const { return latest(points, passes, passes_of); }

std::optional<double> RaceResult::seconds_to_target(std::size_t method, std::size_t seed) const {
  return first_below(runs[method][seed].points, targets[seed], seconds_of);
}
std::optional<double> RaceResult::passes_to_target(std::size_t method, std::size_t seed) const {
  return first_below(runs[method][seed].points, targets[seed], passes_of);
}

std::vector<std::vector<std::size_t>> RaceResult::wins() const {
  constexpr double kClearly = 1e-3;
  std::vector<std::vector<std::size_t>> table(methods.size(), std::vector<std::size_t>(methods.size(), 0));
  for (std::size_t a = 0; a < methods.size(); ++a) {
    for (std::size_t b = 0; b < methods.size(); ++b) {
      for (std::size_t s = 0; s < best.size(); ++s) {
        const double margin = kClearly * (runs[a][s].points.front().value - best[s]);
        // A value that is not finite loses against every finite one.
        const double mine = runs[a][s].last().value, other = runs[b][s].last().value;
        if (std::isfinite(mine) && !(other <= mine + margin)) ++table[a][b];
      }
    }
  }
  return table;
}

void describe(OptionTable& table, RaceOptions& options) {
  table.group("Race")
      .add("methods", options.methods, "a method that takes part, see `bilevel methods`; none or all: all that can",
           "a method's name, repeatable")
      .add("set", options.settings,
           "an option of one of the methods instead of its default, as in --set soba.batch-size=128",
           "METHOD.NAME=VALUE, repeatable")
      .add("seeds", options.seeds, "repetitions: seed, seed + 1, ...", between(1, 1000))
      .add("seed", options.first_seed, "the first one")
      .add("time", options.time, "seconds for each method and seed", greater_than(0))
      .add("passes", options.passes,
           "oracle calls for each method and seed, in passes over the data: values, gradients and products of f and g",
           or_infinity(greater_than(0)))
      .add("grid", options.grid,
           "let each method try so many leader step sizes first, with half of its budget; 0: its own rule",
           between(0, 100))
      .add("points", options.points, "moments of a run that are judged, on each of the two axes", between(2, 200))
      .add("target-share", options.target_share,
           "the target is the best value of all plus this share of what was to be gained", between(0, 1))
      .add("judge-tolerance", options.lower_tolerance,
           "the follower of a judged pair is solved until its gradient is below this, or as far as its rounding allows",
           between(1e-14, 0.1))
      .add("certificate", options.certificate, "also examine what every end point is to the bilevel problem");
}

}  // namespace bilevel
