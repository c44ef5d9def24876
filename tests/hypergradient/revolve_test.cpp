#include "hypergradient/revolve.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace bilevel {
namespace {

struct Trace {
  std::vector<Index> visited;
  Index advances = 0;
};

Trace trace_of(Index steps, Index checkpoints) {
  Trace trace;
  revolve(
      Vec(Vec::Zero(1)), steps, checkpoints,
      [&](const Vec& y) {
        ++trace.advances;
        return Vec(y.array() + 1);
      },
      [&](const Vec& y) { trace.visited.push_back(static_cast<Index>(y[0])); });
  return trace;
}

TEST(Revolve, VisitsEveryStepOnceInReverseAtTheStatedCost) {
  for (Index checkpoints = 0; checkpoints <= 12; ++checkpoints) {
    for (Index steps = 1; steps <= 200; ++steps) {
      const auto trace = trace_of(steps, checkpoints);
      ASSERT_EQ(static_cast<Index>(trace.visited.size()), steps);
      for (Index j = 0; j < steps; ++j) {
        ASSERT_EQ(trace.visited[static_cast<std::size_t>(j)], steps - 1 - j) << steps << " / " << checkpoints;
      }
      ASSERT_EQ(trace.advances, revolve_cost(steps, checkpoints)) << steps << " / " << checkpoints;
    }
  }
}

// The fewest advances by dynamic programming over all first splits, independent of the binomial formulas.
TEST(Revolve, NoScheduleNeedsFewerAdvances) {
  constexpr Index kSteps = 80, kCheckpoints = 6;
  std::vector<std::vector<Index>> least(kCheckpoints + 1, std::vector<Index>(kSteps + 1, 0));
  for (Index l = 1; l <= kSteps; ++l) least[0][static_cast<std::size_t>(l)] = l * (l - 1) / 2;
  for (std::size_t c = 1; c <= kCheckpoints; ++c) {
    for (std::size_t l = 2; l <= kSteps; ++l) {
      Index best = least[0][l];
      for (std::size_t left = 1; left < l; ++left) {
        best = std::min(best, static_cast<Index>(left) + least[c - 1][l - left] + least[c][left]);
      }
      least[c][l] = best;
    }
  }
  for (Index c = 0; c <= kCheckpoints; ++c) {
    for (Index l = 1; l <= kSteps; ++l) {
      ASSERT_EQ(revolve_cost(l, c), least[static_cast<std::size_t>(c)][static_cast<std::size_t>(l)]) << l << " / " << c;
    }
  }
}

TEST(Revolve, HandValues) {
  EXPECT_EQ(revolve_cost(1, 3), 0);
  EXPECT_EQ(revolve_cost(4, 0), 3 + 2 + 1);
  EXPECT_EQ(revolve_cost(4, 3), 3) << "enough checkpoints: the forward path once, without its last step";
  EXPECT_EQ(revolve_cost(4, 1), 4) << "keep y_2: 2 + 1 on the right, 1 on the left";
  EXPECT_EQ(revolve_cost(10, 2), 15);  // Griewank and Walther's figure: 10 steps, 3 checkpoints with the start
  EXPECT_EQ(revolve_reach(2, 2), 10);  // C(2 + 1 + 2, 2 + 1)
}

/// A state that counts its kind.
class Counted {
 public:
  explicit Counted(Index index) : index_(index) { ++alive; }
  Counted(const Counted& other) : index_(other.index_) { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --alive; }
  Index index() const { return index_; }
  static inline Index alive = 0;

 private:
  Index index_;
};

TEST(Revolve, KeepsNoMoreStatesThanItWasGiven) {
  for (Index checkpoints = 0; checkpoints <= 12; ++checkpoints) {
    for (const Index steps : {1, 2, 7, 30, 200}) {
      const Counted start(0);
      Index most = 0;
      revolve(
          start, steps, checkpoints,
          [&](const Counted& y) {
            most = std::max(most, Counted::alive);
            return Counted(y.index() + 1);
          },
          [&](const Counted&) { most = std::max(most, Counted::alive); });
      EXPECT_LE(most, checkpoints + 2) << "the checkpoints, the start and the running state; " << steps << " steps";
      EXPECT_EQ(Counted::alive, 1);
    }
  }
}

}  // namespace
}  // namespace bilevel
