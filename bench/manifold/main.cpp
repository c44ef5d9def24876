// What HG-MS costs as the follower's manifold and the space around it grow: bilevel_manifold [picture.png]. A minute.
#include <fmt/format.h>

#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include "bilevel/hg_ms.hpp"
#include "bilevel/run.hpp"
#include "manifold/cost_picture.hpp"
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

/// The same game with four distinct eigenvalues beside the sphere's, however many dimensions there are.
std::shared_ptr<const testing::SphereGame> with_few_eigenvalues(const testing::SphereGame& game) {
  auto changed = std::make_shared<testing::SphereGame>(game);
  for (Index i = 0; i < changed->lambda.size(); ++i) changed->lambda[i] = 0.5 * static_cast<double>(1 + i % 4);
  return changed;
}

/// The mean over the seeds on which the gap was reached.
ManifoldCost measure(Index k, Index m, Exploration exploration, bool few_eigenvalues) {
  ManifoldCost cost{.k = k, .m = m};
  for (std::uint64_t seed = 1; seed <= ManifoldCost::kSeeds; ++seed) {
    auto game = testing::sphere_game(k, m, seed);
    if (few_eigenvalues) game = with_few_eigenvalues(*game);
    const auto problem = testing::sphere_problem(game);
    Gap gap(*game, least_value(*game, problem.x0));
    run(problem, HgMs({.selection = {.exploration = exploration}}),
        {.tolerance = 0, .max_iterations = 500, .interrupt = &gap.stop}, {&gap});
    if (!gap.reached()) continue;
    const auto& row = *gap.reached();
    const double weight = 1.0 / static_cast<double>(++cost.reached);
    const auto average = [&](double& mean, double value) { mean += weight * (value - mean); };
    average(cost.steps, static_cast<double>(row.iteration));
    average(cost.gradients, static_cast<double>(row.lower[Oracle::grad_y]));
    average(cost.products, static_cast<double>(row.lower[Oracle::hess_yy]));
    average(cost.upper_gradients, static_cast<double>(row.upper[Oracle::grad_y]));
    average(cost.seconds, row.seconds);
  }
  return cost;
}

std::vector<ManifoldCost> print_table(Exploration exploration, bool few_eigenvalues) {
  std::vector<ManifoldCost> all;
  for (const Index k : {1, 2, 3, 6}) {
    for (const Index m : {10, 100, 1000, 10000}) {
      const auto c = all.emplace_back(measure(k, m, exploration, few_eigenvalues));
      fmt::print("{:<10}{:>4}{:>8}{:>9}{:>8.1f}{:>10.0f}{:>10.0f}{:>10.0f}{:>9.3f}\n",
                 few_eigenvalues ? "four" : to_string(exploration), k, m,
                 fmt::format("{}/{}", c.reached, ManifoldCost::kSeeds), c.steps, c.gradients, c.products,
                 c.upper_gradients, c.seconds);
    }
  }
  return all;
}

}  // namespace

}  // namespace bilevel::bench

int main(int argc, char** argv) {
  using namespace bilevel;
  try {
    fmt::print(
        "Calls until F(x) - min F <= {:g} on a sphere of dimension k in R^m, mean of {} games; four: the same with "
        "four\n"
        "distinct eigenvalues of H across the sphere instead of m - k - 1\n\n"
        "{:<10}{:>4}{:>8}{:>9}{:>8}{:>10}{:>10}{:>10}{:>9}\n",
        bench::Gap::kGap, bench::ManifoldCost::kSeeds, "explore", "k", "m", "reached", "steps", "g grad_y", "g hess_yy",
        "f grad_y", "seconds");
    const auto costs = bench::print_table(Exploration::tangent, false);
    const auto few = bench::print_table(Exploration::tangent, true);
    bench::print_table(Exploration::langevin, false);
    if (argc > 1) {
      bench::draw_costs(costs, few, argv[1]);
      fmt::print("\nPicture: {}\n", argv[1]);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "bilevel_manifold: {}\n", error.what());
    return 1;
  }
}
