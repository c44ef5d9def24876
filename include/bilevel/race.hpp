// A fair race of methods: the same problems, starts, seeds and budgets for all, and one judge for all answers.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "bilevel/certificate.hpp"
#include "bilevel/run.hpp"

namespace bilevel {

/// What one seed is run on.
struct RaceProblem {
  BilevelProblem problem;
  /// Judges (x, y) with y the follower's solved answer, e.g. test accuracy and F1; empty: nothing but phi.
  std::function<std::vector<double>(const Vec& x, const Vec& y)> scores = {};
  /// For every x all that the follower may answer is one y, its only critical point (a strictly convex g): then the
  /// judge may begin to solve where he likes. Elsewhere the method's own y decides which answer is meant.
  bool unique_answer = false;
  CertificateOptions certificate = {.tolerance = 1e-4};  // of the end points
};

struct RaceOptions {
  std::vector<std::string> methods = {};  // names of registry.hpp; empty: all
  /// "METHOD.NAME=VALUE", such as "soba.batch-size=128": a method's own option instead of its default.
  std::vector<std::string> settings = {};
  std::size_t seeds = 5;  // S
  std::uint64_t first_seed = 1;
  double time = 10;                                         // seconds for each method and seed
  double passes = std::numeric_limits<double>::infinity();  // over the data, likewise, see oracle_passes()
  std::size_t grid = 0;     // leader step sizes that each method may try within its budget, see race(); 0: its own rule
  std::size_t points = 12;  // moments of a run that are judged, on each axis
  double target_share = 0.01;  // the target is phi_best + this (phi(x0) - phi_best)
  /// The judge solves the follower to |g_y| <= tolerance max(1, |g_y| at his start), or to what g's rounding allows.
  double lower_tolerance = 1e-8;
  bool certificate = true;  // of every end point
  const std::atomic<bool>* interrupt = nullptr;
};
void describe(OptionTable& table, RaceOptions& options);

/// Throws InvalidOption for an option out of range, an unknown method, and for settings of a method that does not race,
/// does not have the option or does not allow the value. race() begins with it; it costs nothing.
void check_race(const RaceOptions& options);

/// Oracle calls in units of one call on all samples: a minibatch of 64 of 6400 samples is a hundredth. Values,
/// gradients and products of f and g count alike, each with its own number of samples.
double oracle_passes(const BilevelProblem& problem, const OracleCounts& upper, const OracleCounts& lower);

/// What a run would have returned at one moment.
struct RacePoint {
  double seconds = 0, passes = 0;
  Index iteration = 0;
  double value = 0;            // phi(x) = f(x, y(x)), the follower solved again by the judge
  std::vector<double> scores;  // as RaceProblem::scores
};

struct RaceRun {
  std::string method;
  std::uint64_t seed = 0;
  Status status = Status::budget_reached;
  std::string message;
  std::vector<RacePoint> points;           // the start first, in order of time; one at least
  std::optional<double> grid_step;         // the leader step size that the grid chose
  std::optional<Certificate> certificate;  // of the end point, its follower solved by the judge

  const RacePoint& last() const { return points.back(); }
  /// The latest point within the seconds (passes) given.
  const RacePoint& at_seconds(double seconds) const;
  const RacePoint& at_passes(double passes) const;
};

/// Where the seconds of a race went; reading and drawing data is not among them.
struct RaceSeconds {
  double methods = 0;  // grids included
  double judge = 0, certificates = 0;
};

struct RaceResult {
  std::vector<std::string> methods;        // those that ran
  std::vector<std::string> left_out;       // sentences: which method or seed could not be run, and why
  std::vector<std::vector<RaceRun>> runs;  // methods x seeds
  std::vector<double> best;                // S: the lowest phi that any method reached
  std::vector<double> targets;             // S
  RaceSeconds seconds;
  std::string stopped;  // a sentence: where an interrupt ended the race, and what is kept; empty: it ran to its end
  /// Seconds (passes) until phi was at or below the target; empty: never.
  std::optional<double> seconds_to_target(std::size_t method, std::size_t seed) const;
  std::optional<double> passes_to_target(std::size_t method, std::size_t seed) const;
  /// methods x methods: the seeds on which the row's method ended below the column's by more than 1e-3 of what was to
  /// be gained, phi(x0) - phi_best.
  std::vector<std::vector<std::size_t>> wins() const;
};

/// Runs every method on the problem of every seed, one after another, each for the same seconds and passes, from the
/// same start, with its registry defaults: no method is tuned by hand. A method's own random numbers get the seed, too.
///
/// The judge is the same for all: at moments spread over each budget the pair that the run would return is taken, the
/// follower is solved again from its y by L-BFGS, and f is read there. What a method believes of itself does not count,
/// and the judge's time is not the method's.
///
/// With a grid of G, a method with the option outer-step-size (and no setting of it) spends half its budget on G step
/// sizes from 1e-3 to 1e2, and the other half on going on with the one whose phi was lowest.
///
/// A method that cannot run on the problem is left out, with the reason; so is a seed after the first whose problem
/// cannot be made (InvalidInput). An interrupt keeps the seeds that all methods are through with, or of the first seed
/// the methods that are; there may be none. Throws as check_race, and InvalidInput where no method can run.
RaceResult race(const std::function<RaceProblem(std::uint64_t seed)>& problem, const RaceOptions& options,
                const std::function<void(std::string_view)>& on_stage = {});

}  // namespace bilevel
