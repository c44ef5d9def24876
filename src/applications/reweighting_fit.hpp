// The models around a reweighting run: fits with given source weights, and on the target's rows alone.
#pragma once

#include "bilevel/lower.hpp"
#include "bilevel/reweighting.hpp"

namespace bilevel {

Network reweighting_network(const ReweightingData& data, const ReweightingOptions& options);

/// loss of `rows` with n = dim_x entries of x that it does not depend on.
std::shared_ptr<const Objective> rows_loss(const Network& network, const LabelledRows& rows, Index dim_x,
                                           std::size_t threads);

/// What lower_tolerance says or leaves open.
double relative_tolerance(const ReweightingOptions& options);

/// Fits models to one set of data; all start from the same y0.
class MixtureFitter {
 public:
  MixtureFitter(const ReweightingData& data, const ReweightingOptions& options);

  const Network& network() const { return network_; }

  /// Trains on the sources with weights softmax(logits) and penalty c; judged on the validation rows.
  WeighedModel fit(const Vec& logits, double c) const;
  /// The same with the best c of a grid, or the given one.
  WeighedModel fit_best(const Vec& logits) const;
  /// Trains on the target's validation rows, c by cross-validation with five folds, or the given one.
  WeighedModel fit_target() const;

  /// |g_y| that models are fitted to.
  double tolerance() const { return tolerance_; }

  /// Loss and accuracy on the test rows, if there are any.
  void judge_test(WeighedModel& model) const;

 private:
  using Sources = std::vector<std::shared_ptr<const Objective>>;
  LowerSolver::Summary solve(const Sources& sources, const Vec& logits, double c, const Vec& start) const;
  /// Tries the grid's values from the strongest; once the loss has fallen, two in a row that are worse end it. `fit`
  /// gives a model for c.
  template <class Fit>
  WeighedModel best_of_grid(const Fit& fit) const;

  const ReweightingData& data_;
  const ReweightingOptions& options_;
  Network network_;
  Vec start_;
  Sources sources_;
  double tolerance_ = 1, curvature_ = 1;  // |H| is that of the untrained model under uniform weights, without penalty
};

}  // namespace bilevel
