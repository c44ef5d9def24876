#include "sources/penalty.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bilevel/status.hpp"
#include "kernels/conversions.hpp"

namespace bilevel::sources {

namespace {

/// |t|^q for q >= 0, without pow for the usual powers.
double power_of(double t, double q) {
  const double a = std::abs(t);
  if (q == 0) return 1;
  if (q == 1) return a;
  if (q == 2) return a * a;
  if (q == 3) return a * a * a;
  if (q == 4) return (a * a) * (a * a);
  return std::pow(a, q);
}

/// Derivative of |t|^p.
double slope_of(double t, double p) { return p == 2 ? 2 * t : p * std::copysign(power_of(t, p - 1), t); }

/// Second derivative of |t|^p.
double curvature_of(double t, double p) { return p * (p - 1) * power_of(t, p - 2); }

/// G of groups numbered 0..G-1.
Index count_groups(const std::vector<std::uint32_t>& groups, std::size_t features) {
  if (groups.size() != features) {
    throw DimensionMismatch(
        fmt::format("penalty_groups has {} entries, but the model has {} features", groups.size(), features));
  }
  std::vector<std::uint8_t> seen(features, 0);
  std::uint32_t largest = 0;
  for (const auto group : groups) {
    if (group >= features) {
      throw InvalidOption(fmt::format("penalty_groups holds {}, but {} features have at most that many groups, from 0",
                                      group, features));
    }
    seen[group] = 1;
    largest = std::max(largest, group);
  }
  const auto missing = std::find(seen.begin(), seen.begin() + largest, 0);
  if (missing != seen.begin() + largest) {
    throw InvalidOption(
        fmt::format("penalty_groups has no feature in group {}, but some in group {}: number them from 0",
                    missing - seen.begin(), largest));
  }
  return static_cast<Index>(largest) + 1;
}

Index group_count(const TrainingOptions& options, const LinearModel& model, bool with_intercept) {
  switch (options.penalty_scale) {
    case PenaltyScale::fixed: return 0;
    case PenaltyScale::single: return 1;
    case PenaltyScale::per_class: return static_cast<Index>(model.scores());
    case PenaltyScale::per_feature: return static_cast<Index>(model.features()) + (with_intercept ? 1 : 0);
    case PenaltyScale::per_group:
      return count_groups(options.penalty_groups, model.features()) + (with_intercept ? 1 : 0);
  }
  throw InvalidOption("unknown penalty_scale; allowed are fixed, single, per_class, per_feature and per_group");
}

}  // namespace

Penalty::Penalty(const LinearModel& model, const TrainingOptions& options)
    : strength_(options.regularization),
      power_(options.penalty_norm),
      scale_(options.penalty_scale),
      groups_(0),
      scores_(static_cast<Index>(model.scores())),
      features_(static_cast<Index>(model.features())),
      with_intercept_(model.options().intercept && options.penalize_intercept) {
  if (!(strength_ >= 0) || !std::isfinite(strength_)) {
    throw InvalidOption(fmt::format("regularization is {}, but must be a number >= 0", strength_));
  }
  if (!(power_ >= 2) || !std::isfinite(power_)) {
    throw InvalidOption(fmt::format("penalty_norm is {}, but must be a number >= 2", power_));
  }
  groups_ = group_count(options, model, with_intercept_);
  if (scale_ == PenaltyScale::per_group) feature_groups_ = options.penalty_groups;
  if (groups_ > 0 && strength_ == 0) {
    throw InvalidOption(fmt::format("penalty_scale {} needs regularization > 0, but it is 0", to_string(scale_)));
  }
}

template <class Visit>
void Penalty::for_each(const Visit& visit) const {
  const bool per_feature = scale_ == PenaltyScale::per_feature, per_group = scale_ == PenaltyScale::per_group;
  const bool per_class = scale_ == PenaltyScale::per_class;
  for (Index c = 0; c < scores_; ++c) {
    const Index group = per_class ? c : 0;
    for (Index j = 0; j < features_; ++j) {
      visit(c * features_ + j, per_feature ? j
                               : per_group ? Index{feature_groups_[static_cast<std::size_t>(j)]}
                                           : group);
    }
  }
  if (!with_intercept_) return;
  const bool own = per_feature || per_group;  // the last group is the intercept's
  for (Index c = 0; c < scores_; ++c) visit(scores_ * features_ + c, own ? groups_ - 1 : per_class ? c : 0);
}

template <class Visit>
void Penalty::for_each_run(const Visit& visit) const {
  if (scale_ != PenaltyScale::per_class) {
    visit(0, scores_ * features_ + (with_intercept_ ? scores_ : 0), 0);
    return;
  }
  for (Index c = 0; c < scores_; ++c) visit(c * features_, features_, c);
  for (Index c = 0; c < scores_ && with_intercept_; ++c) visit(scores_ * features_ + c, 1, c);
}

Vec Penalty::factors(const Vec& x) const {
  if (groups_ == 0) return Vec::Constant(1, strength_);
  return strength_ * x.array().exp();
}

double Penalty::value(const Vec& x, const Vec& y) const {
  if (is_zero()) return 0;
  const Vec factor = factors(x);
  double total = 0;
  if (power_ == 2 && has_runs()) {
    for_each_run(
        [&](Index first, Index count, Index q) { total += factor[q] * y.segment(first, count).squaredNorm(); });
  } else {
    for_each([&](Index k, Index q) { total += factor[q] * power_of(y[k], power_); });
  }
  return total;
}

void Penalty::add_grad_x(const Vec& x, const Vec& y, Eigen::Ref<Vec> result) const {
  const Vec factor = factors(x);
  if (power_ == 2 && has_runs()) {
    for_each_run(
        [&](Index first, Index count, Index q) { result[q] += factor[q] * y.segment(first, count).squaredNorm(); });
  } else {
    for_each([&](Index k, Index q) { result[q] += factor[q] * power_of(y[k], power_); });
  }
}

void Penalty::add_grad_y(const Vec& x, const Vec& y, Vec& result) const {
  if (is_zero()) return;
  const Vec factor = factors(x);
  if (power_ == 2 && has_runs()) {
    add_runs(factor, y, result);
  } else {
    for_each([&](Index k, Index q) { result[k] += factor[q] * slope_of(y[k], power_); });
  }
}

void Penalty::add_runs(const Vec& factor, const Vec& t, Vec& result) const {
  for_each_run([&](Index first, Index count, Index q) {
    kernels::add_scaled(static_cast<std::size_t>(count), 2 * factor[q], t.data() + first, result.data() + first);
  });
}

void Penalty::add_hess_yy(const Vec& x, const Vec& y, const Vec& v, Vec& result) const {
  if (is_zero()) return;
  const Vec factor = factors(x);
  if (power_ == 2 && has_runs()) {
    add_runs(factor, v, result);
  } else if (power_ == 2) {
    for_each([&](Index k, Index q) { result[k] += 2 * factor[q] * v[k]; });
  } else {
    for_each([&](Index k, Index q) { result[k] += factor[q] * curvature_of(y[k], power_) * v[k]; });
  }
}

void Penalty::add_hess_xy(const Vec& x, const Vec& y, const Vec& v, Eigen::Ref<Vec> result) const {
  const Vec factor = factors(x);
  for_each([&](Index k, Index q) { result[q] += factor[q] * slope_of(y[k], power_) * v[k]; });
}

void Penalty::add_hess_yx(const Vec& x, const Vec& y, const Vec& u, Vec& result) const {
  const Vec factor = factors(x);
  for_each([&](Index k, Index q) { result[k] += u[q] * factor[q] * slope_of(y[k], power_); });
}

}  // namespace bilevel::sources
