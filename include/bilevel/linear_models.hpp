// Objectives of linear models on data: softmax and logistic regression, least squares; weighted and penalised by the
// leader (data cleaning, hyperparameter tuning), or plain (validation).
//
// The follower's variable y holds one weight vector for each score, score after score, then the intercepts:
//     y = [ W_0 (d entries) ; W_1 ; ... ; W_{S-1} ; b (S entries, only with an intercept) ],    score_c = <W_c, x> +
//     b_c
// with S = C scores for softmax and S = 1 for logistic regression and least squares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "bilevel/feature_matrix.hpp"
#include "bilevel/objective.hpp"

namespace bilevel {

/// The loss of one row with scores s.
enum class LinearLoss : std::uint8_t {
  softmax,   // log sum_c exp(s_c) - s_label                 labels 0..C-1, C scores
  logistic,  // log(1 + exp(s)) - label s                    labels 0 and 1, one score: that of class 1 against class 0
  squared,   // (s - target)^2 / 2                           real targets, one score
};
std::string_view to_string(LinearLoss loss);

/// Which weights share a factor exp(x_q) that the leader chooses for their penalty.
enum class PenaltyScale : std::uint8_t {
  fixed,        // none: the factor is 1
  single,       // one factor for all
  per_class,    // one for each score: S
  per_feature,  // one for each feature: d, and one more for a penalised intercept (the feature that is always 1)
  per_group,    // one for each group of features in penalty_groups: G, and one more for a penalised intercept
};
std::string_view to_string(PenaltyScale scale);

/// What the follower's variable means, and how passes over the data are run.
struct LinearModelOptions {
  LinearLoss loss = LinearLoss::softmax;

  /// C >= 2, the number of classes. Ignored by the squared loss; logistic allows only 2.
  std::size_t classes = 2;

  /// Whether each score has an intercept b_c. Switch it on unless the features are centred or hold a constant.
  bool intercept = false;

  /// Threads of a pass over the data, 1..1024; 0: one for each processor. Results differ by rounding between thread
  /// counts and not at all between runs with the same count. More than one pays from some thousand rows on.
  std::size_t threads = 1;
};

/// The training objective
///     g(x, y) = 1/N sum_i w_i loss_i(y) + c sum_k s_k |y_k|^p.
/// The leader is x = [row logits (N) ; log penalties], each part only if it is switched on here. H is singular along
/// the softmax's null directions (the same vector added to all W_c, the same number to all b_c) where c does not
/// penalise them.
struct TrainingOptions {
  LinearModelOptions model;

  /// w_i = sigmoid(x_i) with a leader entry for each row; otherwise w_i = 1.
  bool row_weights = false;

  /// c >= 0. Zero leaves the problem without strong convexity; the implicit methods want it positive.
  double regularization = 0;

  /// p >= 2. Greater than 2 makes g uniformly instead of strongly convex.
  double penalty_norm = 2;

  /// s_k = exp(x_q) for the weights of group q; otherwise s_k = 1. Needs c > 0.
  PenaltyScale penalty_scale = PenaltyScale::fixed;

  /// For per_group: the group 0..G-1 of each of the d features, no number left out.
  std::vector<std::uint32_t> penalty_groups = {};

  /// Whether the intercepts are among the y_k of the penalty. By custom they are not: the price is that with softmax H
  /// has the null direction "the same number added to all b_c"; switch it on where H must be invertible.
  bool penalize_intercept = false;
};

/// Labels 0..C-1 (softmax, logistic) or real targets (squared), one for each row.
using Targets = std::variant<std::vector<std::int32_t>, std::vector<double>>;

/// A linear model without data: sizes and predictions. Throws InvalidOption for options out of range.
class LinearModel {
 public:
  LinearModel(std::size_t features, const LinearModelOptions& options);

  const LinearModelOptions& options() const { return options_; }
  std::size_t features() const { return features_; }
  /// S: C for softmax, else 1.
  std::size_t scores() const { return options_.loss == LinearLoss::softmax ? options_.classes : 1; }
  /// S d, plus S with an intercept.
  Index dim_y() const;

  using Table = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  /// rows x S. The predictions all throw DimensionMismatch if the matrix has other features than the model or y another
  /// length than dim_y().
  Table predict_scores(const FeatureMatrix& features, const Vec& y) const;
  /// rows x C; throws InvalidOption for the squared loss.
  Table predict_probabilities(const FeatureMatrix& features, const Vec& y) const;
  /// The class of the greatest score (the first of equals); throws InvalidOption for the squared loss.
  std::vector<std::int32_t> predict_labels(const FeatureMatrix& features, const Vec& y) const;
  /// Share of rows whose predicted label is the given one, in [0, 1].
  double accuracy(const FeatureMatrix& features, std::span<const std::int32_t> labels, const Vec& y) const;

 private:
  std::size_t features_;
  LinearModelOptions options_;
};

/// An objective of a linear model on data. Calls from several threads at once are safe, one pass runs at a time.
class LinearObjective : public Objective {
 public:
  virtual const LinearModel& model() const = 0;
  virtual const FeatureMatrix& features() const = 0;

  /// loss_i(y) of each row, unweighted and without penalty: R^N.
  virtual Vec row_losses(const Vec& y) const = 0;

 protected:
  using Objective::Objective;
};

/// The follower's objective g of TrainingOptions, named "training". Throws InvalidOption for options out of range,
/// DimensionMismatch unless there is one target for each row, InvalidInput for a label or target that is not allowed.
std::shared_ptr<const LinearObjective> training_objective(const FeatureMatrix& features, Targets targets,
                                                          const TrainingOptions& options);

/// The leader's objective f(x, y) = 1/M sum_i loss_i(y), named "validation"; it does not depend on the dim_x entries of
/// x. Throws like training_objective.
std::shared_ptr<const LinearObjective> validation_objective(const FeatureMatrix& features, Targets targets,
                                                            const LinearModelOptions& options, Index dim_x);

}  // namespace bilevel
