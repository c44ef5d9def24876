#include "bilevel/status.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace bilevel {

std::string_view to_string(Status status) {
  switch (status) {
    case Status::converged: return "converged";
    case Status::budget_reached: return "budget_reached";
    case Status::stagnated: return "stagnated";
    case Status::diverged: return "diverged";
    case Status::nonfinite: return "nonfinite";
    case Status::breakdown: return "breakdown";
    case Status::lower_failed: return "lower_failed";
    case Status::interrupted: return "interrupted";
    case Status::exception: return "exception";
  }
  return "unknown";
}

std::string_view advice(Status status) {
  switch (status) {
    case Status::converged: return "nothing to do: the tolerance was met";
    case Status::budget_reached: return "raise --max-iterations or --time-limit if the upper objective still falls";
    case Status::stagnated: return "progress stopped: the result is as good as these settings give";
    case Status::diverged: return "shorten the steps of the leader or of the follower, or leave their sizes automatic";
    case Status::nonfinite:
      return "mend the oracle that the message names, or start where it is defined; where a step size is named, lower "
             "it or leave it automatic";
    case Status::breakdown:
      return "penalise the follower, which makes its Hessian definite, or use a hypergradient that solves no system "
             "with it, such as the unrolled one that keeps its steps";
    case Status::lower_failed:
      return "allow the follower more steps, or penalise it more, which makes it better conditioned";
    case Status::interrupted: return "everything up to the last finished step was kept";
    case Status::exception: return "mend what the message names: everything up to the last finished step was kept";
  }
  return "";
}

namespace {

// A longer name is no slip of the fingers, and comparing takes the product of the lengths.
constexpr std::size_t kLongestCompared = 64;

/// The number of letters to insert, remove or replace, or `limit` if it is no less.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
    // No entry of a later row is below the least of this one.
    if (*std::min_element(row.begin(), row.end()) >= limit) return limit;
  }
  return std::min(row.back(), limit);
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  if (name.size() > kLongestCompared) return "";
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(name.size() / 3, 2) + 1;
  for (const std::string& candidate : known) {
    const auto missing = std::max(name.size(), candidate.size()) - std::min(name.size(), candidate.size());
    if (missing >= best_distance) continue;  // letters to insert at least
    const auto distance = edit_distance(name, candidate, best_distance);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return std::string(best);
}

}  // namespace bilevel
