#include "applications/tuning_guard.hpp"

#include "applications/folds.hpp"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "applications/tuning_rows.hpp"

namespace bilevel {

GuardedData set_guard_aside(const TuningData& data, double share) {
  GuardedData guarded{data, {}};
  if (!(share > 0)) return guarded;
  for (auto& fold : guarded.steering.folds) {
    std::vector<std::uint32_t> aside;
    const std::size_t rows = fold.valid.features.rows();
    for (std::size_t i = 0; i < rows; ++i) {
      // Row i is set aside where i * share passes a whole number: evenly spread, whatever the rows are sorted by.
      const auto whole = [&](std::size_t count) { return std::floor(static_cast<double>(count) * share + 0.5); };
      if (whole(i + 1) > whole(i)) aside.push_back(static_cast<std::uint32_t>(i));
    }
    if (aside.empty() || aside.size() == rows) return {data, {}};
    const auto kept = others(aside, rows);
    guarded.guard.push_back({fold.valid.features.subset(aside), pick(fold.valid.targets, aside)});
    fold.valid = {fold.valid.features.subset(kept), pick(fold.valid.targets, kept)};
  }
  return guarded;
}

GuardObserver::GuardObserver(const std::vector<TuningRows>& guard, const LinearModelOptions& model,
                             const StopRule& stop)
    : guard_(guard), model_(model), asked_(stop) {}

StopRule GuardObserver::stop() const {
  StopRule rule = asked_;
  rule.interrupt = &over_;
  return rule;
}

double GuardObserver::loss(const Vec& y) const {
  const auto folds = static_cast<Index>(guard_.size());
  const Index length = y.size() / folds;
  double total = 0;
  for (Index k = 0; k < folds; ++k) {
    const auto& rows = guard_[static_cast<std::size_t>(k)];
    total += validation_objective(rows.features, rows.targets, model_, 0)->value(Vec(), y.segment(k * length, length));
  }
  return total / static_cast<double>(folds);
}

void GuardObserver::on_step(const TraceRow& row, const OuterMethod::State& state) {
  if (asked_.interrupt && asked_.interrupt->load()) over_ = true;
  if (guard_.empty()) return;
  const double now = loss(state.y);
  losses_.push_back(now);
  if (now < lowest_) {
    lowest_ = now;
    best_iteration_ = row.iteration;
    best_upper_ = row.report.upper;
    best_x_ = state.answered_x;
    best_y_ = state.y;
  }
  if (std::isinf(reference_) || now < reference_ * (1 - asked_.improvement)) {
    reference_ = now;
    reference_iteration_ = row.iteration;
  }
  if (asked_.improvement > 0 && row.iteration - reference_iteration_ >= asked_.patience && !over_) {
    over_ = true;
    ended_by_guard_ = true;
  }
}

void GuardObserver::judge(RunResult& result) const {
  if (best_iteration_ == 0) return;
  result.best_x = best_x_;
  result.best_y = best_y_;
  result.best_upper = best_upper_;
  result.best_iteration = best_iteration_;
  if (!ended_by_guard_ || result.status != Status::interrupted) return;
  result.status = Status::stagnated;
  result.message = fmt::format("the loss of the guard rows improved by less than {:.3g} % over {} steps",
                               100 * asked_.improvement, asked_.patience);
}

}  // namespace bilevel
