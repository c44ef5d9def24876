#include "bilevel/epoch_sgd.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace bilevel {

namespace {

void check(const EpochSgdOptions& options, const EpochSgdSources& sources) {
  const auto demand = [](bool holds, std::string_view name, double value, std::string_view allowed) {
    if (!holds) {
      throw InvalidOption(fmt::format("the {} of epoch-sgd must be {}, but is {}", name, allowed, value));
    }
  };
  demand(options.exponent >= 2 && std::isfinite(options.exponent), "exponent p", options.exponent, "a number >= 2");
  demand(options.budget >= 1, "budget", static_cast<double>(options.budget), ">= 1 step");
  demand(options.first_epoch >= 1, "first epoch", static_cast<double>(options.first_epoch), ">= 1 step");
  demand(options.first_radius > 0, "first radius", options.first_radius, "> 0");
  demand(options.first_step > 0 && std::isfinite(options.first_step), "first step", options.first_step, "a number > 0");
  demand(options.noise >= 0 && std::isfinite(options.noise), "noise", options.noise, "a number >= 0");
  if (options.noise > 0 && !sources.random) {
    throw InvalidOption("epoch-sgd with noise needs a source of random numbers, but none was given");
  }
}

}  // namespace

Index epoch_length(const EpochSgdOptions& options, Index epoch) {
  constexpr double kLongest = 1e15;  // beyond every budget, and exact as a double
  const double growth = 2 * (options.exponent - 1) / options.exponent;
  const double exact = static_cast<double>(options.first_epoch) * std::exp2(growth * static_cast<double>(epoch - 1));
  return static_cast<Index>(std::floor(std::min(exact, kLongest)));
}

double epoch_radius(const EpochSgdOptions& options, Index epoch) {
  return options.first_radius * std::exp2(-static_cast<double>(epoch - 1) / options.exponent);
}

EpochSgdSummary epoch_sgd(const Objective& lower, const Vec& x, const Vec& start, const EpochSgdOptions& options,
                          const EpochSgdSources& sources) {
  check(options, sources);
  EpochSgdSummary summary;
  summary.y = start;
  double step_size = options.first_step;
  for (Index epoch = 1; summary.steps < options.budget; ++epoch, step_size *= 0.5) {
    const Vec centre = summary.y;
    const double radius = epoch_radius(options, epoch);
    const Index length = std::min(epoch_length(options, epoch), options.budget - summary.steps);
    Vec y = centre, sum = Vec::Zero(y.size());
    for (Index t = 0; t < length; ++t) {
      Vec gradient = lower.grad_y(x, y, sources.batches ? sources.batches() : full);
      if (options.noise > 0) {
        for (auto& entry : gradient) entry += options.noise * sources.random->normal();
      }
      if (summary.steps == 0) summary.first_residual = norm(gradient);
      ++summary.steps;
      y -= step_size * gradient;
      const double distance = norm(y - centre);
      if (!std::isfinite(distance)) {
        summary.finite = false;
        return summary;
      }
      if (distance > radius) y = centre + (radius / distance) * (y - centre);
      sum += y;
    }
    summary.y = sum / static_cast<double>(length);
    summary.epochs = epoch;
  }
  return summary;
}

LowerSolver::Summary EpochSgd::solve(const Objective& lower, const Vec& x, const Vec& start,
                                     const Options& options) const {
  Summary summary;
  summary.y = start;
  EpochSgdOptions epoch = options_;
  epoch.noise = 0;
  double target = 0;
  // One epoch at a time, as its first epoch would be.
  for (Index k = 1;; ++k) {
    const auto at = lower.evaluate(Oracle::value | Oracle::grad_y, x, summary.y);
    summary.value = *at.value;
    summary.residual = norm(*at.grad_y);
    if (!std::isfinite(summary.value) || !std::isfinite(summary.residual)) {
      summary.status = Status::nonfinite;
      break;
    }
    if (k == 1) target = options.tolerance * std::max(1.0, summary.residual);
    if (summary.residual <= target) {
      summary.status = Status::converged;
      break;
    }
    if (options.interrupt && options.interrupt->load()) {
      summary.status = Status::interrupted;
      break;
    }
    if (summary.iterations >= options.max_iterations) break;
    epoch.budget = std::min(epoch_length(options_, k), options.max_iterations - summary.iterations);
    epoch.first_epoch = epoch.budget;
    epoch.first_radius = epoch_radius(options_, k);
    epoch.first_step = options_.first_step * std::exp2(-static_cast<double>(k - 1));
    const auto taken = epoch_sgd(lower, x, summary.y, epoch);
    summary.iterations += taken.steps;
    summary.y = taken.y;
    if (!taken.finite) {
      summary.status = Status::nonfinite;
      break;
    }
  }
  summary.message = fmt::format("{} after {} steps: |g_y| = {:.3g}, target {:.3g}", to_string(summary.status),
                                summary.iterations, summary.residual, target);
  return summary;
}

}  // namespace bilevel
