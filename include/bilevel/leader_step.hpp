// The leader's move given a hypergradient: gradient descent or Adam, with a step size that needs no tuning.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/options.hpp"
#include "bilevel/vec.hpp"

namespace bilevel {

enum class LeaderRule { adam, gradient_descent };
std::string_view to_string(LeaderRule rule);

struct LeaderStepOptions {
  LeaderRule rule = LeaderRule::gradient_descent;
  /// a_f. Empty: adaptive, see leader_step.
  std::optional<double> step_size = std::nullopt;
  double first_decay = 0.9;     // Adam's beta_1
  double second_decay = 0.999;  // Adam's beta_2
};

/// Options outer, outer-step-size, first-decay and second-decay in the group Leader.
void describe(OptionTable& table, LeaderStepOptions& options);

/// The rule's memory.
struct LeaderStepState {
  Index count = 0;                  // hypergradients seen
  double step_size = 0;             // the one used last
  Vec first_moment, second_moment;  // Adam
  Index moment_age = 0;             // Adam: hypergradients in first_moment, since it was last emptied
  Vec last_x, last_gradient;        // where the last move began: the last accepted pair
  std::vector<double> recent;       // upper objective at the last accepted pairs, newest last
  int rejections = 0;               // moves shrunk in a row
  double rejected_step_size = 0;    // before the first of them
  bool measures_again = false;      // x is back where the last accepted move began, to be measured once more
  bool measured_again = false;      // since the last accepted move
  bool lengthened = false;  // the step grew for want of curvature: a small gradient is then no sign of a solution
};

/// stuck: no step along the gradient lowers `upper`; x is back at the last accepted pair.
enum class LeaderMove { accepted, rejected, stuck };

/// x <- x - step along `gradient`; `upper` is the leader's objective that belongs to it and guides the adaptive size.
/// A given step size is used as it is. Else:
///   gradient descent  Begins with a tenth of |x| (of a unit for each variable where x = 0); then the shorter of the
///   two
///       secant steps |s|^2/<s,d> and <s,d>/|d|^2 where they differ much, else the longer (s, d: changes of x and of
///       the hypergradient) [Barzilai and Borwein 1988; the choice: Zhou, Gao and Dai 2006]. If `upper` is above the
///       largest of the last ten accepted ones [Grippo, Lampariello and Lucidi 1986] the move is `rejected`: x goes
///       back to a shorter move from the last accepted pair. After ten of these in a row x goes back to that pair
///       itself, to be measured once more, for its value may be one of an answer that had not settled; when forty
///       shorter moves from there do not descend either the leader is `stuck`: the hypergradient is no descent
///       direction (rounding, or the bias of truncation), or f has a kink.
///   Adam  Begins with 0.5 (a coordinate moves by at most that); when `upper` rises it halves and the momentum is
///       emptied, else it grows by a tenth, to 0.5 at most. [Kingma and Ba, ICLR 2015, Algorithm 1; the restart:
///       O'Donoghue and Candes 2015]
LeaderMove leader_step(const LeaderStepOptions& options, LeaderStepState& state, const Vec& gradient, double upper,
                       Vec& x);

/// Shrinks the last move to a tenth, for an x at which nothing finite could be computed. False if it cannot: no move
/// was made yet, or the step size was given.
bool leader_retreat(const LeaderStepOptions& options, LeaderStepState& state, Vec& x);

}  // namespace bilevel
