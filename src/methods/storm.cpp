#include "bilevel/storm.hpp"

#include <cmath>

#include "methods/neumann.hpp"
#include "methods/soba_directions.hpp"

namespace bilevel {

StormMethod::StormMethod(StormOptions options) : StochasticMethod(options.sampling), options_(options) {
  check_options(options_);
}

OuterMethod::Needs StormMethod::needs() const { return {kImplicitUpper, kImplicitLower}; }

std::unique_ptr<OuterMethod::State> StormMethod::do_init(const BilevelProblem& problem) const {
  return std::make_unique<State>(problem, sampling());
}

void StormMethod::iterate(const BilevelProblem& problem, StochasticMethod::State& base) const {
  auto& s = static_cast<State&>(base);
  const Objective &g = *problem.lower, &f = *problem.upper;
  double eta = options_.momentum * std::pow(s.time(), -2.0 / 3);
  if (s.last_x.size() == 0) {
    s.last_x = s.x, s.last_y = s.y;
    s.d_x = Vec::Zero(s.x.size()), s.d_y = Vec::Zero(s.y.size());
    eta = 1;
  }

  const Batch xi = s.lower_batches.next();
  s.d_y = g.grad_y(s.x, s.y, xi) + (1 - eta) * (s.d_y - g.grad_y(s.last_x, s.last_y, xi));

  const Batch zeta = s.upper_batches.next();
  const auto now = f.evaluate(Oracle::grad_x | Oracle::grad_y, s.x, s.y, zeta);
  const auto then = f.evaluate(Oracle::grad_x | Oracle::grad_y, s.last_x, s.last_y, zeta);
  Vec v = *now.grad_y, last_v = *then.grad_y;
  adjoints(g, s, v, last_v);
  const Batch cross = s.lower_batches.next();
  const Vec h = *now.grad_x - g.hess_xy(s.x, s.y, v, cross);
  const Vec last_h = *then.grad_x - g.hess_xy(s.last_x, s.last_y, last_v, cross);
  s.d_x = h + (1 - eta) * (s.d_x - last_h);

  s.last_x = s.x, s.last_y = s.y;
  s.y -= s.a * std::pow(s.time(), -1.0 / 3) * s.d_y;
  s.x -= s.gamma * std::pow(s.time(), -1.0 / 3) * s.d_x;
  s.average_adjoint(v);
}

void Sustain::adjoints(const Objective& g, State& s, Vec& v, Vec& last_v) const {
  const Index Q = neumann_terms();
  const auto p = static_cast<Index>(s.random.below(static_cast<std::uint64_t>(Q)));
  neumann_product(g, s.b, Q, p, [&] { return s.lower_batches.next(); },
                  {{s.x, s.y, &v}, {s.last_x, s.last_y, &last_v}});
}

void Mrbo::adjoints(const Objective& g, State& s, Vec& v, Vec& last_v) const {
  neumann_sum(g, s.b, neumann_terms(), [&] { return s.lower_batches.next(); },
              {{s.x, s.y, &v}, {s.last_x, s.last_y, &last_v}});
}

void describe(OptionTable& table, StormOptions& options) {
  describe(table, options.sampling);
  table.group("Hypergradient")
      .add("momentum", options.momentum, "weight of the newest direction at the start, falling like k^-2/3",
           greater_than(0) & at_most(1))
      .add("neumann-terms", options.neumann_terms, "products Q of the Neumann series for the adjoint", between(1, 1e6));
}

}  // namespace bilevel
