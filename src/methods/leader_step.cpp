#include "bilevel/leader_step.hpp"

#include <algorithm>
#include <cmath>

namespace bilevel {

std::string_view to_string(LeaderRule rule) { return rule == LeaderRule::adam ? "adam" : "gradient-descent"; }

namespace {

constexpr double kGrow = 1.1, kShrink = 0.5;

/// Adam's adaptive size: signs and scales are Adam's business, only a rise of the objective speaks against the length.
double adam_step_size(const LeaderStepState& state, double upper) {
  constexpr double kStart = 0.5;
  if (state.count == 0) return kStart;
  return upper <= state.last_upper ? std::min(kGrow * state.step_size, kStart) : kShrink * state.step_size;
}

double gradient_step_size(const LeaderStepState& state, const Vec& gradient, double upper, const Vec& x) {
  constexpr double kFirstMove = 0.1;
  if (state.count == 0) {
    const double length = norm(gradient);
    return length > 0 ? kFirstMove * std::sqrt(static_cast<double>(x.size())) / length : 1.0;
  }
  if (upper > state.last_upper) return kShrink * state.step_size;
  const Vec moved = x - state.last_x;
  const double curvature = dot(moved, gradient - state.last_gradient);
  const double longest = 2 * state.step_size;
  return curvature > 0 ? std::min(dot(moved, moved) / curvature, longest) : kGrow * state.step_size;
}

}  // namespace

void leader_step(const LeaderStepOptions& options, LeaderStepState& state, const Vec& gradient, double upper, Vec& x) {
  if (options.rule == LeaderRule::adam) {
    if (state.count == 0) state.first_moment = state.second_moment = Vec::Zero(x.size());
    const double step_size = options.step_size.value_or(adam_step_size(state, upper));
    state.first_moment = options.first_decay * state.first_moment + (1 - options.first_decay) * gradient;
    state.second_moment =
        options.second_decay * state.second_moment + (1 - options.second_decay) * gradient.cwiseAbs2();
    const auto steps = static_cast<double>(state.count + 1);
    const double first_bias = 1 - std::pow(options.first_decay, steps);
    const double second_bias = 1 - std::pow(options.second_decay, steps);
    // The floor is relative: hypergradients of averages over many samples are tiny in every coordinate.
    const double floor = 1e-8 * std::sqrt(state.second_moment.maxCoeff() / second_bias) + 1e-300;
    x.array() -= step_size * (state.first_moment.array() / first_bias) /
                 ((state.second_moment.array() / second_bias).sqrt() + floor);
    state.step_size = step_size;
  } else {
    const double step_size = options.step_size.value_or(gradient_step_size(state, gradient, upper, x));
    state.last_x = x;
    state.last_gradient = gradient;
    x -= step_size * gradient;
    state.step_size = step_size;
  }
  state.last_upper = upper;
  ++state.count;
}

}  // namespace bilevel
