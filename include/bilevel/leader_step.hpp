// The leader's move given a hypergradient: gradient descent or Adam, with a step size that needs no tuning.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bilevel/vec.hpp"

namespace bilevel {

enum class LeaderRule { adam, gradient_descent };
std::string_view to_string(LeaderRule rule);

struct LeaderStepOptions {
  LeaderRule rule = LeaderRule::adam;
  /// a_f. Empty: adaptive. Adam starts at 0.5 (a coordinate moves by at most that) and gradient descent with a move of
  /// root mean square 0.1; both halve when the upper objective rises and grow while it falls, gradient descent guided
  /// by the secant (Barzilai and Borwein 1988) step |s|^2 / <s, change of hypergradient>.
  std::optional<double> step_size;
  double first_decay = 0.9;     // Adam's beta_1
  double second_decay = 0.999;  // Adam's beta_2
};

/// The rule's memory. [Adam: Kingma and Ba, ICLR 2015, Algorithm 1]
struct LeaderStepState {
  Index count = 0;
  double step_size = 0;  // the one used last
  Vec first_moment, second_moment;  // Adam
  Vec last_x, last_gradient;        // the secant step
  double last_upper = 0;
};

/// x <- x - step along `gradient`; `upper` is the leader's objective that belongs to it and guides the adaptive size.
void leader_step(const LeaderStepOptions& options, LeaderStepState& state, const Vec& gradient, double upper, Vec& x);

}  // namespace bilevel
