#include "autodiff_bench.hpp"

#include <cmath>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "bilevel/autodiff.hpp"
#include "oracle_timings.hpp"

namespace {

using bilevel::Index;
using bilevel::Vec;

/// `function` as it stands and on its tape; `plain(x, y)` computes the same in doubles.
template <class Function, class Plain>
void measure(const std::string& name, const Vec& x, const Vec& y, Function function, Plain plain,
             std::vector<BenchRow>& rows) {
  const auto f = bilevel::make_objective(name, x.size(), y.size(), std::move(function));
  volatile double sink = 0;
  append_oracle_rows("autodiff, " + name, *f, x, y, time_of([&] { sink = plain(x, y); }), rows);
}

}  // namespace

std::vector<BenchRow> bench_autodiff() {
  std::vector<BenchRow> rows;
  const auto toy = [](const auto& x, const auto& y) {
    using std::exp;
    using std::sin;
    return sin(x[0]) * y[0] * y[0] + exp(0.1 * x[0] * y[0]) + y[0];
  };
  measure("toy of 2 variables", Vec::Constant(1, 0.7), Vec::Constant(1, -0.4), toy, toy, rows);

  const auto rosenbrock = [](const auto&, const auto& y) {
    std::remove_cvref_t<decltype(y[0])> total = 0;
    for (Index i = 0; i + 1 < y.size(); ++i) {
      const auto bend = y[i + 1] - y[i] * y[i];
      const auto rest = 1 - y[i];
      total += 100 * (bend * bend) + rest * rest;
    }
    return total;
  };
  measure("Rosenbrock in 50 variables", Vec(0), Vec::LinSpaced(50, -1.0, 1.0), rosenbrock, rosenbrock, rows);

  constexpr Index rows_count = 300, columns = 1000;
  std::vector<double> matrix(rows_count * columns);
  for (std::size_t i = 0; i < matrix.size(); ++i) matrix[i] = 0.1 * std::sin(static_cast<double>(i));
  const double* data = matrix.data();
  const auto plain = [data](const Vec&, const Vec& y) {
    double total = 0;
    for (Index i = 0; i < rows_count; ++i) {
      const double residual =
          std::tanh(Eigen::Map<const Vec>(data + i * columns, columns).dot(y)) - 0.01 * static_cast<double>(i);
      total += residual * residual;
    }
    return total / rows_count;
  };
  const Vec weights = Vec::LinSpaced(columns, -1.0, 1.0);
  const auto least_squares = [data](auto row_of) {
    return [data, row_of](const auto&, const auto& y) {
      std::remove_cvref_t<decltype(y[0])> total = 0;
      for (Index i = 0; i < rows_count; ++i) {
        total += square(tanh(dot(row_of(data + i * columns), y)) - 0.01 * static_cast<double>(i));
      }
      return total / rows_count;
    };
  };
  using bilevel::autodiff::Constants;
  measure("tanh least squares 300 x 1000, fixed rows", Vec(0), weights,
          least_squares([](const double* row) { return bilevel::autodiff::fixed(row, columns); }), plain, rows);
  measure("tanh least squares 300 x 1000, copied rows", Vec(0), weights,
          least_squares([](const double* row) { return Constants(row, columns); }), plain, rows);
  return rows;
}
