#include "hypergradient/trajectory.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "hypergradient/revolve.hpp"

namespace bilevel {

void describe(OptionTable& table, MemoryPlan& memory, Index& checkpoints) {
  table.group("Hypergradient")
      .add(
          "memory", memory,
          "how the reverse sweep gets the follower's path back: store (fastest), checkpoint (memory flat in the number "
          "of inner steps, recomputes), reversible (inverts the steps; only for short or gentle paths)",
          {{"store", MemoryPlan::store},
           {"checkpoint", MemoryPlan::checkpoint},
           {"reversible", MemoryPlan::reversible}})
      .add("checkpoints", checkpoints, "iterates that the checkpoint plan keeps", at_least(1));
}

std::string_view to_string(MemoryPlan plan) {
  switch (plan) {
    case MemoryPlan::store: return "store";
    case MemoryPlan::checkpoint: return "checkpoint";
    case MemoryPlan::reversible: return "reversible";
  }
  return "unknown";
}

bool Trajectory::note(Index step, const Vec& y, double residual) {
  residual_ = residual;
  if (step == 1) first_residual_ = residual;
  if (all_finite(y)) return true;
  nonfinite_step_ = step;
  return false;
}

void Trajectory::take_path(const StepMap& map, const Vec& x, const Vec& z, Index steps) {
  last_ = z;
  for (Index j = 0; j < steps; ++j) {
    const auto point = map.record(x, last_);
    last_ = point->image();
    if (!note(j + 1, last_, point->residual())) return;
  }
}

namespace {

using PointPtr = std::unique_ptr<const StepMap::Point>;

/// The recorded steps are kept, the last ones while they fit; of the earlier ones the iterates.
class StoredTrajectory final : public Trajectory {
 public:
  StoredTrajectory(const StepMap& map, const Vec& x, const Vec& z, Index steps, std::size_t recording_bytes)
      : map_(map), x_(x) {
    const auto fitting = static_cast<Index>(recording_bytes / std::max<std::size_t>(map.point_bytes(), 1));
    const Index first_recorded = std::max<Index>(steps - fitting, 0);
    iterates_.reserve(static_cast<std::size_t>(first_recorded));
    points_.reserve(static_cast<std::size_t>(steps - first_recorded));
    last_ = z;
    for (Index j = 0; j < steps; ++j) {
      if (j < first_recorded) iterates_.push_back(last_);
      auto point = map.record(x, last_);
      last_ = point->image();
      const bool finite = note(j + 1, last_, point->residual());
      if (j >= first_recorded) points_.push_back(std::move(point));
      if (!finite) return;
    }
  }

  Traversal sweep_back(const Visitor& visit) override {
    Traversal report;
    for (; !points_.empty(); points_.pop_back()) visit(*points_.back());
    for (; !iterates_.empty(); iterates_.pop_back()) {
      visit(*map_.record(x_, iterates_.back()));
      ++report.extra_steps;
    }
    return report;
  }

 private:
  const StepMap& map_;
  const Vec& x_;
  std::vector<Vec> iterates_;
  std::vector<PointPtr> points_;
};

/// Iterates between checkpoints are recomputed by the binomial schedule.
class CheckpointedTrajectory final : public Trajectory {
 public:
  CheckpointedTrajectory(const StepMap& map, const Vec& x, const Vec& z, Index steps, Index checkpoints)
      : map_(map), x_(x), start_(z), steps_(steps), checkpoints_(checkpoints) {
    take_path(map, x, z, steps);
  }

  Traversal sweep_back(const Visitor& visit) override {
    Traversal report;
    revolve(
        start_, steps_, checkpoints_,
        [&](const Vec& y) {
          ++report.extra_steps;
          return map_.apply(x_, y);
        },
        [&](const Vec& y) {
          ++report.extra_steps;
          visit(*map_.record(x_, y));
        });
    return report;
  }

 private:
  const StepMap& map_;
  const Vec& x_;
  Vec start_;
  Index steps_, checkpoints_;
};

/// Iterates are recovered from the last one by inverting the map.
class ReversedTrajectory final : public Trajectory {
 public:
  ReversedTrajectory(const StepMap& map, const Vec& x, const Vec& z, Index steps)
      : map_(map), x_(x), start_(z), steps_(steps) {
    take_path(map, x, z, steps);
  }

  Traversal sweep_back(const Visitor& visit) override {
    // The start is known, so the loss of digits is measured, not guessed: the inverse path must come back to it.
    constexpr double kLossAllowed = 1e-8;
    constexpr std::string_view kRemedy =
        "use --memory checkpoint, fewer --inner-steps or a smaller --inner-step-size; passes in float32 never have the "
        "digits for it, those with --precision float64 may";
    Traversal report;
    Vec y = last_;
    for (Index j = steps_; j > 0; --j) {
      auto inverse = map_.invert(x_, y);
      report.extra_steps += inverse.iterations;
      if (!inverse.found) {
        report.status = Status::breakdown;
        report.message = fmt::format("the reversible plan could not invert step {} of {} ({}): {}", j, steps_,
                                     map_.describe(), kRemedy);
        return report;
      }
      y = std::move(inverse.y);
      visit(*map_.record(x_, y));
      ++report.extra_steps;
    }
    const double loss = norm(y - start_) / (1.0 + norm(start_));
    if (!(loss <= kLossAllowed)) {
      report.status = Status::breakdown;
      report.message = fmt::format(
          "the reversible plan came back {:.1e} away from the start over {} steps (allowed {:.0e}): the follower is "
          "too strongly attracted for {}; {}",
          loss, steps_, kLossAllowed, map_.describe(), kRemedy);
    }
    return report;
  }

 private:
  const StepMap& map_;
  const Vec& x_;
  Vec start_;
  Index steps_;
};

}  // namespace

std::unique_ptr<Trajectory> make_trajectory(const StepMap& map, const Vec& x, const Vec& z, Index steps,
                                            const UnrolledOptions& options) {
  switch (options.memory) {
    case MemoryPlan::store: return std::make_unique<StoredTrajectory>(map, x, z, steps, options.recording_bytes);
    case MemoryPlan::checkpoint: return std::make_unique<CheckpointedTrajectory>(map, x, z, steps, options.checkpoints);
    case MemoryPlan::reversible: return std::make_unique<ReversedTrajectory>(map, x, z, steps);
  }
  throw InvalidOption("unknown memory plan");
}

}  // namespace bilevel
