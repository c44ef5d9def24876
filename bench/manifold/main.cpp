// What HG-MS costs as the follower's manifold and the space around it grow: bilevel_manifold. Ten seconds.
#include <fmt/format.h>

#include <atomic>
#include <exception>
#include <limits>
#include <optional>

#include "bilevel/hg_ms.hpp"
#include "bilevel/run.hpp"
#include "manifold/sphere_game.hpp"

namespace bilevel::bench {

namespace {

/// The least F, by gradient descent on the closed form: F is smooth near it.
double least_value(const testing::SphereGame& game, Vec x) {
  for (int i = 0; i < 20000; ++i) x -= 0.05 * game.gradient(x);
  return game.value(x);
}

/// Stops a run once F(x) - min F is small.
class Gap final : public Observer {
 public:
  Gap(const testing::SphereGame& game, double least) : game_(game), least_(least) {}

  void on_step(const TraceRow& row, const OuterMethod::State& state) override {
    if (game_.value(state.answered_x) - least_ > kGap) return;
    reached_ = row;
    stop = true;
  }
  const std::optional<TraceRow>& reached() const { return reached_; }

  static constexpr double kGap = 1e-6;
  std::atomic<bool> stop = false;

 private:
  const testing::SphereGame& game_;
  double least_;
  std::optional<TraceRow> reached_;
};

void print_row(Index k, Index m, Exploration exploration) {
  const auto game = testing::sphere_game(k, m);
  const auto problem = testing::sphere_problem(game);
  Gap gap(*game, least_value(*game, problem.x0));
  const auto result = run(problem, HgMs({.selection = {.exploration = exploration}}),
                          {.tolerance = 0, .max_iterations = 500, .interrupt = &gap.stop}, {&gap});
  if (!gap.reached()) {
    fmt::print("{:<10}{:>4}{:>8}   not reached: {}\n", to_string(exploration), k, m, result.message);
    return;
  }
  const auto& g = gap.reached()->lower;
  fmt::print("{:<10}{:>4}{:>8}{:>8}{:>10}{:>10}{:>10}{:>9.3f}\n", to_string(exploration), k, m,
             gap.reached()->iteration, g[Oracle::grad_y], g[Oracle::hess_yy], gap.reached()->upper[Oracle::grad_y],
             gap.reached()->seconds);
}

}  // namespace

}  // namespace bilevel::bench

int main() {
  using namespace bilevel;
  try {
    fmt::print(
        "Calls until F(x) - min F <= {:g} on a sphere of dimension k in R^m\n\n"
        "{:<10}{:>4}{:>8}{:>8}{:>10}{:>10}{:>10}{:>9}\n",
        bench::Gap::kGap, "explore", "k", "m", "steps", "g grad_y", "g hess_yy", "f grad_y", "seconds");
    for (const auto exploration : {Exploration::tangent, Exploration::langevin}) {
      for (const Index k : {1, 2, 3}) {
        for (const Index m : {10, 100, 1000, 10000}) bench::print_row(k, m, exploration);
      }
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "bilevel_manifold: {}\n", error.what());
    return 1;
  }
}
