#include "bilevel/stocbio.hpp"

#include <cmath>

#include "methods/neumann.hpp"
#include "methods/soba_directions.hpp"

namespace bilevel {

StocBio::StocBio(StocBioOptions options) : StochasticMethod(options.sampling), options_(options) {
  check_options(options_);
}

OuterMethod::Needs StocBio::needs() const { return {kImplicitUpper, kImplicitLower}; }

void StocBio::iterate(const BilevelProblem& problem, State& s) const {
  const Objective& g = *problem.lower;
  const auto draw = [&] { return s.lower_batches.next(); };
  for (Index t = 0; t < options_.inner_steps; ++t) s.y -= s.a * g.grad_y(s.x, s.y, draw());
  const auto f = problem.upper->evaluate(Oracle::grad_x | Oracle::grad_y, s.x, s.y, s.upper_batches.next());
  Vec v = *f.grad_y;
  neumann_sum(g, s.b, options_.neumann_terms, draw, {{s.x, s.y, &v}});
  const Vec Bv = g.hess_xy(s.x, s.y, v, draw());
  s.x -= s.gamma * (*f.grad_x - Bv);
  s.average_adjoint(v);
}

Amigo::Amigo(AmigoOptions options) : StochasticMethod(options.sampling), options_(options) { check_options(options_); }

OuterMethod::Needs Amigo::needs() const { return {kImplicitUpper, kImplicitLower}; }

void Amigo::iterate(const BilevelProblem& problem, State& s) const {
  const Objective& g = *problem.lower;
  const auto draw = [&] { return s.lower_batches.next(); };
  for (Index t = 0; t < options_.inner_steps; ++t) s.y -= s.a * g.grad_y(s.x, s.y, draw());
  const auto f = problem.upper->evaluate(Oracle::grad_x | Oracle::grad_y, s.x, s.y, s.upper_batches.next());
  for (Index j = 0; j < options_.adjoint_steps; ++j) s.v -= s.b * (g.hess_yy(s.x, s.y, s.v, draw()) - *f.grad_y);
  s.x -= s.gamma * (*f.grad_x - g.hess_xy(s.x, s.y, s.v, draw()));
}

Ttsa::Ttsa(TtsaOptions options) : StochasticMethod(options.sampling), options_(options) { check_options(options_); }

OuterMethod::Needs Ttsa::needs() const { return {kImplicitUpper, kImplicitLower}; }

void Ttsa::iterate(const BilevelProblem& problem, State& s) const {
  const Objective& g = *problem.lower;
  const auto draw = [&] { return s.lower_batches.next(); };
  const Index Q = options_.neumann_terms;
  s.y -= s.a * std::pow(s.time(), -2.0 / 5) * g.grad_y(s.x, s.y, draw());
  const auto f = problem.upper->evaluate(Oracle::grad_x | Oracle::grad_y, s.x, s.y, s.upper_batches.next());
  const auto p = static_cast<Index>(s.random.below(static_cast<std::uint64_t>(Q)));
  Vec v = *f.grad_y;
  neumann_product(g, s.b, Q, p, draw, {{s.x, s.y, &v}});
  const Vec Bv = g.hess_xy(s.x, s.y, v, draw());
  s.x -= s.gamma * std::pow(s.time(), -3.0 / 5) * (*f.grad_x - Bv);
  s.average_adjoint(v);
}

void describe(OptionTable& table, StocBioOptions& options) {
  describe(table, options.sampling);
  table.group("Follower").add("inner-steps", options.inner_steps, "follower steps T per leader step", between(1, 1e6));
  table.group("Hypergradient")
      .add("neumann-terms", options.neumann_terms, "products Q of the Neumann series for the adjoint", between(1, 1e6));
}

void describe(OptionTable& table, AmigoOptions& options) {
  describe(table, options.sampling);
  table.group("Follower").add("inner-steps", options.inner_steps, "follower steps T per leader step", between(1, 1e6));
  table.group("Hypergradient")
      .add("adjoint-steps", options.adjoint_steps, "steps N on the adjoint per leader step", between(1, 1e6));
}

void describe(OptionTable& table, TtsaOptions& options) {
  describe(table, options.sampling);
  table.group("Hypergradient")
      .add("neumann-terms", options.neumann_terms, "products Q of the Neumann series for the adjoint", between(1, 1e6));
}

}  // namespace bilevel
