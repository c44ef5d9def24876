#include "bilevel/soba.hpp"

#include "methods/soba_directions.hpp"

namespace bilevel {

Soba::Soba(SobaOptions options) : StochasticMethod(options) { check_options(options); }

OuterMethod::Needs Soba::needs() const { return {kImplicitUpper, kImplicitLower}; }

void Soba::iterate(const BilevelProblem& problem, State& s) const {
  const auto d = soba_directions(problem, s.x, s.y, s.v, s.lower_batches.next(), s.upper_batches.next());
  s.y -= s.a * d.y;
  s.v -= s.b * d.v;
  s.x -= s.gamma * d.x;
}

MaSoba::MaSoba(MaSobaOptions options) : StochasticMethod(options.sampling), options_(options) {
  check_options(options_);
}

OuterMethod::Needs MaSoba::needs() const { return {kImplicitUpper, kImplicitLower}; }

std::unique_ptr<OuterMethod::State> MaSoba::do_init(const BilevelProblem& problem) const {
  return std::make_unique<State>(problem, sampling());
}

void MaSoba::iterate(const BilevelProblem& problem, StochasticMethod::State& base) const {
  auto& s = static_cast<State&>(base);
  const double t = options_.averaging;
  const auto d = soba_directions(problem, s.x, s.y, s.v, s.lower_batches.next(), s.upper_batches.next());
  if (s.h.size() == 0) s.h = d.x;
  s.y -= s.a * d.y;
  s.v -= s.b * d.v;
  s.x -= s.gamma * s.h;
  s.h = (1 - t) * s.h + t * d.x;
}

void describe(OptionTable& table, MaSobaOptions& options) {
  describe(table, options.sampling);
  table.add("averaging", options.averaging, "weight t of the newest direction in the leader's moving average",
            greater_than(0) & at_most(1));
}

}  // namespace bilevel
