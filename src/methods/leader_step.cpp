#include "bilevel/leader_step.hpp"

#include <algorithm>
#include <cmath>

namespace bilevel {

std::string_view to_string(LeaderRule rule) { return rule == LeaderRule::adam ? "adam" : "gradient-descent"; }

namespace {

constexpr std::size_t kRemembered = 10;  // accepted pairs that a new one is compared with
constexpr int kMostRejections = 10;      // before f is measured again where the move began
constexpr int kMostAfterwards = 40;

void remember(LeaderStepState& state, double upper) {
  state.recent.push_back(upper);
  if (state.recent.size() > kRemembered) state.recent.erase(state.recent.begin());
}

/// Where f can no longer be told apart from its rounding, no move is to blame for a rise.
bool rose(double upper, double reference) { return upper > reference + 1e-12 * std::abs(reference); }

void shrink_move(LeaderStepState& state, double factor, Vec& x) {
  state.step_size *= factor;
  x = state.last_x + factor * (x - state.last_x);
}

/// The minimiser of the parabola through both values and the slope at the start, within safe bounds.
double shrink_factor(const LeaderStepState& state, double upper) {
  constexpr double kLeast = 0.1, kMost = 0.5;
  const double fall = state.step_size * state.last_gradient.squaredNorm();  // that the slope promised
  const double factor = fall / (2 * (upper - state.recent.back() + fall));
  return factor > kLeast ? std::min(factor, kMost) : kLeast;
}

/// The first move is a tenth of x's own length; of a unit for each variable where x is zero and has none.
double first_step_size(const Vec& gradient, const Vec& x) {
  constexpr double kShare = 0.1;
  const double length = norm(gradient), own = norm(x);
  if (!(length > 0)) return 1.0;
  return kShare * (own > 0 ? own : std::sqrt(static_cast<double>(x.size()))) / length;
}

double secant_step_size(LeaderStepState& state, const Vec& gradient, const Vec& x) {
  constexpr double kLongest = 10, kDiffer = 0.15;
  state.lengthened = state.last_gradient.size() == 0;
  if (state.lengthened) return first_step_size(gradient, x);
  const Vec moved = x - state.last_x;
  const Vec change = gradient - state.last_gradient;
  const double curvature = dot(moved, change);
  const double longest = kLongest * state.step_size;
  // Where the gradient is exactly zero there is nothing to move by, and growing steps would end at infinity.
  if (gradient.isZero(0)) return state.step_size;
  state.lengthened = !(curvature > 0);
  if (state.lengthened) return longest;
  const double long_step = dot(moved, moved) / curvature;
  const double short_step = curvature / dot(change, change);
  const double wanted = short_step < kDiffer * long_step ? short_step : long_step;
  state.lengthened = wanted > longest;
  return std::min(wanted, longest);
}

/// Shrinks a move that raised f. After ten times f is asked for once more where the move began: an answer that had not
/// settled makes the values around it incomparable. After forty more, no step lowers f.
LeaderMove reject(LeaderStepState& state, double upper, Vec& x) {
  ++state.rejections;
  if (state.rejections == 1) state.rejected_step_size = state.step_size;
  if (state.rejections == kMostRejections && !state.measured_again) {
    state.measures_again = true;
    x = state.last_x;
    return LeaderMove::rejected;
  }
  if (state.rejections >= (state.measured_again ? kMostAfterwards : kMostRejections) || x == state.last_x) {
    x = state.last_x;
    return LeaderMove::stuck;
  }
  shrink_move(state, shrink_factor(state, upper), x);
  return LeaderMove::rejected;
}

LeaderMove descend(const LeaderStepOptions& options, LeaderStepState& state, const Vec& gradient, double upper,
                   Vec& x) {
  if (options.step_size) {
    state.last_x = x;
    state.last_gradient = gradient;
    state.step_size = *options.step_size;
    x -= state.step_size * gradient;
    return LeaderMove::accepted;
  }
  if (state.measures_again) {  // x is where the last accepted move began
    constexpr double kShorter = 0.1;
    state.measures_again = false;
    state.measured_again = true;
    state.rejections = 0;
    state.recent = {upper};
    state.step_size = kShorter * state.rejected_step_size;
    state.last_gradient = gradient;
    x -= state.step_size * gradient;
    return LeaderMove::accepted;
  }
  if (!state.recent.empty() && rose(upper, *std::max_element(state.recent.begin(), state.recent.end()))) {
    return reject(state, upper, x);
  }
  state.rejections = 0;
  state.measured_again = false;
  const double step_size = secant_step_size(state, gradient, x);
  state.last_x = x;
  state.last_gradient = gradient;
  x -= step_size * gradient;
  state.step_size = step_size;
  remember(state, upper);
  return LeaderMove::accepted;
}

double adam_step_size(LeaderStepState& state, double upper) {
  constexpr double kStart = 0.5, kGrow = 1.1, kShrink = 0.5;
  if (state.recent.empty()) return kStart;
  if (!rose(upper, state.recent.back())) return std::min(kGrow * state.step_size, kStart);
  state.first_moment.setZero();
  state.moment_age = 0;
  return kShrink * state.step_size;
}

void adam(const LeaderStepOptions& options, LeaderStepState& state, const Vec& gradient, double upper, Vec& x) {
  if (state.count == 0) state.first_moment = state.second_moment = Vec::Zero(x.size());
  const double step_size = options.step_size ? *options.step_size : adam_step_size(state, upper);
  state.first_moment = options.first_decay * state.first_moment + (1 - options.first_decay) * gradient;
  state.second_moment = options.second_decay * state.second_moment + (1 - options.second_decay) * gradient.cwiseAbs2();
  const double first_bias = 1 - std::pow(options.first_decay, static_cast<double>(++state.moment_age));
  const double second_bias = 1 - std::pow(options.second_decay, static_cast<double>(state.count + 1));
  // The floor is relative: hypergradients of averages over many samples are tiny in every coordinate.
  const double floor = 1e-8 * std::sqrt(state.second_moment.maxCoeff() / second_bias) + 1e-300;
  state.last_x = x;
  x.array() -= step_size * (state.first_moment.array() / first_bias) /
               ((state.second_moment.array() / second_bias).sqrt() + floor);
  state.step_size = step_size;
  remember(state, upper);
}

}  // namespace

LeaderMove leader_step(const LeaderStepOptions& options, LeaderStepState& state, const Vec& gradient, double upper,
                       Vec& x) {
  auto move = LeaderMove::accepted;
  if (options.rule == LeaderRule::adam) {
    adam(options, state, gradient, upper, x);
  } else {
    move = descend(options, state, gradient, upper, x);
  }
  ++state.count;
  return move;
}

bool leader_retreat(const LeaderStepOptions& options, LeaderStepState& state, Vec& x) {
  constexpr double kRetreat = 0.1;
  if (options.step_size || state.last_x.size() == 0) return false;
  shrink_move(state, kRetreat, x);
  return true;
}

void describe(OptionTable& table, LeaderStepOptions& options) {
  table.group("Leader")
      .add("outer", options.rule, "the leader's step",
           {{"adam", LeaderRule::adam}, {"gradient-descent", LeaderRule::gradient_descent}})
      .add("outer-step-size", options.step_size,
           "the leader's step; auto: shortened when the upper objective rises, lengthened while it falls",
           greater_than(0))
      .add("first-decay", options.first_decay, "Adam's beta_1: how slowly the direction forgets",
           at_least(0) & less_than(1))
      .add("second-decay", options.second_decay, "Adam's beta_2: how slowly the scale of a coordinate forgets",
           at_least(0) & less_than(1));
}

}  // namespace bilevel
