#include "bilevel/first_order.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "bilevel/lower.hpp"
#include "methods/gradient_differences.hpp"

namespace bilevel {

namespace {

constexpr OracleSet kGradients = Oracle::grad_x | Oracle::grad_y;
const OuterMethod::Needs kFirstOrder{kGradients | Oracle::value, kGradients};

double curvature(const Objective& objective, const Vec& x, const Vec& y) {
  const GradientDifferences differences(objective);
  return measure_curvature(differences.linearize(x, y), objective.dim_y()).largest;
}

/// The rule of GrowingPenaltyOptions::penalty, noted.
double first_penalty(const GrowingPenaltyOptions& options, const BilevelProblem& problem, StochasticMethod::State& s) {
  if (options.penalty) return *options.penalty;
  constexpr double kLeast = 10;
  const double of_f = curvature(*problem.upper, s.x, s.y), of_g = curvature(*problem.lower, s.x, s.y);
  const double ratio = of_g > 0 ? of_f / of_g : 1;
  const double penalty = std::isfinite(ratio) ? kLeast * std::max(1.0, ratio) : kLeast;
  note_choice(s.choices, {"penalty", "auto", fmt::format("{:.4g}", penalty),
                          fmt::format("{:.3g} times the ratio of the curvatures of f and g in y, {:.3g} and {:.3g}, at "
                                      "least {:.3g}",
                                      kLeast, of_f, of_g, kLeast)});
  return penalty;
}

OracleSet with_value(const Objective& g, OracleSet set) {
  return g.provides().has(Oracle::value) ? set | Oracle::value : set;
}

/// grad f + l grad q of BOME, split into its parts in x and y.
struct BarrierDirection {
  Vec x, y;
};
BarrierDirection barrier_direction(const Evaluation& f, const Evaluation& at_y, const Vec& g_x_answer, double eta) {
  const Vec q_x = *at_y.grad_x - g_x_answer;
  const Vec& q_y = *at_y.grad_y;
  const double square = q_x.squaredNorm() + q_y.squaredNorm();
  const double product = dot(*f.grad_x, q_x) + dot(*f.grad_y, q_y);
  const double l = square > 0 ? std::max(eta - product / square, 0.0) : 0;
  return {*f.grad_x + l * q_x, *f.grad_y + l * q_y};
}

void describe(OptionTable& table, GrowingPenaltyOptions& options) {
  describe(table, options.sampling, false);
  table.group("Hypergradient")
      .add("penalty", options.penalty,
           "weight of the follower's optimality against f at the start; auto: ten times the ratio of their curvatures",
           greater_than(0));
}

}  // namespace

F2sa::F2sa(F2saOptions options) : StochasticMethod(options.penalty.sampling), options_(options) {
  check_options(options_);
}

OuterMethod::Needs F2sa::needs() const { return kFirstOrder; }

std::unique_ptr<OuterMethod::State> F2sa::do_init(const BilevelProblem& problem) const {
  auto state = std::make_unique<State>(problem, sampling());
  state->penalised = problem.y0;
  return state;
}

void F2sa::iterate(const BilevelProblem& problem, StochasticMethod::State& base) const {
  auto& s = static_cast<State&>(base);
  if (s.lambda_0 == 0) s.lambda_0 = first_penalty(options_.penalty, problem, s);
  Vec &z = s.y, &y = s.penalised;
  const double l = s.lambda();
  const Batch xi = s.lower_batches.next();
  const auto at_z = problem.lower->evaluate(kGradients, s.x, z, xi);
  const auto at_y = problem.lower->evaluate(kGradients, s.x, y, xi);
  const auto f = problem.upper->evaluate(kGradients, s.x, y, s.upper_batches.next());
  z -= s.a * *at_z.grad_y;
  y -= s.a / l * (*f.grad_y + l * *at_y.grad_y);
  s.x -= s.gamma * (*f.grad_x + l * (*at_y.grad_x - *at_z.grad_x));
}

StochasticMethod::Look F2sa::look(const BilevelProblem& problem, const StochasticMethod::State& base) const {
  const auto& s = static_cast<const State&>(base);
  const auto f = problem.upper->evaluate(Oracle::grad_x, s.x, s.penalised);
  const auto at_z = problem.lower->evaluate(with_value(*problem.lower, kGradients), s.x, s.y);
  const Vec g_x = problem.lower->grad_x(s.x, s.penalised);
  return {*f.grad_x + s.lambda() * (g_x - *at_z.grad_x), problem.upper->value(s.x, s.y), at_z.value,
          norm(*at_z.grad_y)};
}

Bome::Bome(BomeOptions options) : StochasticMethod(options.sampling), options_(options) { check_options(options_); }

OuterMethod::Needs Bome::needs() const { return kFirstOrder; }

void Bome::iterate(const BilevelProblem& problem, State& s) const {
  const Objective& g = *problem.lower;
  Vec answer = s.y;
  for (Index t = 0; t < options_.inner_steps; ++t) answer -= s.a * g.grad_y(s.x, answer, s.lower_batches.next());
  const Batch xi = s.lower_batches.next();
  const auto at_y = g.evaluate(kGradients, s.x, s.y, xi);
  const auto f = problem.upper->evaluate(kGradients, s.x, s.y, s.upper_batches.next());
  const auto d = barrier_direction(f, at_y, g.grad_x(s.x, answer, xi), options_.barrier);
  if (s.gamma == 0) {
    s.y = std::move(answer);
    return;
  }
  s.x -= s.gamma * d.x;
  s.y -= s.gamma * d.y;
}

StochasticMethod::Look Bome::look(const BilevelProblem& problem, const State& s) const {
  const Objective& g = *problem.lower;
  const auto f = problem.upper->evaluate(kGradients | Oracle::value, s.x, s.y);
  const auto at_y = g.evaluate(with_value(g, kGradients), s.x, s.y);
  Vec answer = s.y - s.a * *at_y.grad_y;
  for (Index t = 1; t < options_.inner_steps; ++t) answer -= s.a * g.grad_y(s.x, answer);
  const auto d = barrier_direction(f, at_y, g.grad_x(s.x, answer), options_.barrier);
  Vec both(d.x.size() + d.y.size());
  both << d.x, d.y;
  return {std::move(both), *f.value, at_y.value, norm(*at_y.grad_y)};
}

Meha::Meha(MehaOptions options) : StochasticMethod(options.penalty.sampling), options_(options) {
  check_options(options_);
}

OuterMethod::Needs Meha::needs() const { return kFirstOrder; }

double Meha::State::c() const { return c_0 * std::pow(time(), 0.25); }

std::unique_ptr<OuterMethod::State> Meha::do_init(const BilevelProblem& problem) const {
  auto state = std::make_unique<State>(problem, sampling());
  state->theta = problem.y0;
  return state;
}

void Meha::iterate(const BilevelProblem& problem, StochasticMethod::State& base) const {
  auto& s = static_cast<State&>(base);
  const Objective &g = *problem.lower, &f = *problem.upper;
  if (s.c_0 == 0) {
    constexpr double kShare = 0.1;
    s.c_0 = first_penalty(options_.penalty, problem, s);
    s.gamma_1 = options_.proximal_weight ? *options_.proximal_weight : kShare * curvature(g, s.x, s.y);
  }
  const double g1 = s.gamma_1, c = s.c();
  const Batch xi = s.lower_batches.next(), zeta = s.upper_batches.next();
  s.theta -= s.a * (g.grad_y(s.x, s.theta, xi) + g1 * (s.theta - s.y));
  s.y -= s.a * (f.grad_y(s.x, s.y, zeta) / c + g.grad_y(s.x, s.y, xi) - g1 * (s.y - s.theta));
  s.x -= s.gamma * (f.grad_x(s.x, s.y, zeta) + c * (g.grad_x(s.x, s.y, xi) - g.grad_x(s.x, s.theta, xi)));
}

StochasticMethod::Look Meha::look(const BilevelProblem& problem, const StochasticMethod::State& base) const {
  const auto& s = static_cast<const State&>(base);
  const auto f = problem.upper->evaluate(Oracle::value | Oracle::grad_x, s.x, s.y);
  const auto at_y = problem.lower->evaluate(with_value(*problem.lower, kGradients), s.x, s.y);
  const Vec g_x = problem.lower->grad_x(s.x, s.theta);
  return {*f.grad_x + s.c() * (*at_y.grad_x - g_x), *f.value, at_y.value, norm(*at_y.grad_y)};
}

void describe(OptionTable& table, F2saOptions& options) { describe(table, options.penalty); }

void describe(OptionTable& table, BomeOptions& options) {
  describe(table, options.sampling, false);
  table.group("Follower").add("inner-steps", options.inner_steps, "follower steps T per leader step", between(1, 1e6));
  table.group("Hypergradient")
      .add("barrier", options.barrier, "rate eta at which the follower's suboptimality must fall", greater_than(0));
}

void describe(OptionTable& table, MehaOptions& options) {
  describe(table, options.penalty);
  table.group("Hypergradient")
      .add("proximal-weight", options.proximal_weight,
           "weight of the envelope's proximal term; auto: a tenth of the follower's curvature", greater_than(0));
}

}  // namespace bilevel
