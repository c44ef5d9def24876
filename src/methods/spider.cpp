#include "bilevel/spider.hpp"

#include <algorithm>
#include <utility>

#include "methods/neumann.hpp"
#include "methods/soba_directions.hpp"

namespace bilevel {

Srba::Srba(SrbaOptions options) : StochasticMethod(options.sampling), options_(options) { check_options(options_); }

OuterMethod::Needs Srba::needs() const { return {kImplicitUpper, kImplicitLower}; }

std::unique_ptr<OuterMethod::State> Srba::do_init(const BilevelProblem& problem) const {
  return std::make_unique<State>(problem, sampling());
}

void Srba::iterate(const BilevelProblem& problem, StochasticMethod::State& base) const {
  auto& s = static_cast<State&>(base);
  const Index period =
      options_.period.value_or(s.lower_batches.batches_per_pass() + s.upper_batches.batches_per_pass());
  if (s.k % period == 0) {
    auto d = soba_directions(problem, s.x, s.y, s.v, full, full);
    s.d_x = std::move(d.x), s.d_y = std::move(d.y), s.d_v = std::move(d.v);
  } else {
    const Batch xi = s.lower_batches.next(), zeta = s.upper_batches.next();
    const auto now = soba_directions(problem, s.x, s.y, s.v, xi, zeta);
    const auto then = soba_directions(problem, s.last_x, s.last_y, s.last_v, xi, zeta);
    s.d_x += now.x - then.x;
    s.d_y += now.y - then.y;
    s.d_v += now.v - then.v;
  }
  s.last_x = s.x, s.last_y = s.y, s.last_v = s.v;
  s.y -= s.a * s.d_y;
  s.v -= s.b * s.d_v;
  s.x -= s.gamma * s.d_x;
}

Vrbo::Vrbo(VrboOptions options) : StochasticMethod(options.sampling), options_(options) { check_options(options_); }

OuterMethod::Needs Vrbo::needs() const { return {kImplicitUpper, kImplicitLower}; }

std::unique_ptr<OuterMethod::State> Vrbo::do_init(const BilevelProblem& problem) const {
  return std::make_unique<State>(problem, sampling());
}

void Vrbo::iterate(const BilevelProblem& problem, StochasticMethod::State& base) const {
  auto& s = static_cast<State&>(base);
  const Objective &g = *problem.lower, &f = *problem.upper;
  constexpr OracleSet kGradients = Oracle::grad_x | Oracle::grad_y;
  const Index T = options_.inner_steps, Q = options_.neumann_terms;
  const Index pass = s.lower_batches.batches_per_pass() + s.upper_batches.batches_per_pass();

  if (s.k % options_.period.value_or(std::max<Index>(pass / T, 1)) == 0) {
    s.d_y = g.grad_y(s.x, s.y);
    const auto at = f.evaluate(kGradients, s.x, s.y);
    Vec v = *at.grad_y;
    neumann_sum(g, s.b, Q, [] { return full; }, {{s.x, s.y, &v}});
    s.d_x = *at.grad_x - g.hess_xy(s.x, s.y, v);
    s.last_x = s.x, s.last_y = s.y;
  }
  s.x -= s.gamma * s.d_x;

  const auto draw = [&] { return s.lower_batches.next(); };
  Vec v;
  for (Index t = 0; t < T; ++t) {
    const Batch xi = draw();
    s.d_y += g.grad_y(s.x, s.y, xi) - g.grad_y(s.last_x, s.last_y, xi);
    const Batch zeta = s.upper_batches.next();
    const auto now = f.evaluate(kGradients, s.x, s.y, zeta), then = f.evaluate(kGradients, s.last_x, s.last_y, zeta);
    v = *now.grad_y;
    Vec last_v = *then.grad_y;
    neumann_sum(g, s.b, Q, draw, {{s.x, s.y, &v}, {s.last_x, s.last_y, &last_v}});
    const Batch cross = draw();
    s.d_x += *now.grad_x - g.hess_xy(s.x, s.y, v, cross);
    s.d_x -= *then.grad_x - g.hess_xy(s.last_x, s.last_y, last_v, cross);
    s.last_x = s.x, s.last_y = s.y;
    s.y -= s.a * s.d_y;
  }
  s.average_adjoint(v);
}

void describe(OptionTable& table, SrbaOptions& options) {
  describe(table, options.sampling);
  table.group("Sampling")
      .add("period", options.period,
           "iterations from one full batch to the next; auto: as many as the batches of a pass take", between(1, 1e9));
}

void describe(OptionTable& table, VrboOptions& options) {
  describe(table, options.sampling);
  table.group("Sampling")
      .add("period", options.period,
           "iterations from one full batch to the next; auto: as many as the batches of a pass take", between(1, 1e9));
  table.group("Follower").add("inner-steps", options.inner_steps, "follower steps T per leader step", between(1, 1e6));
  table.group("Hypergradient")
      .add("neumann-terms", options.neumann_terms, "products Q of the Neumann series for the adjoint", between(1, 1e6));
}

}  // namespace bilevel
