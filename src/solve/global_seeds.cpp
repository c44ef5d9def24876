#include "solve/global_seeds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "bilevel/random.hpp"

namespace bilevel {

namespace {

/// The points of a branch from which f rises on both sides; the middle of a branch on which it is constant.
std::vector<std::size_t> entries(const Branch& branch) {
  const auto& points = branch.points;
  const auto upper = [&](std::size_t i) { return points[i].upper; };
  std::vector<std::size_t> found;
  const auto [least, most] = std::minmax_element(
      points.begin(), points.end(), [](const BranchPoint& a, const BranchPoint& b) { return a.upper < b.upper; });
  if (points.size() < 2 || least->upper == most->upper) return {points.size() / 2};
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool falls_to_it = i == 0 || upper(i) <= upper(i - 1);
    const bool rises_from_it = i + 1 == points.size() || upper(i) < upper(i + 1);
    if (falls_to_it && rises_from_it && std::isfinite(upper(i))) found.push_back(i);
  }
  return found;
}

GlobalSeeds seeds_on_line(const BilevelProblem& problem, const Box& box_x, const Box& box_y,
                          const GlobalOptions& options) {
  GlobalSeeds result;
  result.map = follow_branches(*problem.lower, {box_x.low, box_x.high}, box_y, options.branches, problem.upper.get());
  for (const auto& branch : result.map->branches) {
    if (!branch.is_minimiser()) continue;
    ++result.branches;
    for (const auto i : entries(branch)) {
      // The ends lie at a fold, where H is singular: enter a little inside.
      const auto inside = std::clamp<std::size_t>(i, branch.points.size() > 2 ? 1 : 0,
                                                  branch.points.size() > 2 ? branch.points.size() - 2 : i);
      result.seeds.push_back({branch.points[inside].x, branch.points[inside].y, branch.id});
    }
  }
  result.completeness = result.map->completeness;
  return result;
}

/// The leaders to look at: x0, the centre, then random ones, evenly spread by taking the farthest of a few candidates.
std::vector<Vec> sample_leaders(const BilevelProblem& problem, const Box& box, Index count, std::uint64_t seed) {
  constexpr int kCandidates = 16;
  Random random(seed);
  std::vector<Vec> leaders;
  if (box.contains(problem.x0)) leaders.push_back(problem.x0);
  leaders.push_back(box.centre());
  while (static_cast<Index>(leaders.size()) < count) {
    Vec farthest;
    double largest = -1;
    for (int c = 0; c < kCandidates; ++c) {
      Vec candidate(box.dim());
      for (Index i = 0; i < box.dim(); ++i) {
        candidate[i] = box.low[i] + random.uniform() * (box.high[i] - box.low[i]);
      }
      double nearest = std::numeric_limits<double>::infinity();
      for (const auto& leader : leaders) nearest = std::min(nearest, norm(leader - candidate));
      if (nearest > largest) {
        largest = nearest;
        farthest = std::move(candidate);
      }
    }
    leaders.push_back(std::move(farthest));
  }
  return leaders;
}

GlobalSeeds seeds_at_samples(const BilevelProblem& problem, const Box& box_x, const Box& box_y,
                             const GlobalOptions& options) {
  constexpr Index kMostSamples = 40;
  const Index n = problem.dim_x(), m = problem.dim_y();
  const Index count = options.samples > 0 ? options.samples : std::min(8 + 4 * n, kMostSamples);
  auto search = options.branches.search;
  if (search.starts == 0 && m > 3) search.starts = 32 + 4 * m;  // many leaders: each search may be a short one
  GlobalSeeds result;
  Index unsettled = 0;
  std::vector<Index> counts;
  const auto leaders = sample_leaders(problem, box_x, count, options.seed);
  for (const auto& x : leaders) {
    if (options.interrupt && options.interrupt->load()) break;
    const auto found = find_critical_points(*problem.lower, x, box_y, search);
    unsettled += found.settled || found.exhaustive ? 0 : 1;
    counts.push_back(found.count(CriticalKind::minimiser));
    for (const auto& point : found.points) {
      if (point.kind == CriticalKind::minimiser) {
        result.seeds.push_back({x, point.y, static_cast<Index>(result.seeds.size())});
      }
    }
  }
  result.branches = static_cast<Index>(result.seeds.size());
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  result.completeness = fmt::format(
      "minimisers of g were searched at {} of the leaders in the box, between {} and {} at each{}; branches that exist "
      "only between these leaders are not seen",
      counts.size(), counts.empty() ? 0 : *least, counts.empty() ? 0 : *most,
      unsettled > 0 ? fmt::format(" ({} searches were still finding new ones)", unsettled) : "");
  return result;
}

/// The minimiser branch that is lowest at t among those that reach it; null if none does.
const Branch* lowest_at(const BranchMap& map, double t, double slack, const Objective& g) {
  const Branch* best = nullptr;
  double least = std::numeric_limits<double>::infinity();
  for (const auto& branch : map.branches) {
    if (!branch.is_minimiser()) continue;
    const auto y = branch.at(t);
    if (!y) continue;
    const double value = g.value(map.line.at(t), *y);
    if (value < least - slack) {
      least = value;
      best = &branch;
    }
  }
  return best;
}

}  // namespace

GlobalSeeds find_seeds(const BilevelProblem& problem, const Box& box_x, const Box& box_y,
                       const GlobalOptions& options) {
  return problem.dim_x() == 1 ? seeds_on_line(problem, box_x, box_y, options)
                              : seeds_at_samples(problem, box_x, box_y, options);
}

std::vector<BranchTie> find_ties(const BilevelProblem& problem, const BranchMap& map) {
  constexpr int kCells = 400, kBisections = 60;
  const Objective& g = *problem.lower;
  const BranchFunction phi(problem);
  std::vector<BranchTie> ties;
  const Branch* before = lowest_at(map, 0, 0, g);
  for (int cell = 1; cell <= kCells; ++cell) {
    double t0 = static_cast<double>(cell - 1) / kCells, t1 = static_cast<double>(cell) / kCells;
    const Branch* after = lowest_at(map, t1, 0, g);
    const Branch* first = std::exchange(before, after);
    // A branch that begins or ends in the cell exchanges nothing: the follower jumps there, without being indifferent.
    if (!first || !after || first == after || !first->at(t1) || !after->at(t0)) continue;
    std::optional<BranchPair> a, b;
    for (int i = 0; i < kBisections && t1 - t0 > 1e-15; ++i) {
      const double t = 0.5 * (t0 + t1);
      const Vec x = map.line.at(t);
      a = phi.at(x, *first->at(t));
      b = phi.at(x, *after->at(t));
      if (!a || !b) break;
      (g.value(x, a->y) < g.value(x, b->y) ? t0 : t1) = t;
    }
    if (!a || !b || norm(a->y - b->y) < 1e-6) continue;
    ties.push_back({a->x, a->y, b->y, g.value(a->x, a->y), a->upper, b->upper, first->id, after->id});
  }
  return ties;
}

}  // namespace bilevel
