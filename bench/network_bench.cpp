#include "network_bench.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "against_peak.hpp"
#include "bilevel/network.hpp"
#include "bilevel/random.hpp"
#include "kernels/thread_team.hpp"

namespace {

using namespace bilevel;

constexpr Index kHidden = 32, kClasses = 10;

std::vector<std::int32_t> random_labels(std::size_t count, Random& random) {
  std::vector<std::int32_t> labels(count);
  for (auto& label : labels) label = static_cast<std::int32_t>(random.below(kClasses));
  return labels;
}

FeatureMatrix dense_rows(std::size_t count, std::size_t features, Precision precision) {
  Random random(1);
  const auto fill = [&](std::size_t, std::span<double> row) {
    for (double& entry : row) entry = random.uniform();
  };
  return FeatureMatrix::dense(count, features, fill, precision);
}

FeatureMatrix sparse_rows(std::size_t count, std::size_t features, std::size_t stored, Precision precision) {
  Random random(2);
  std::vector<std::size_t> starts{0};
  std::vector<std::uint32_t> columns;
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) {
    // One column from each of `stored` equal parts: random places in ascending order.
    for (std::size_t k = 0; k < stored; ++k) {
      const std::size_t from = features * k / stored, to = features * (k + 1) / stored;
      columns.push_back(static_cast<std::uint32_t>(from + random.below(to - from)));
      values.push_back(random.normal());
    }
    starts.push_back(values.size());
  }
  return FeatureMatrix::sparse(features, starts, columns, std::span<const double>(values), precision);
}

/// `stored` values of each row meet the weights of the hidden layer.
template <class Real>
void measure(const std::string& what, const FeatureMatrix& rows, std::size_t stored, std::size_t threads,
             std::vector<BenchRow>& table) {
  const Network network({.inputs = static_cast<Index>(rows.features()), .hidden = kHidden, .outputs = kClasses});
  Random random(3);
  const auto f = network_loss(network, rows, random_labels(rows.rows(), random), 0, threads);
  const Vec x(0), y = network.start(4);
  // A pass meets the lower weights twice: for scores and for the sum of errors. The upper products are three for a
  // gradient (scores, errors, sum), and seven for a product: two terms of each, and the errors of the point anew.
  const auto both_layers = [&](double upper_products) {
    return 2.0 * static_cast<double>(rows.rows()) *
           (2.0 * static_cast<double>(stored) * kHidden + upper_products * kHidden * kClasses);
  };
  const auto where = " " + what + " " + std::string(to_string(rows.precision())) + " " + std::to_string(threads) + "t";
  kernels::ThreadTeam team(threads);
  volatile double sink = 0;
  table.push_back(against_peak<Real>("network gradient" + where, team, both_layers(3),
                                     [&] { sink = (*f->evaluate(Oracle::value | Oracle::grad_y, x, y).grad_y)[0]; }));
  const auto at = f->linearize(x, y);
  table.push_back(
      against_peak<Real>("network product" + where, team, both_layers(7), [&] { sink = at.hess_yy(y)[0]; }));
}

template <class Real>
void measure_all(Precision precision, std::vector<BenchRow>& table) {
  for (const std::size_t threads : {std::size_t{1}, std::size_t{2}}) {
    measure<Real>("20000x784x32x10", dense_rows(20000, 784, precision), 784, threads, table);
    measure<Real>("5000x(200 of 16384)x32x10", sparse_rows(5000, 16384, 200, precision), 200, threads, table);
  }
}

}  // namespace

std::vector<BenchRow> bench_networks() {
  std::vector<BenchRow> table;
  measure_all<float>(Precision::float32, table);
  measure_all<double>(Precision::float64, table);
  return table;
}
