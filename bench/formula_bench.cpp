#include "formula_bench.hpp"

#include <cmath>
#include <string>
#include <vector>

#include "bilevel/formula.hpp"
#include "oracle_timings.hpp"

namespace {

using bilevel::Formula;
using bilevel::Index;
using bilevel::Vec;

template <class Plain>
void measure(const std::string& name, const std::string& text, const bilevel::FormulaParameters& parameters,
             const Vec& x, const Vec& y, Plain plain, std::vector<BenchRow>& rows) {
  const auto formula = Formula::parse(text, parameters);
  const auto f = bilevel::make_formula_objective(name, formula, x.size(), y.size());
  volatile double sink = 0;
  append_oracle_rows("formula, " + name, *f, x, y, time_of([&] { sink = plain(x, y); }), rows);
  rows.push_back({"formula, " + name + ", parse",
                  time_of([&] { sink = static_cast<double>(Formula::parse(text, parameters).largest_y()); })});
}

}  // namespace

std::vector<BenchRow> bench_formulas() {
  std::vector<BenchRow> rows;
  measure(
      "toy of 2 variables", "sin(x)*y^2 + exp(0.1*x*y) + y", {}, Vec::Constant(1, 0.7), Vec::Constant(1, -0.4),
      [](const Vec& x, const Vec& y) { return std::sin(x[0]) * y[0] * y[0] + std::exp(0.1 * x[0] * y[0]) + y[0]; },
      rows);

  measure(
      "Rosenbrock in 50 variables", "sum(i, 1, 49, 100*(y[i+1] - y[i]^2)^2 + (1 - y[i])^2)", {}, Vec(0),
      Vec::LinSpaced(50, -1.0, 1.0),
      [](const Vec&, const Vec& y) {
        double total = 0;
        for (Index i = 0; i + 1 < y.size(); ++i) {
          const double bend = y[i + 1] - y[i] * y[i], rest = 1 - y[i];
          total += 100 * (bend * bend) + rest * rest;
        }
        return total;
      },
      rows);

  constexpr Index points = 30, dim = 20;
  std::vector<double> a(points * dim), b(points);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = std::sin(static_cast<double>(i));
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = std::cos(static_cast<double>(i));
  measure(
      "tanh least squares 30 x 20", "sum(i, 1, 30, (tanh(sum(j, 1, 20, a[(i-1)*20+j]*y[j])) - b[i])^2)",
      {{"a", a}, {"b", b}}, Vec(0), Vec::LinSpaced(dim, -1.0, 1.0),
      [&](const Vec&, const Vec& y) {
        double total = 0;
        for (Index i = 0; i < points; ++i) {
          double inner = 0;
          for (Index j = 0; j < dim; ++j) inner += a[static_cast<std::size_t>(i * dim + j)] * y[j];
          const double residual = std::tanh(inner) - b[static_cast<std::size_t>(i)];
          total += residual * residual;
        }
        return total;
      },
      rows);
  return rows;
}
