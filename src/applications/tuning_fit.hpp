// The fits around a tuning run: a grid over one weight, the final model, and what a model is worth.
#pragma once

#include <functional>
#include <vector>

#include "bilevel/lower.hpp"
#include "bilevel/tuning.hpp"

namespace bilevel {

/// Measures what happens between its construction and cost().
class CostMeter {
 public:
  explicit CostMeter(const BilevelProblem& problem);
  TuningCost cost() const;

 private:
  const BilevelProblem& problem_;
  OracleCounts follower_, leader_;
  double cpu_seconds_;
};

TuningCost operator+(const TuningCost& a, const TuningCost& b);

struct GridRun {
  std::vector<GridPoint> points;
  std::vector<Vec> answers;  // the followers', one for each point
  std::size_t best = 0;      // the lowest validation loss
  Status status = Status::converged;
  TuningCost cost;
};

struct GridOptions {
  LowerSolver::Options solver;
  bool warm = true;          // each point from the last one's answer; else from zero
  std::size_t patience = 0;  // ends after so many points in a row without a new best; 0: never
};

/// The strongest weight whose loss is within this share of the best one's: weights so weak that they change nothing
/// leave the leader without a slope to follow.
std::size_t strongest_within(const GridRun& grid, double share);

/// Solves the followers for each weight. `problem` is tuning_problem(data, single, 1). A point whose loss is not finite
/// never becomes the best; the first point counts even so.
GridRun run_grid(const BilevelProblem& problem, const std::vector<double>& weights, const GridOptions& options);

/// The final model: fitted to all rows with penalty c exp(x), `penalty` fixed with c = 0 for none; starts at `start`,
/// one follower's y.
LowerSolver::Summary fit_all(const TuningData& data, PenaltyScale penalty, double c, const Vec& x,
                             const LinearModelOptions& model, const Vec& start, const LowerSolver::Options& options);

/// Losses and scores of the followers' answers y = [y_1; ..; y_K].
void judge_folds(TunedModel& tuned, const TuningData& data, const LinearModelOptions& model, const Vec& y);

/// Loss and score of tuned.y on the test rows, if there are any.
void judge_test(TunedModel& tuned, const TuningData& data, const LinearModelOptions& model);

}  // namespace bilevel
