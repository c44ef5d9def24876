// Formulas: parsed or refused, and what is parsed answers every oracle.
#include <cmath>
#include <string_view>

#include "bilevel/formula.hpp"
#include "bilevel/status.hpp"
#include "fuzz/target.hpp"

namespace {

using bilevel::Formula;
using bilevel::Index;
using bilevel::Vec;
using bilevel::testing::demand;

// Points where functions are harmless, where they are at a kink or a pole, and beyond.
constexpr double kPoints[][2] = {{0.3, 0.7}, {0, 0}, {-1, 1}, {1e160, -1e-160}};
// Entries that an evaluation may take: one point would cost more than a thousand other inputs.
constexpr Index kMostEntries = 1000;

void evaluate(const Formula& formula) {
  const Index n = formula.largest_x() + 1, m = formula.largest_y() + 1;
  if (n > kMostEntries || m > kMostEntries) return;
  const auto objective = bilevel::make_formula_objective("fuzz", formula, n, m);
  for (const auto& [first, second] : kPoints) {
    const Vec x = Vec::Constant(n, first), y = Vec::Constant(m, second);
    const double value = formula(x, y);
    const auto here = objective->linearize(x, y, bilevel::full,
                                           bilevel::Oracle::value | bilevel::Oracle::grad_x | bilevel::Oracle::grad_y);
    const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    demand(same(objective->value(x, y), value), "the objective's value is the formula's");
    here.both(Vec::Ones(m));
    here.hess_yx(Vec::Ones(n));
    objective->evaluate(bilevel::Oracle::grad_x | bilevel::Oracle::grad_y, x, y);
    for (const auto& kink : objective->kinks(x, y)) {
      demand(kink.distance >= 0 && !kink.what.empty(), "a kink has a name and a distance");
    }
    objective->explain_nonfinite(x, y);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    evaluate(Formula::parse(bilevel::testing::text_of(data, size), {{"a", {0.5}}, {"c", {1, -2, 3}}}));
  } catch (const bilevel::InvalidInput& refusal) {
    const std::string_view sentence(refusal.what());
    demand(sentence.starts_with("formula:"), "a refusal begins with the place");
    demand(sentence.size() < 1000, "a refusal is short");
  }
  return 0;
}
