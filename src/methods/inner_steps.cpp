#include "bilevel/inner_steps.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace bilevel {

namespace {

constexpr Index kFirstSteps = 20;          // before any contraction has been measured
constexpr double kWantedReduction = 1e-6;  // of the follower's residual, and so of the unrolled bias, per path
constexpr double kCurvatureMargin = 0.9;   // a L aimed at: < 1, with room for the error of the power iteration

/// The residual at which the follower is as good as still: a fall from here says nothing about its contraction.
double rounding_level(double largest_residual) { return 1e-10 * largest_residual; }

void measure_at(const Objective& lower, const Vec& x, const Vec& y, InnerStepState& state) {
  auto measured = measure_curvature(lower.linearize(x, y), lower.dim_y(), state.eigenvector);
  state.curvature = measured.largest;
  if (all_finite(measured.eigenvector)) state.eigenvector = std::move(measured.eigenvector);
}

void note_step_size(Choices& choices, double step_size, std::string why) {
  note_choice(choices, {"inner-step-size", "auto", fmt::format("{:.4g}", step_size), std::move(why)});
}

}  // namespace

/// a L of the automatic step.
double InnerSteps::margin(Index steps) const {
  if (!options_.inverted_steps) return kCurvatureMargin;
  const Index inverted = std::min(*options_.inverted_steps, steps);
  return std::min(kCurvatureMargin, 1 - std::pow(10.0, -6.0 / static_cast<double>(inverted)));
}

void InnerSteps::prepare(const Objective& lower, const Vec& x, const Vec& z, const Vec& answer, InnerStepState& state,
                         Choices& choices) const {
  if (state.steps == 0) state.steps = options_.steps.value_or(std::min(kFirstSteps, options_.max_steps));
  if (options_.step_size) {
    state.step_size = *options_.step_size;
    return;
  }
  const double wanted = margin(state.steps);
  // k may have grown since: more steps to invert want shorter ones.
  if (wanted < kCurvatureMargin && state.step_size * state.curvature > wanted) {
    state.step_size = wanted / state.curvature;
  }
  constexpr double kFar = 0.1;  // relative to |x|, floored by one unit per coordinate
  const double scale = norm(x) + std::sqrt(static_cast<double>(x.size()));
  const bool first = state.measured_x.size() == 0;
  if (!first && norm(x - state.measured_x) <= kFar * scale) return;
  measure_at(lower, x, z, state);
  if (!options_.warm_start && answer.size() > 0) {  // a cold path ends far from where it begins
    const double at_start = state.curvature;
    measure_at(lower, x, answer, state);
    state.curvature = std::max(state.curvature, at_start);
  }
  state.measured_x = x;
  state.step_size = state.curvature > 0 && std::isfinite(state.curvature) ? wanted / state.curvature : 1.0;
  note_step_size(
      choices, state.step_size,
      fmt::format("{:.3g} / L, L = {:.4g} by power iteration at step {}", wanted, state.curvature, state.leader_step));
}

bool InnerSteps::shorten(const Objective& lower, const Vec& x, const Vec& z, const HypergradientResult& result,
                         InnerStepState& state, Choices& choices) const {
  if (options_.step_size) return false;
  double shorter = 0.5 * state.step_size;
  std::string why = "the follower ran away";
  if (result.y.size() > 0 && all_finite(result.y)) {
    const double a = state.step_size, first = result.first_lower_residual, last = result.lower_residual;
    if (last < 0.1 * first || first <= rounding_level(state.largest_residual)) return false;
    // With a L <= 1 every step lowers g by a/2 |g_y|^2 at least. Where the residual shrinks that is a/2 k |last|^2 in
    // all; less is right on the way out of a saddle, and else the sign of a step measured where g is flatter than here.
    double fall = std::numeric_limits<double>::infinity(), least_fall = 0;
    if (lower.provides().has(Oracle::value)) {
      const double after = lower.value(x, result.y);
      fall = lower.value(x, z) - after + 1e-12 * std::abs(after);
      least_fall = 0.5 * a * (first * first + (state.steps > 1 ? last * last : 0));
      if (last < first && fall >= 0.5 * a * static_cast<double>(state.steps) * last * last) return false;
    }
    measure_at(lower, x, result.y, state);
    double curvature = state.curvature;
    if (a * curvature <= 1) {  // too long a step may also end in a cycle, with its steep point next
      measure_at(lower, x, result.y - a * lower.grad_y(x, result.y), state);
      curvature = std::max(curvature, state.curvature);
    }
    if (!(a * curvature <= 1)) {
      // No more than fourfold at once: a follower that ran away is where nothing is typical.
      if (std::isfinite(curvature)) shorter = std::clamp(margin(state.steps) / curvature, 0.25 * a, shorter);
      why = fmt::format("L = {:.4g} near the follower's answer", curvature);
    } else if (fall < least_fall) {
      why = fmt::format("the lower objective fell by {:.3g} only", fall);
    } else {
      return false;
    }
  }
  state.step_size = shorter;
  note_step_size(choices, shorter, fmt::format("shortened at step {}: {}", state.leader_step, why));
  return true;
}

void InnerSteps::choose_steps(const HypergradientResult& result, InnerStepState& state, Choices& choices) const {
  state.largest_residual = std::max(state.largest_residual, result.first_lower_residual);
  if (options_.steps || state.steps < 2) return;
  if (result.first_lower_residual <= rounding_level(state.largest_residual) || !(result.lower_residual > 0)) return;
  const double contraction =
      std::pow(result.lower_residual / result.first_lower_residual, 1.0 / static_cast<double>(state.steps - 1));
  Index wanted = options_.max_steps;
  if (contraction < 1) {
    const double exact = std::log(kWantedReduction) / std::log(contraction);
    if (exact < static_cast<double>(wanted)) wanted = std::max<Index>(static_cast<Index>(std::ceil(exact)), 2);
  }
  // Every k has its own small bias: were k to flicker, so would the hypergradient, and the leader could not settle.
  constexpr double kMuchFewer = 0.7;
  const bool keep =
      wanted <= state.steps && static_cast<double>(wanted) >= kMuchFewer * static_cast<double>(state.steps);
  if (!keep) state.steps = wanted;
  note_choice(choices, {"inner-steps", "auto", fmt::format("{}", state.steps),
                        fmt::format("measured contraction {:.3g} a step{}", contraction,
                                    state.steps == options_.max_steps ? ", the most that is allowed" : "")});
}

std::string InnerSteps::divergence(const Objective& lower, const Vec& x, const Vec& z,
                                   const HypergradientResult& result, const InnerStepState& state) const {
  if (!options_.step_size || result.y.size() == 0 || !all_finite(result.y)) return {};
  // A descent ends flatter than it began; only where this one did not do values, which cost a pass each, have to tell.
  if (result.lower_residual < 0.5 * result.first_lower_residual || !lower.provides().has(Oracle::value)) return {};
  const double before = lower.value(x, z), after = lower.value(x, result.y);
  if (!std::isfinite(before) || after <= before + 1e-6 * (1 + std::abs(before))) return {};
  const auto curvature_at = [&](const Vec& y) {
    return measure_curvature(lower.linearize(x, y), lower.dim_y()).largest;
  };
  const double curvature = std::max(curvature_at(z), curvature_at(result.y));
  return fmt::format(
      "the follower's objective rose from {:.4g} {} over {} steps with inner-step-size {:.4g}: the step must be "
      "below 2 / L = {:.3g} (L = {:.4g} measured), better below 1 / L",
      before, std::isfinite(after) ? fmt::format("to {:.4g}", after) : "beyond all numbers", state.steps,
      state.step_size, 2 / curvature, curvature);
}

}  // namespace bilevel
