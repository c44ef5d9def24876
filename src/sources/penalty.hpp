// The penalty c sum_k s_k(x) |y_k|^p of a linear model's weights, and its derivatives.
#pragma once

#include <cstdint>
#include <vector>

#include "bilevel/linear_models.hpp"

namespace bilevel::sources {

/// phi(x, y) = c sum_k s_k |y_k|^p over the penalised entries of y; s_k = exp(x_q) with q the group of k, or 1.
/// `x` holds only the leader's log penalties. The calls add to their result; those in x need groups() > 0.
class Penalty {
 public:
  /// Throws InvalidOption for c < 0, p < 2, a scale with c = 0, or groups that are not numbered 0..G-1;
  /// DimensionMismatch unless per_group has one for each feature.
  Penalty(const LinearModel& model, const TrainingOptions& options);

  bool is_zero() const { return strength_ == 0; }
  /// Number of log penalties that the leader chooses, 0 if none.
  Index groups() const { return groups_; }
  /// Whether the products depend on y (always so if they have a part in x).
  bool is_quadratic() const { return power_ == 2 && groups_ == 0; }

  double value(const Vec& x, const Vec& y) const;
  void add_grad_x(const Vec& x, const Vec& y, Eigen::Ref<Vec> result) const;
  void add_grad_y(const Vec& x, const Vec& y, Vec& result) const;
  void add_hess_yy(const Vec& x, const Vec& y, const Vec& v, Vec& result) const;
  void add_hess_xy(const Vec& x, const Vec& y, const Vec& v, Eigen::Ref<Vec> result) const;
  void add_hess_yx(const Vec& x, const Vec& y, const Vec& u, Vec& result) const;

 private:
  /// c exp(x_q) of each group, or just c.
  Vec factors(const Vec& x) const;
  /// Calls visit(k, q) for each penalised entry k of y and its group q.
  template <class Visit>
  void for_each(const Visit& visit) const;
  /// Calls visit(first, count, q) for each run of penalised entries of the one group q; needs has_runs().
  template <class Visit>
  void for_each_run(const Visit& visit) const;
  /// result += 2 factor_q t over the runs: the square's derivative at t, and its product with t.
  void add_runs(const Vec& factor, const Vec& t, Vec& result) const;
  /// Whether the entries of a group are neighbours, so that a square's terms can be done by whole vectors.
  bool has_runs() const { return scale_ != PenaltyScale::per_feature && scale_ != PenaltyScale::per_group; }

  double strength_;
  double power_;
  PenaltyScale scale_;
  std::vector<std::uint32_t> feature_groups_;  // d for per_group, else empty
  Index groups_;
  Index scores_;
  Index features_;
  bool with_intercept_;
};

}  // namespace bilevel::sources
