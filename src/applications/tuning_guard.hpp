// Some validation rows do not steer the weights: they tell when the others are being overfitted.
#pragma once

#include <atomic>
#include <limits>
#include <vector>

#include "bilevel/tuning.hpp"

namespace bilevel {

/// The same data with the share of each fold's validation rows, evenly spread, taken away ...
struct GuardedData {
  TuningData steering;
  /// ... and put here; none where a fold has too few rows, or the share is 0.
  std::vector<TuningRows> guard;
};
GuardedData set_guard_aside(const TuningData& data, double share);

/// Follows a run, keeps the pair with the lowest mean loss on the guard rows, and asks the run to stop when that has
/// not improved by the stop rule's share over its patience. Without guard rows it does nothing but pass on interrupts.
class GuardObserver final : public Observer {
 public:
  GuardObserver(const std::vector<TuningRows>& guard, const LinearModelOptions& model, const StopRule& stop);

  /// The rule for run(): its interrupt is this object's.
  StopRule stop() const;
  void on_step(const TraceRow& row, const OuterMethod::State& state) override;
  /// The run as the guard sees it: its best pair, and stagnated where the guard ended it.
  void judge(RunResult& result) const;

  /// One for each step: the best so far where the step was taken back.
  const std::vector<double>& losses() const { return losses_; }

 private:
  double loss(const Vec& y) const;

  const std::vector<TuningRows>& guard_;
  LinearModelOptions model_;
  StopRule asked_;
  std::atomic<bool> over_{false};
  bool ended_by_guard_ = false;
  std::vector<double> losses_;
  double lowest_ = std::numeric_limits<double>::infinity(), reference_ = lowest_;
  Index reference_iteration_ = 0, best_iteration_ = 0;
  double best_upper_ = lowest_;
  Vec best_x_, best_y_;
};

}  // namespace bilevel
