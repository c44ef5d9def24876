#include "minibatch_bench.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "against_peak.hpp"
#include "bilevel/linear_models.hpp"
#include "bilevel/random.hpp"
#include "kernels/dense_rows.hpp"
#include "kernels/thread_team.hpp"
#include "machine_peak.hpp"
#include "oracle_timings.hpp"
#include "sources/feature_storage.hpp"

namespace {

using namespace bilevel;

constexpr std::size_t kTrainingRows = 20000, kValidationRows = 10000, kClasses = 10;
constexpr std::size_t kFeatures = 784;
constexpr std::size_t kSparseFeatures = 16384, kStored = 150;

FeatureMatrix dense_features(std::size_t rows, Precision precision) {
  Random random(1);
  const auto fill = [&](std::size_t, std::span<double> row) {
    for (double& entry : row) entry = random.uniform();
  };
  return FeatureMatrix::dense(rows, kFeatures, fill, precision);
}

FeatureMatrix sparse_features(std::size_t rows, Precision precision) {
  Random random(2);
  std::vector<std::size_t> starts{0};
  std::vector<std::uint32_t> columns;
  std::vector<double> values;
  for (std::size_t i = 0; i < rows; ++i) {
    // One column from each of kStored equal parts: random places in ascending order.
    for (std::size_t k = 0; k < kStored; ++k) {
      const std::size_t from = kSparseFeatures * k / kStored, to = kSparseFeatures * (k + 1) / kStored;
      columns.push_back(static_cast<std::uint32_t>(from + random.below(to - from)));
      values.push_back(random.normal());
    }
    starts.push_back(values.size());
  }
  return FeatureMatrix::sparse(kSparseFeatures, starts, columns, std::span<const double>(values), precision);
}

std::vector<std::int32_t> random_labels(std::size_t count) {
  Random random(3);
  std::vector<std::int32_t> labels(count);
  for (auto& label : labels) label = static_cast<std::int32_t>(random.below(kClasses));
  return labels;
}

/// A game of row weights: both objectives and a point.
struct Game {
  Game(const FeatureMatrix& training, const FeatureMatrix& validation)
      : stored(training.is_sparse() ? kStored : kFeatures),
        g(training_objective(training, random_labels(training.rows()),
                             {.model = model(), .row_weights = true, .regularization = 1e-3})),
        f(validation_objective(validation, random_labels(validation.rows()), model(), g->dim_x())),
        x(Vec::Zero(g->dim_x())),
        y(Vec::Constant(g->dim_y(), 1e-3)),
        v(Vec::Constant(g->dim_y(), 1e-3)) {}

  static LinearModelOptions model() { return {.classes = kClasses, .intercept = true}; }

  /// The steps are too short to lead anywhere: it is the time that counts.
  void soba_step(Batch xi, Batch zeta) {
    constexpr double kStep = 1e-9;
    const auto [at, products] = g->evaluate_along(Oracle::grad_y, x, y, v, xi);
    const Evaluation upper = f->evaluate(Oracle::grad_y, x, y, zeta);
    y -= kStep * *at.grad_y;
    v -= kStep * (products.hess_yy + *upper.grad_y);
    x -= kStep * products.hess_xy;
  }

  std::size_t stored;
  std::shared_ptr<const LinearObjective> g, f;
  Vec x, y, v;
};

/// Seconds to read the rows of a dense batch, a number of each line, and do nothing with them; 0 for sparse rows.
template <class Real>
double read_rows(const FeatureMatrix& features, Batch batch) {
  const auto& rows = std::get<FeatureMatrix::Storage::Rows<Real>>(features.storage().rows);
  const auto* dense = dynamic_cast<const kernels::DenseRows<Real>*>(rows.get());
  if (dense == nullptr) return 0;
  const double start = thread_seconds();
  Real sum = 0;
  for (const auto i : batch.indices()) {
    for (std::size_t j = 0; j < dense->features(); j += kernels::kAlignment / sizeof(Real)) sum += dense->row(i)[j];
  }
  volatile Real sink = sum;
  static_cast<void>(sink);
  return thread_seconds() - start;
}

/// Calls of `call(xi, zeta)`, which makes `products` thin products, each with the next batches.
template <class Real>
void measure(const std::string& name, Game& game, std::size_t batch, double products,
             const std::function<void(Batch, Batch)>& call, std::vector<BenchRow>& table) {
  constexpr int kRepetitions = 25, kReads = 8;
  const std::size_t calls = std::max<std::size_t>(16, 4096 / batch);
  kernels::ThreadTeam team(1);
  Sampler xi(kTrainingRows, batch, 4), zeta(kValidationRows, batch, 5);
  std::vector<double> seconds, peaks, reads;
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    peaks.push_back(measured_flops<Real>(team, 4));
    double read = 0;
    for (int i = 0; i < kReads; ++i) read += read_rows<Real>(game.g->features(), xi.next());
    reads.push_back(read / kReads);
    call(xi.next(), zeta.next());  // what the peak has driven out of the caches comes back
    const double start = thread_seconds();
    for (std::size_t i = 0; i < calls; ++i) call(xi.next(), zeta.next());
    seconds.push_back((thread_seconds() - start) / static_cast<double>(calls));
  }
  const double flops = products * 2.0 * static_cast<double>(batch * game.stored * kClasses);
  BenchRow row{name, median(seconds), flops / median(peaks)};
  row.share = row.bound_seconds / row.seconds;
  row.best_seconds = *std::min_element(seconds.begin(), seconds.end());
  row.memory_bound_seconds = median(reads);
  table.push_back(row);
}

template <class Real>
void measure_all(const std::string& where, Game& game, const std::vector<std::size_t>& batches,
                 std::vector<BenchRow>& table) {
  volatile double sink = 0;
  for (const std::size_t batch : batches) {
    measure<Real>(
        "batch of " + std::to_string(batch) + " value, grad_y" + where, game, batch, 2,
        [&](Batch xi, Batch) {
          sink = (*game.g->evaluate(Oracle::value | Oracle::grad_y, game.x, game.y, xi).grad_y)[0];
        },
        table);
  }
  measure<Real>(
      "batch of 64 linearize, both" + where, game, 64, 3,
      [&](Batch xi, Batch) { sink = game.g->linearize(game.x, game.y, xi).both(game.v).hess_yy[0]; }, table);
  measure<Real>(
      "batch of 64 SOBA step" + where, game, 64, 6, [&](Batch xi, Batch zeta) { game.soba_step(xi, zeta); }, table);
}

template <class Real>
void measure_precision(Precision precision, std::vector<BenchRow>& table) {
  const std::string end = " " + std::string(to_string(precision));
  Game dense(dense_features(kTrainingRows, precision), dense_features(kValidationRows, precision));
  measure_all<Real>(" 784x10" + end, dense, {1, 16, 64, 256}, table);
  Game sparse(sparse_features(kTrainingRows, precision), sparse_features(kValidationRows, precision));
  measure_all<Real>(" (150 of 16384)x10" + end, sparse, {64}, table);
}

/// The heap as reading a data set leaves it. Without a freed block of that size the C library hands answers of 160 KB
/// back to the system after every step, whose page faults take longer than the oracles.
void settle_heap() {
  const Vec block = Vec::Zero(Index{3} << 20);
  asm volatile("" ::"r"(block.data()) : "memory");
}

}  // namespace

std::vector<BenchRow> bench_minibatches() {
  settle_heap();
  std::vector<BenchRow> table;
  measure_precision<float>(Precision::float32, table);
  measure_precision<double>(Precision::float64, table);
  return table;
}
