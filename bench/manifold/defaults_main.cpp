// What HG-MS's settings of exploration cost and find, one changed at a time: bilevel_manifold_defaults
// [examples/games].
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bilevel/game.hpp"
#include "bilevel/hg_ms.hpp"
#include "bilevel/run.hpp"
#include "manifold/sphere_game.hpp"

namespace bilevel::bench {

namespace {

/// f has two wells on the sphere, at +-1 along its first axis, the far one deeper by 0.4; the start is at the near one,
/// and the leader's own term is least at x = 0.
BilevelProblem two_wells_on_a_sphere(Index k, std::uint64_t seed) {
  constexpr double kTilt = 0.2, kLeader = 0.05;
  const auto game = testing::sphere_game(k, k + 5, seed);
  auto problem = testing::sphere_problem(game);
  const Index head = k + 1, tail = game->m - head;
  const auto relative = [game, head, tail](const Vec& x, const Vec& y) {
    Vec z = game->reflect(y);
    z.head(head) -= game->C * x;
    z.tail(tail) -= game->b * x;
    return z;
  };
  const auto slope = [=](const Vec& x, const Vec& y) {
    Vec d = relative(x, y);
    const double first = d[0];
    d.head(head).setZero();
    d[0] = kTilt - first;
    return d;
  };
  testing::Oracles f;
  f.value = [=](const Vec& x, const Vec& y) {
    const Vec z = relative(x, y);
    return kTilt * z[0] - 0.5 * z[0] * z[0] + 0.5 * z.tail(tail).squaredNorm() + kLeader * x.squaredNorm();
  };
  f.grad_y = [=](const Vec& x, const Vec& y) { return game->reflect(slope(x, y)); };
  f.grad_x = [=](const Vec& x, const Vec& y) -> Vec {
    const Vec d = slope(x, y);
    return 2 * kLeader * x - game->C.transpose() * d.head(head) - game->b.transpose() * d.tail(tail);
  };
  Vec near = Vec::Unit(game->m, 0);
  near.head(head) += game->C * problem.x0;
  near.tail(tail) = game->b * problem.x0;
  problem.upper = testing::objective_of("two wells", problem.dim_x(), game->m, std::move(f));
  problem.y0 = game->reflect(near);
  return problem;
}
constexpr double kDeeperWell = -0.7;  // min F

struct Setting {
  std::string name;
  HgMsOptions options;
};

std::vector<Setting> settings() {
  std::vector<Setting> all{{"defaults", {}}};
  for (const Index every : {5, 100, 100000}) {
    all.push_back({fmt::format("explore-every {}", every), {.explore_every = every}});
  }
  for (const double move : {0.05, 1.0, 1e9}) {
    all.push_back({fmt::format("explore-move {:g}", move), {.explore_move = move}});
  }
  for (const double jump : {0.05, 0.25, 1e9}) {
    all.push_back({fmt::format("explore-jump {:g}", jump), {.explore_jump = jump}});
  }
  for (const Index samples : {0, 2, 4, 16, 32}) {
    all.push_back({fmt::format("exploration-samples {}", samples), {.selection = {.samples = samples}}});
  }
  for (const Index polished : {1, 2, 6, 10}) {
    all.push_back({fmt::format("polished {}", polished), {.selection = {.polished = polished}}});
  }
  all.push_back({"exploration langevin", {.selection = {.exploration = Exploration::langevin}}});
  all.push_back({"exploration restarts", {.selection = {.exploration = Exploration::restarts}}});
  return all;
}

double calls(const OracleCounts& counts) {
  return static_cast<double>(counts[Oracle::grad_y] + counts[Oracle::hess_yy]);
}

/// Games solved to 1e-6, and calls of grad_y and hess_yy of g over all of them.
std::pair<int, double> on_games(const std::vector<Game>& games, const HgMsOptions& options) {
  int solved = 0;
  double total = 0;
  for (const auto& game : games) {
    const auto before = game.problem.lower->counts();
    const auto result = run(game.problem, HgMs(options), {.tolerance = 1e-10, .max_iterations = 3000});
    total += calls(game.problem.lower->counts() - before);
    const auto& known = game.problem.known;
    solved += known && norm(result.best_x - known->x) <= 1e-6 * (1 + norm(known->x)) &&
              std::abs(game.problem.upper->value(result.best_x, result.best_y) - known->upper) <=
                  1e-6 * (1 + std::abs(known->upper));
  }
  return {solved, total};
}

/// Runs that end in the deeper well, of `runs`, and their mean calls.
std::pair<int, double> on_two_wells(Index k, int runs, HgMsOptions options) {
  int found = 0;
  double total = 0;
  for (int i = 1; i <= runs; ++i) {
    options.seed = static_cast<std::uint64_t>(i);
    const auto problem = two_wells_on_a_sphere(k, options.seed);
    const auto result = run(problem, HgMs(options), {.tolerance = 1e-8, .max_iterations = 200});
    total += calls(problem.lower->counts());
    found += std::abs(problem.upper->value(result.x, result.y) - kDeeperWell) <= 1e-6;
  }
  return {found, total / runs};
}

/// Mean calls until the leader's gradient is 1e-6, on the spheres of bilevel_manifold.
double on_spheres(const HgMsOptions& options) {
  double total = 0;
  int runs = 0;
  for (const Index k : {1, 2, 3}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed, ++runs) {
      const auto problem = testing::sphere_problem(testing::sphere_game(k, 100, seed));
      run(problem, HgMs(options), {.tolerance = 1e-6, .max_iterations = 500});
      total += calls(problem.lower->counts());
    }
  }
  return total / runs;
}

}  // namespace

}  // namespace bilevel::bench

int main(int argc, char** argv) {
  using namespace bilevel;
  constexpr int kRuns = 40;
  try {
    std::vector<Game> games;
    for (const auto& entry : std::filesystem::directory_iterator(argc > 1 ? argv[1] : "examples/games")) {
      if (entry.path().extension() == ".toml") games.push_back(read_game(entry.path()));
    }
    fmt::print(
        "calls: of grad_y and hess_yy of g. wells: runs of {} that end in the deeper of two wells on a sphere of "
        "dimension k\n\n"
        "{:<24}{:>10}{:>12}{:>14}{:>12}{:>12}{:>12}{:>12}\n",
        kRuns, "setting", "games", "calls", "spheres calls", "wells k = 1", "k = 2", "k = 3", "calls");
    for (const auto& [name, options] : bench::settings()) {
      const auto [solved, game_calls] = bench::on_games(games, options);
      fmt::print("{:<24}{:>10}{:>12.0f}{:>14.0f}", name, fmt::format("{}/{}", solved, games.size()), game_calls,
                 bench::on_spheres(options));
      double well_calls = 0;
      for (const Index k : {1, 2, 3}) {
        const auto [found, mean] = bench::on_two_wells(k, kRuns, options);
        well_calls += mean / 3;
        fmt::print("{:>12}", found);
      }
      fmt::print("{:>12.0f}\n", well_calls);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "bilevel_manifold_defaults: {}\n", error.what());
    return 1;
  }
}
