#include "bilevel/newton.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "methods/newton_moves.hpp"

namespace bilevel {

namespace {

/// Why a triple is an answer; empty: it is none.
using Reason = std::string;

/// The report of the present triple.
StepReport report_of(const LeaderAnswer& answer) {
  StepReport report;
  report.upper = answer.upper;
  report.lower = answer.lower;
  report.hypergradient_norm = norm(answer.gradient);
  report.lower_residual = answer.lower_residual;
  report.lower_steps = answer.lower_steps;
  return report;
}

/// Whether every entry of h is what rounding may make of zero.
bool vanishes(const LeaderAnswer& answer) { return (answer.gradient.array().abs() <= answer.noise.array()).all(); }

/// One step from an accepted triple to the next, or the word that there is none to go to.
class Turn {
 public:
  Turn(const BilevelProblem& problem, const NewtonOptions& options, Newton::State& state)
      : options_(options), s_(state), moves_(problem, options, state) {}

  StepReport take() {
    StepReport report;
    for (int trial = 0; trial < kTrials; ++trial) {
      if (!s_.fresh && (needs_measure_ || moves_.measures_cheaply()) && !moves_.measure())
        return stuck("its curvature could not be measured");
      needs_measure_ = false;
      newton_ = moves_.newton_step();
      distance_ = moves_.in_units(newton_);
      if (is_near()) {
        if (!s_.fresh) {
          needs_measure_ = true;
          continue;
        }
        if (!curved_down()) {
          if (s_.escape.size() > 0) return solved();
          if (auto better = moves_.look_along_flats(distance_ > kRounded); better.ok()) {
            const Vec move = better.x - s_.answer.x;
            moves_.accept(std::move(better));
            s_.reach = move;
            return done();
          }
          return solved();
        }
        s_.escaped_saddle = true;
      }
      if (const auto ended = try_move()) return *ended;
    }
    return stuck("the radius shrank without end");
  }

 private:
  static constexpr int kTrials = 80;
  static constexpr double kCurved = 1e-5;  // of curvatures: what differences may leave of zero, relative
  static constexpr int kLookForKink = 3;   // rejections

  bool curved_down() const { return moves_.formed() && s_.spectrum.smallest() < -kCurved * s_.spectrum.largest(); }

  /// Near an answer: Newton's step is short, h is rounding, or all that the model promises is nothing beside what f has
  /// changed by (a minimum without curvature is approached for ever).
  bool is_near() const {
    constexpr double kNothing = 1e-15, kNothingInTail = 1e-13, kShort = 1e-3;
    const double promised = -0.5 * dot(s_.answer.gradient, newton_), changed = s_.largest_upper - s_.answer.upper;
    if (vanishes(s_.answer)) return true;
    // A coordinate that once went far must not make the others look near.
    constexpr double kLittle = 1e-9;
    const double little = std::max(kLittle * changed, 100 * moves_.rounding_of_upper(s_.answer.upper));
    if (distance_ <= options_.distance && (promised <= little || changed == 0)) return true;
    if (s_.escape.size() > 0) return promised <= kNothingInTail * changed;
    return moves_.formed() && promised <= kNothing * changed &&
           newton_.cwiseAbs().maxCoeff() <= kShort * (s_.x - s_.x_start).cwiseAbs().maxCoeff();
  }

  /// Where nothing is known yet: Newton's step, but where M has no curvature to end it, some of x's own units.
  Vec first_reach() const {
    constexpr double kUnits = 10;
    if (s_.reach.size() > 0) return s_.reach;
    const bool straight = moves_.formed() && s_.spectrum.eigenvalues().cwiseAbs().minCoeff() <= s_.spectrum.rounding();
    return straight && distance_ > kUnits ? Vec(kUnits / distance_ * newton_) : newton_;
  }

  /// Off a saddle or a maximum: along all directions in which M curves downwards at once, by a small share of x's own
  /// unit each. One after the other would lead from saddle to saddle.
  Vec first_push() const {
    constexpr double kShare = 1e-2;
    Vec push = Vec::Zero(s_.x.size());
    for (Index k = 0; k < s_.x.size() && s_.spectrum.eigenvalues()[k] < -kCurved * s_.spectrum.largest(); ++k) {
      const Vec v = s_.spectrum.direction(Vec::Unit(s_.x.size(), k));
      push += kShare / moves_.in_units(v) * v;
    }
    return push;
  }

  std::optional<StepReport> try_move() {
    constexpr double kTaken = 1e-4, kPoor = 0.25, kGood = 0.75, kExcellent = 0.9, kShrink = 0.3, kGrow = 2,
                     kLeast = 1e-13;
    constexpr double kShort = 1e-8;
    constexpr double kFar = 0.5, kLost = 1;  // of the follower from its first-order response
    constexpr int kMostLost = 6;
    const bool pushes = is_near() && curved_down();
    if (reach_.size() == 0) reach_ = pushes ? first_push() : first_reach();
    auto step = pushes ? moves_.push(reach_) : moves_.propose(moves_.length(reach_));
    if (!pushes) rest(step.p);
    const double share = moves_.in_units(step.p);
    if (!(step.length > 0) || share < kLeast) return stuck_or_kink();
    if (!pushes && share < kShort && rejections_ == kLookForKink && (s_.kink = moves_.at_kink())) return solved();
    auto next = moves_.trial(step.p);
    if (next.status == Status::interrupted) return interrupted();
    if (!next.ok()) {
      reach_ = kShrink * step.p;
      if (last_trouble_.empty()) last_trouble_ = next.message;
      if (next.manifold) return manifold(next);
      return {};
    }
    // Where the follower did not go where its response pointed, f may fall as promised and the model still mean
    // nothing: such a step may lead past all that is to be found, to where f levels off.
    if (moves_.lag(next) > kLost && ++lost_ <= kMostLost) {
      reach_ = kShrink * step.p;
      return {};
    }
    const double fall = s_.answer.upper - next.upper, rounding = moves_.rounding_of_upper(next.upper);
    const bool measurable = step.decrease > 4 * rounding;
    const double ratio = fall / step.decrease;
    const bool shorter = norm_of(next) < norm_of(s_.answer);
    const bool taken = measurable ? ratio > kTaken : fall >= -rounding && shorter;
    if (!taken) {
      if (!measurable && distance_ <= kRounded) {
        if (s_.fresh) return solved();
        needs_measure_ = true;
        reach_.resize(0);
        if (++refreshed_ > 2) return solved();
        return {};
      }
      moves_.learn(s_.answer, next);
      // The parabola through both values and the slope at the start, within safe bounds.
      const double slope = dot(s_.answer.gradient, step.p);
      const double parabola = slope < 0 ? -0.5 * slope / (-fall - slope) : kShrink;
      reach_ = std::clamp(parabola, 0.1, 0.5) * step.p;
      if (pushes) reach_ = (rejections_ % 2 == 0 ? -1 : -kShrink) * step.p;
      if (++rejections_ == 2) {
        needs_measure_ = true;
        remember_lengths(step.p);
      }
      return {};
    }
    // A model that predicted badly has earned no longer steps.
    if (measurable && ratio < kPoor) {
      s_.reach = kPoor * step.p;
    } else if (measurable && ratio > kGood && !step.inside && moves_.lag(next) < kFar) {
      s_.reach = (ratio > kExcellent ? 2 * kGrow : kGrow) * step.p;
    } else if (s_.reach.size() == 0 || moves_.length(s_.reach) < step.length) {
      s_.reach = step.p;
    }
    const LeaderAnswer before = s_.answer;
    moves_.accept(std::move(next));
    moves_.learn(before, s_.answer);
    if (!moves_.formed()) s_.fresh = !s_.pairs.empty();
    return done();
  }

  /// Coordinates whose part of the promised decrease is nothing beside what f has changed by stay where they are: in
  /// tails where f levels off, steps are quotients of two roundings.
  void rest(Vec& p) const {
    constexpr double kNothing = 1e-18;
    const double nothing = kNothing * (s_.largest_upper - s_.answer.upper);
    for (Index i = 0; i < p.size(); ++i) {
      if (std::abs(s_.answer.gradient[i] * p[i]) <= nothing) p[i] = 0;
    }
  }

  double norm_of(const LeaderAnswer& answer) const {
    return moves_.formed() ? norm(s_.spectrum.coordinates(answer.gradient)) : norm(answer.gradient);
  }

  /// Differences as long as the steps that failed see what these met.
  void remember_lengths(const Vec& p) {
    constexpr double kShare = 1e-4;
    for (Index i = 0; i < p.size(); ++i) {
      const double length = kShare * std::abs(p[i]);
      if (length > 0 && length < std::abs(s_.difference_steps[i])) s_.difference_steps[i] = length;
    }
  }

  StepReport done() {
    ++s_.iteration;
    auto report = report_of(s_.answer);
    report.solved = false;
    constexpr std::size_t kPatience = 8;
    s_.moves.push_back(newton_.cwiseAbs().maxCoeff());
    const auto count = s_.moves.size();
    if (count % kPatience == 0 && s_.moves.back() > 0.5 * s_.moves[count - kPatience] && newton_.norm() > 0) {
      if (auto tail = moves_.tail(newton_); tail.falls_for_ever) {
        s_.escape = newton_;
        if (tail.unbounded) return escaped();
        moves_.accept(std::move(tail.lowest));
        report = report_of(s_.answer);
        report.solved = false;
      }
    }
    return report;
  }

  /// The end of a run whose leader has no solution in the direction that it took.
  StepReport escaped() {
    auto report = report_of(s_.answer);
    report.status = Status::diverged;
    report.message = fmt::format("the upper objective falls for ever along {}: the leader has no solution this way",
                                 direction_text(s_.escape));
    return report;
  }

  StepReport solved() {
    if (s_.escape.size() > 0 && distance_ > options_.distance && dot(s_.answer.gradient, s_.escape) <= 0)
      return escaped();
    ++s_.iteration;
    auto report = report_of(s_.answer);
    report.solved = true;
    const char* measure = moves_.formed() ? "Newton's step" : "the quasi-Newton step";
    report.message = distance_ > 0 && std::isfinite(distance_)
                         ? fmt::format("{} is {:.2g} of x's own scale, and |hypergradient| = {:.3g}", measure,
                                       distance_, report.hypergradient_norm)
                         : fmt::format("the hypergradient vanishes up to rounding ({:.3g})", report.hypergradient_norm);
    if (s_.kink) report.message = "f has a kink here, and hypergradients around it have a vanishing mean";
    if (s_.flat) report.message += "; f has no curvature along some direction there and does not fall along it";
    return report;
  }

  StepReport interrupted() {
    auto report = report_of(s_.answer);
    report.status = Status::interrupted;
    report.message = "stopped by the user during a step";
    return report;
  }

  StepReport manifold(const LeaderAnswer& next) {
    auto report = report_of(s_.answer);
    report.status = next.status;
    report.message = next.message;
    return report;
  }

  StepReport stuck_or_kink() {
    constexpr double kLevel = 1e-12;  // all that f could still fall by is nothing beside what it has fallen by
    const double promised = -0.5 * dot(s_.answer.gradient, newton_);
    const bool nothing_left = distance_ <= kRounded || promised <= kLevel * (s_.largest_upper - s_.answer.upper);
    if (nothing_left && s_.fresh && !curved_down()) return solved();
    s_.kink = moves_.at_kink();
    if (s_.kink) return solved();
    return stuck("no step lowers f");
  }

  StepReport stuck(const std::string& why) {
    auto report = report_of(s_.answer);
    report.status = Status::stagnated;
    report.message = fmt::format("{} from here, though |hypergradient| = {:.3g}{}", why, report.hypergradient_norm,
                                 last_trouble_.empty() ? "" : "; beyond, " + last_trouble_);
    return report;
  }

  // Newton's step in x's own scale where f can no longer be told apart from its rounding.
  static constexpr double kRounded = 1e-4;

  const NewtonOptions& options_;
  Newton::State& s_;
  NewtonMoves moves_;
  Vec newton_;
  Vec reach_;
  double distance_ = 0;
  bool needs_measure_ = s_.iteration == 1;
  int rejections_ = 0, refreshed_ = 0, lost_ = 0;
  std::string last_trouble_;
};

}  // namespace

void describe(OptionTable& table, NewtonOptions& options) {
  table.group("Leader")
      .add("distance", options.distance,
           "solved when Newton's step is below this share of each leader variable's own scale", between(1e-14, 0.1))
      .add("formed-leader", options.formed_leader,
           "leader variables up to which the Hessian of the leader's value is formed; beyond, limited-memory BFGS",
           between(0, 2000));
}

Newton::Newton(NewtonOptions options) : options_(options) { check_options(options_); }

OuterMethod::Needs Newton::needs() const {
  return {Oracle::value | Oracle::grad_x | Oracle::grad_y,
          Oracle::value | Oracle::grad_y | Oracle::hess_yy | Oracle::hess_xy};
}

std::unique_ptr<OuterMethod::State> Newton::do_init(const BilevelProblem& problem) const {
  constexpr double kShare = 1e-6;
  auto state = std::make_unique<State>();
  state->x = problem.x0;
  state->y = problem.y0;
  state->unit = problem.x0.cwiseAbs();
  state->difference_steps = kShare * problem.x0.cwiseAbs();
  for (Index i = 0; i < problem.x0.size(); ++i) {
    if (!(state->difference_steps[i] > 0)) state->difference_steps[i] = kShare;
  }
  return state;
}

StepReport Newton::step(const BilevelProblem& problem, OuterMethod::State& base) const {
  auto& s = dynamic_cast<State&>(base);
  if (s.iteration > 0) return Turn(problem, options_, s).take();
  auto answer = NewtonMoves(problem, options_, s).answer(s.x, s.y);
  StepReport report = report_of(answer);
  report.status = answer.status;
  report.message = answer.message;
  if (!answer.ok()) return report;
  report.solved = false;
  s.answer = std::move(answer);
  s.largest_upper = s.answer.upper;
  s.x_start = s.answered_x = s.x;
  s.y = s.answer.y;
  s.iteration = 1;
  return report;
}

std::vector<Finding> Newton::findings(const OuterMethod::State& base) const {
  const auto& s = dynamic_cast<const State&>(base);
  std::vector<Finding> all;
  if (s.escaped_saddle) all.push_back({"left_saddle", 1, "a saddle or maximum of the leader's value was met and left"});
  if (s.kink) all.push_back({"kink", 1, "f has a kink at the answer: the hypergradient jumps there"});
  if (s.flat) all.push_back({"flat_leader", 1, "f has no curvature along some direction at the answer"});
  if (s.answer.flat) all.push_back({"flat_follower", 1, "the follower's curvature vanishes at its answer"});
  return all;
}

}  // namespace bilevel
