#include "bilevel/global.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "bilevel/status.hpp"
#include "solve/branch_descent.hpp"
#include "solve/global_seeds.hpp"

namespace bilevel {

namespace {

/// The same local solution, up to what the descents' tolerance leaves.
bool same(const BranchPair& a, const BranchSolution& b) {
  const double scale = 1 + norm(b.x) + norm(b.y);
  return norm(a.x - b.x) <= 1e-5 * scale && norm(a.y - b.y) <= 1e-4 * scale;
}

BranchSolution solution_at(const BranchPair& end, Index branch, const std::string& message, const Objective& g) {
  BranchSolution solution;
  solution.x = end.x;
  solution.y = end.y;
  solution.upper = end.upper;
  solution.lower = g.value(end.x, end.y);
  solution.branch = branch;
  solution.message = message;
  return solution;
}

/// Compares the solution's follower with the other minimisers at its leader.
void compare_followers(const BilevelProblem& problem, const Box& box_y, const GlobalOptions& options,
                       BranchSolution& solution) {
  const auto found =
      find_critical_points(*problem.lower, solution.x, box_y, options.branches.search, problem.upper.get());
  double least = solution.lower, most = solution.lower;
  for (const auto& point : found.points) {
    if (point.kind == CriticalKind::minimiser) least = std::min(least, point.lower);
    if (std::isfinite(point.lower)) most = std::max(most, point.lower);
  }
  const double tie = options.tie_tolerance * std::max(most - least, 1e-12 * (1 + std::abs(least)));
  solution.follower_gap = solution.lower - least;
  solution.follower_is_global = solution.follower_gap <= tie;
  double optimistic = std::numeric_limits<double>::infinity(), pessimistic = -optimistic;
  const auto take = [&](double upper) {
    optimistic = std::min(optimistic, upper);
    pessimistic = std::max(pessimistic, upper);
  };
  if (solution.follower_is_global) take(solution.upper);
  for (const auto& point : found.points) {
    if (point.kind == CriticalKind::minimiser && point.lower <= least + tie) take(point.upper);
  }
  solution.optimistic = optimistic;
  solution.pessimistic = pessimistic;
}

/// One descent after another; each end is a new solution, a known one, or the open end of a branch.
void descend_all(const BilevelProblem& problem, const GlobalSeeds& entered, const Box& box_x,
                 const GlobalOptions& options, GlobalResult& result) {
  const BranchFunction phi(problem);
  const DescentOptions descent{.tolerance = options.tolerance,
                               .max_iterations = options.max_iterations,
                               .largest_x = 100 * (1 + norm(box_x.centre()) + box_x.diameter())};
  std::size_t number = 0;
  for (const auto& seed : entered.seeds) {
    if (options.interrupt && options.interrupt->load()) {
      result.status = Status::interrupted;
      return;
    }
    if (options.on_stage) {
      options.on_stage(fmt::format("descent {} of {}", ++number, entered.seeds.size()));
    }
    auto start = phi.at(seed.x, seed.y);
    if (!start) continue;
    const auto found = descend_branch(phi, std::move(*start), descent);
    if (found.status == Status::converged || found.status == Status::stagnated ||
        found.status == Status::budget_reached) {
      const auto known = std::find_if(result.solutions.begin(), result.solutions.end(),
                                      [&](const BranchSolution& s) { return same(found.end, s); });
      if (known != result.solutions.end()) {
        ++known->descents;
      } else {
        result.solutions.push_back(solution_at(found.end, seed.branch, found.message, *problem.lower));
      }
    } else {
      result.open_ends.push_back(fmt::format("branch {}: f = {:.6g} at |x| = {:.6g}: {}", seed.branch, found.end.upper,
                                             norm(found.end.x), found.message));
    }
  }
}

}  // namespace

const BranchSolution* GlobalResult::best_with_global_follower() const {
  const auto found =
      std::find_if(solutions.begin(), solutions.end(), [](const BranchSolution& s) { return s.follower_is_global; });
  return found == solutions.end() ? nullptr : &*found;
}

GlobalResult solve_global(const BilevelProblem& problem, const Box& box_x, const Box& box_y,
                          const GlobalOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  problem.validate();
  box_x.validate(problem.dim_x(), "the box of x");
  box_y.validate(problem.dim_y(), "the box of y");
  if (problem.dim_x() < 1) throw DimensionMismatch("a global solve needs a leader of at least one variable");
  const auto upper_start = problem.upper->counts(), lower_start = problem.lower->counts();

  GlobalResult result;
  if (options.on_stage) options.on_stage("looking for branches of minimisers");
  auto entered = find_seeds(problem, box_x, box_y, options);
  result.branches = entered.branches;
  result.completeness = entered.completeness;
  descend_all(problem, entered, box_x, options, result);
  for (auto& solution : result.solutions) {
    if (options.on_stage) options.on_stage("certifying");
    compare_followers(problem, box_y, options, solution);
    solution.certificate = certify(problem, solution.x, solution.y, options.certificate);
  }
  std::stable_sort(result.solutions.begin(), result.solutions.end(),
                   [](const BranchSolution& a, const BranchSolution& b) { return a.upper < b.upper; });
  if (entered.map) {
    result.ties = find_ties(problem, *entered.map);
    result.map = std::move(entered.map);
  }

  if (result.status != Status::interrupted) {
    result.status = result.solutions.empty() ? Status::lower_failed : Status::converged;
  }
  if (result.branches == 0) {
    result.message = "the follower has no local minimiser in the box at any leader that was looked at";
  } else {
    result.message =
        fmt::format("{} {} descended, {} distinct local solutions found", result.branches,
                    result.map ? "branches of minimisers" : "minimisers at sampled leaders", result.solutions.size());
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.upper_calls = problem.upper->counts() - upper_start;
  result.lower_calls = problem.lower->counts() - lower_start;
  return result;
}

}  // namespace bilevel
