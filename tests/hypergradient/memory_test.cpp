// What the memory plans keep alive, counted: recorded steps are the expensive part (a pass's probabilities, a tape).
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "bilevel/hypergradient.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

/// A map whose recorded steps know how many of them exist.
class CountingMap final : public StepMap {
 public:
  explicit CountingMap(const StepMap& map) : map_(map) {}

  Vec apply(const Vec& x, const Vec& y) const override { return map_.apply(x, y); }
  std::unique_ptr<const Point> record(const Vec& x, const Vec& y) const override {
    return std::make_unique<CountedPoint>(map_.record(x, y), *this);
  }
  Inverse invert(const Vec& x, const Vec& y_next) const override { return map_.invert(x, y_next); }
  std::size_t point_bytes() const override { return map_.point_bytes(); }
  std::string describe() const override { return map_.describe(); }

  Index most_alive() const { return most_alive_; }

 private:
  class CountedPoint final : public Point {
   public:
    CountedPoint(std::unique_ptr<const Point> point, const CountingMap& owner)
        : point_(std::move(point)), owner_(owner) {
      owner_.most_alive_ = std::max(owner_.most_alive_, ++owner_.alive_);
    }
    ~CountedPoint() override { --owner_.alive_; }
    const Vec& image() const override { return point_->image(); }
    double residual() const override { return point_->residual(); }
    PullBack pull_back(const Vec& v) const override { return point_->pull_back(v); }
    Vec push_forward(const Vec& dx, const Vec& dy) const override { return point_->push_forward(dx, dy); }

   private:
    std::unique_ptr<const Point> point_;
    const CountingMap& owner_;
  };

  const StepMap& map_;
  mutable Index alive_ = 0, most_alive_ = 0;
};

Index most_alive(const UnrolledOptions& options) {
  const auto problem = nonlinear_problem();
  const GradientDescentMap map(*problem.lower, 0.1);
  const CountingMap counting(map);
  EXPECT_EQ(unrolled(problem, counting, problem.x0, problem.y0, options).status, Status::converged);
  return counting.most_alive();
}

TEST(MemoryPlans, CheckpointAndReversibleAreFlatInTheNumberOfSteps) {
  for (const auto memory : {MemoryPlan::checkpoint, MemoryPlan::reversible}) {
    for (const Index steps : {2, 10, 40}) {
      EXPECT_EQ(most_alive({.steps = steps, .memory = memory}), 1) << to_string(memory) << ", " << steps << " steps";
    }
  }
}

TEST(MemoryPlans, StoreKeepsEveryStepThatFitsAndNoMore) {
  EXPECT_EQ(most_alive({.steps = 40}), 40);
  const auto problem = nonlinear_problem();
  const std::size_t bytes = GradientDescentMap(*problem.lower, 0.1).point_bytes();
  // One more is alive while the next is recorded or while a forgotten one is recorded again.
  EXPECT_LE(most_alive({.steps = 40, .recording_bytes = 7 * bytes}), 8);
  EXPECT_EQ(most_alive({.steps = 40, .recording_bytes = 0}), 1);
}

}  // namespace
}  // namespace bilevel::testing
