// Tuning: the penalty weights of a linear model, one for each feature, group of features or class, or one for all, by
// hypergradient.
//
//     follower   y_k minimises  g_k(x, y_k) = 1/N_k sum_i loss_i(y_k) + c sum_j exp(x_q(j)) y_kj^2    k-th training
//     part leader     x minimises    f(y) = 1/K sum_k 1/M_k sum_i loss_i(y_k)                              rows left
//     out
//
// With a validation file or a single split K = 1; with K folds the follower is y = [y_1; ..; y_K], g = sum_k g_k.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/certificate.hpp"
#include "bilevel/leader_step.hpp"
#include "bilevel/linear_models.hpp"
#include "bilevel/run.hpp"

namespace bilevel {

struct TuningOptions {
  /// What has a weight of its own: single, per_class (each score), per_feature or per_group. Not fixed.
  PenaltyScale penalty = PenaltyScale::per_feature;
  /// "hoag" solves the follower and the adjoint system to tolerance before each step; "smbg" and "bgs_opt" take a few
  /// gradient steps instead, with their implicit hypergradient.
  std::string method = "hoag";
  StopRule stop = {.tolerance = 1e-3, .improvement = 2e-3, .patience = 5, .max_iterations = 100};
  /// c exp(x_q) stays between c / range and c range^2 with c the start's single weight. Upwards a coefficient vanishes
  /// and more changes nothing; downwards it is free, and the condition of H would grow with nothing to gain.
  double weight_range = 100;
  /// The share of the validation rows that does not steer the weights but guards: the step with the lowest loss on them
  /// is kept, and the run ends when that loss stops falling. With a weight for each feature the steering rows are
  /// overfitted else. 0: none. Empty: none from 20 validation rows for each weight on, else 0.3.
  std::optional<double> guard;
  double lower_tolerance = 1e-3;    // the follower is solved to |g_y| <= tolerance max(1, |g_y| at the start)
  double adjoint_tolerance = 1e-2;  // |H w - f_y| <= tolerance |f_y|, from the last w
  LeaderRule outer = LeaderRule::adam;
  std::size_t threads = 1;  // of a pass over the data; 0: one for each processor
  bool comparators = true;  // fit what the result is compared with: a grid over one weight, no penalty
  bool cold_grid = false;   // also run that grid with each point from zero, as grid searches commonly do
  bool certificate = true;  // examine the returned pair
};
void describe(OptionTable& table, TuningOptions& options);

/// Rows with labels 0..C-1 or real targets.
struct TuningRows {
  FeatureMatrix features;
  Targets targets;
};

struct TuningFold {
  TuningRows train;  // N_k rows
  TuningRows valid;  // M_k rows left out of them
};

struct TuningData {
  std::size_t classes = 0;                 // C >= 2; 0: real targets
  std::vector<TuningFold> folds;           // K >= 1
  TuningRows all;                          // what the final models are fitted to
  std::optional<TuningRows> test;          // read once, at the end
  std::vector<std::uint32_t> groups = {};  // for per_group: the group 0..G-1 of each feature
};

/// What a fit cost: CPU seconds of the process, all threads together, and the passes over the folds.
struct TuningCost {
  double cpu_seconds = 0;
  OracleCounts follower, leader;
};

/// A way of choosing the penalty, and what came of it.
struct TunedModel {
  std::optional<double> weight;     // the single weight; empty: several weights, or no penalty
  double train_loss = 0;            // mean over the folds' training rows, without penalty
  double valid_loss = 0;            // f
  double valid_score = 0;           // accuracy, or R^2 = 1 - sum of squares / that of the targets around their mean
  std::optional<double> test_loss;  // of the final model, fitted to all rows with the same weights
  std::optional<double> test_score;
  TuningCost cost;                    // of choosing; the final fit is not in it
  Status status = Status::converged;  // of the follower's solve at the chosen weights
  Vec y;                              // the final model's parameters, see linear_models.hpp
};

/// One point of the grid over one weight.
struct GridPoint {
  double weight = 0;
  double valid_loss = 0;
};

struct TuningResult {
  LinearModelOptions model;  // of every fit: softmax, logistic or squared, with an intercept that is not penalised
  RunResult run;             // the bilevel run, from a point of a short grid over one weight
  double base_weight = 0;    // c: the strongest weight of that grid within 5 % of its lowest loss
  Vec log_weights;           // n: log c + x_q, of a mean of losses over the folds' training rows
  Vec coefficient_norms;     // n: |y_j : j in group q| of the final model
  TunedModel tuned;
  std::optional<TunedModel> warm_grid, cold_grid, no_penalty;
  std::vector<double> guard_losses;         // of the guard rows, one for each step of the run; empty without a guard
  std::vector<GridPoint> start_grid, grid;  // the short grid; the comparator's (warm, else cold)
  std::optional<Certificate> certificate;
  std::vector<std::string> warnings;  // what speaks against believing the result, each a sentence
};

/// Weights of the grids, strongest first: each model starts from the last one's answer.
std::vector<double> tuning_grid(std::size_t points);

/// The loss and model that tune() uses: squared for real targets; logistic for two classes, but softmax for more of
/// them or for a weight per class.
LinearModelOptions tuning_model(const TuningData& data, PenaltyScale penalty, std::size_t threads);

/// The bilevel problem above, at x0 = 0 and y0 = 0. Throws as tune() does.
BilevelProblem tuning_problem(const TuningData& data, PenaltyScale penalty, double c, std::size_t threads = 1);

/// Tunes. Throws InvalidInput when the parts of `data` do not fit together, InvalidOption for options out of range or a
/// weight per class where there are none. An interrupted or failed run still yields weights and a final model.
TuningResult tune(const TuningData& data, const TuningOptions& options, const std::vector<Observer*>& observers = {},
                  const std::function<void(std::string_view)>& on_stage = {});

}  // namespace bilevel
