#include "bilevel/recommendation.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "bilevel/certificate.hpp"
#include "bilevel/lower.hpp"

namespace bilevel {

namespace {

constexpr double kContraction = 0.9;       // a = 0.9 / L, see inner_steps.hpp
constexpr double kUnrolledCondition = 20;  // 300 steps, SMBG's bound, reduce the residual by 1e-6 up to here
constexpr double kStoreBytes = 128 * 1024 * 1024;

/// Steps of length a = 0.9 / L after which the error along the flattest direction has fallen by `factor`.
double steps_for(double condition, double factor) {
  return std::ceil(-std::log(factor) / -std::log1p(-kContraction / condition));
}

/// Seconds of one call, the least of a few.
template <class Call>
double time_of(const Call& call) {
  constexpr int kRepetitions = 5;
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kRepetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    call();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least;
}

void choose_unrolled(Recommendation& advice, double bytes_per_step) {
  advice.hypergradient = "unrolled";
  advice.predicted_bytes = static_cast<double>(advice.inner_steps) * bytes_per_step;
  advice.memory = "store";
  if (advice.predicted_bytes > kStoreBytes) {
    advice.memory = "checkpoint";
    advice.settings["memory"] = advice.memory;
    advice.predicted_bytes = 10 * bytes_per_step;
    advice.reasons.push_back(fmt::format("{} recorded steps of {:.3g} bytes each do not fit into {:.3g}: checkpoints",
                                         advice.inner_steps, bytes_per_step, kStoreBytes));
  }
}

void choose_implicit(Recommendation& advice, Index dim_y) {
  constexpr double kMostSteps = 20000;
  advice.hypergradient = "implicit";
  advice.memory = "none";
  advice.settings["hypergradient"] = "implicit";
  // Warm starts carry the rest over from one leader step to the next.
  advice.inner_steps = static_cast<Index>(std::clamp(steps_for(advice.condition, 1e-4), 20.0, kMostSteps));
  advice.settings["inner-steps"] = fmt::format("{}", advice.inner_steps);
  advice.predicted_bytes = 8.0 * sizeof(double) * static_cast<double>(dim_y);  // vectors of conjugate gradients
}

}  // namespace

Recommendation recommend(const BilevelProblem& problem, const CriticalPoints* critical_points) {
  problem.validate();
  const Objective& g = *problem.lower;
  const auto settled = Lbfgs().solve(g, problem.x0, problem.y0, {.tolerance = 1e-8, .max_iterations = 2000});
  const auto at = certify(problem, problem.x0, settled.y, {.leader_curvature_limit = 0});

  Recommendation advice;
  advice.method = "smbg";
  const double floor = std::max(at.smallest_eigenvalue - at.smallest_eigenvalue_error, 0.0);
  advice.condition = floor > 0 ? at.largest_eigenvalue / floor : std::numeric_limits<double>::infinity();
  advice.inner_steps = 300;

  double linearize = 0, product = 0;
  linearize = time_of([&] { (void)g.linearize(problem.x0, settled.y, full, Oracle::grad_y); });
  const auto point = g.linearize(problem.x0, settled.y);
  product = time_of([&] { (void)point.both(Vec::Ones(g.dim_y())); });
  const double bytes_per_step =
      static_cast<double>(g.linearization_bytes()) + sizeof(double) * static_cast<double>(g.dim_y());

  switch (at.follower) {
    case FollowerKind::local_minimiser:
      if (advice.condition <= kUnrolledCondition) {
        advice.inner_steps = static_cast<Index>(std::max(1.0, steps_for(advice.condition, 1e-6)));
        choose_unrolled(advice, bytes_per_step);
        advice.summary = fmt::format("the follower's condition at the start is {:.3g}", advice.condition);
        advice.reasons.push_back(fmt::format(
            "the follower's answer to the start is a local minimiser of condition {:.3g}: {} gradient steps settle it, "
            "and differentiating them is cheap and exact for what was computed",
            advice.condition, advice.inner_steps));
      } else {
        choose_implicit(advice, g.dim_y());
        advice.summary = fmt::format("the follower's condition at the start is {:.3g}", advice.condition);
        advice.reasons.push_back(
            fmt::format("the follower's answer to the start is a local minimiser of condition {:.3g}: unrolled "
                        "gradient steps would "
                        "be many and still biased, so H w = f_y is solved instead",
                        advice.condition));
      }
      break;
    case FollowerKind::degenerate_local_minimiser:
      choose_unrolled(advice, bytes_per_step);
      advice.summary = "the follower's answer to the start is a degenerate minimiser";
      advice.reasons.push_back(
          "the follower's answer to the start is a degenerate minimiser: the unrolled derivative picks the answer that "
          "gradient descent reaches, while H w = f_y need not have a solution");
      break;
    case FollowerKind::saddle:
      choose_unrolled(advice, bytes_per_step);
      advice.summary = "the start leads the follower to a saddle";
      advice.reasons.push_back(
          "the start leads the follower to a saddle: start it elsewhere, or use --global to look at its minimisers");
      break;
    case FollowerKind::not_critical:
    case FollowerKind::undecided:
      choose_unrolled(advice, bytes_per_step);
      advice.summary = "the follower did not settle at the start";
      advice.reasons.push_back(fmt::format(
          "the follower did not settle at the start ({}), so nothing about its answer is known: defaults",
          std::isfinite(settled.residual) ? fmt::format("|g_y| = {:.2g}", settled.residual) : "g_y is not finite"));
      break;
  }
  advice.predicted_seconds = static_cast<double>(advice.inner_steps) * (linearize + product);
  if (advice.hypergradient == "implicit") {
    const double solve = std::min(std::sqrt(advice.condition) * 10, 10.0 * static_cast<double>(g.dim_y()));
    advice.predicted_seconds = static_cast<double>(advice.inner_steps) * linearize + solve * product;
  }
  if (critical_points) {
    const Index minimisers = critical_points->count(CriticalKind::minimiser);
    advice.several_minimisers = minimisers > 1;
    if (advice.several_minimisers) {
      advice.reasons.push_back(
          fmt::format("the follower has {} local minimisers at the start: smbg stays with the one that the start leads "
                      "to, --global "
                      "descends them all",
                      minimisers));
    }
  }
  return advice;
}

}  // namespace bilevel
