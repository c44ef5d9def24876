#include "solve/branch_descent.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <Eigen/Core>

namespace bilevel {

namespace {

/// The outcome of one search along a direction.
struct Search {
  std::optional<BranchPair> found;
  bool branch_ended = false;  // a trial was refused because the branch does not reach there
};

Search backtrack(const BranchFunction& phi, const BranchPair& at, const Vec& direction) {
  constexpr double kArmijo = 1e-4;
  constexpr int kTrials = 40;
  const double slope = dot(at.gradient, direction);
  // Near a minimum the decrease drowns in rounding; there a shorter gradient decides.
  const double rounding = 8 * std::numeric_limits<double>::epsilon() * std::abs(at.upper);
  Search result;
  double step = 1;
  for (int i = 0; i < kTrials; ++i, step *= 0.4) {
    auto trial = phi.move(at, at.x + step * direction);
    if (!trial) {
      result.branch_ended = true;
      continue;
    }
    const bool lower = trial->upper <= at.upper + kArmijo * step * slope;
    const bool flat = std::abs(trial->upper - at.upper) <= rounding && norm(trial->gradient) < norm(at.gradient);
    if (lower || flat) {
      result.found = std::move(trial);
      return result;
    }
  }
  return result;
}

}  // namespace

Descent descend_branch(const BranchFunction& phi, BranchPair start, const DescentOptions& options) {
  Descent result{std::move(start), Status::budget_reached, 0, {}};
  BranchPair& at = result.end;
  const Index n = at.x.size();
  const double first_length = norm(at.gradient);
  const auto end = [&](Status status, std::string message) {
    result.status = status;
    result.message = std::move(message);
    return result;
  };
  const auto first_metric = [&] {  // a first move of about a tenth of the unit, whatever the scale of f
    return Eigen::MatrixXd(Eigen::MatrixXd::Identity(n, n) * (0.1 / std::max(norm(at.gradient), 1e-300)));
  };
  Eigen::MatrixXd inverse = first_metric();
  bool fresh = true;
  for (; result.iterations < options.max_iterations; ++result.iterations) {
    const double length = norm(at.gradient);
    // A start near an infinite slope has a huge gradient: what is small against it need not be small.
    const double scale = std::max(1e-6 * first_length, at.terms);
    if (length <= options.tolerance * scale) {
      return end(Status::converged, fmt::format("|grad phi| = {:.2g} after {} steps", length, result.iterations));
    }
    Vec direction = -(inverse * at.gradient);
    if (!(dot(direction, at.gradient) < 0)) {
      inverse = first_metric();
      fresh = true;
      direction = -(inverse * at.gradient);
    }
    auto search = backtrack(phi, at, direction);
    if (!search.found && !fresh) {  // once more along the gradient before giving up
      inverse = first_metric();
      fresh = true;
      search = backtrack(phi, at, -(inverse * at.gradient));
    }
    if (!search.found) {
      if (search.branch_ended) {
        return end(Status::breakdown,
                   fmt::format("the branch ends near here, and f still falls (|grad phi| = {:.2g})", length));
      }
      return end(
          length <= 1e-6 * scale ? Status::converged : Status::stagnated,
          fmt::format("no shorter step lowers f: |grad phi| = {:.2g} after {} steps", length, result.iterations));
    }
    const Vec s = search.found->x - at.x, d = search.found->gradient - at.gradient;
    const double sd = dot(s, d);
    if (sd > 1e-12 * norm(s) * norm(d)) {
      if (fresh) inverse = Eigen::MatrixXd::Identity(n, n) * (sd / dot(d, d));
      const Vec hd = inverse * d;
      inverse += (1 + dot(d, hd) / sd) / sd * (s * s.transpose()) - (hd * s.transpose() + s * hd.transpose()) / sd;
      fresh = false;
    } else {
      inverse *= 4;  // no curvature to learn from: go on with longer strides
    }
    at = std::move(*search.found);
    if (options.largest_x > 0 && norm(at.x) > options.largest_x) {
      return end(Status::diverged, fmt::format("|x| grew to {:.3g} while f fell", norm(at.x)));
    }
  }
  return end(Status::budget_reached,
             fmt::format("{} steps done, the most allowed; |grad phi| = {:.2g}", result.iterations, norm(at.gradient)));
}

}  // namespace bilevel
