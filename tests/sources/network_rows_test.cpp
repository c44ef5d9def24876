// Networks on stored rows, dense and sparse, in both precisions: against plain loops and each other, derivatives,
// batches, threads, misuse.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "bilevel/check.hpp"
#include "bilevel/network.hpp"
#include "bilevel/status.hpp"
#include "message_of.hpp"
#include "sources/linear_data.hpp"

namespace bilevel::testing {
namespace {

struct Storage {
  const char* name;
  bool is_sparse;
  Precision precision;

  FeatureMatrix of(const LinearData& data) const { return is_sparse ? data.sparse(precision) : data.dense(precision); }
  /// Rounding of one evaluation, relative to the answer's norm: some ten thousand operations of 1e-16, or, with sums
  /// over many rows in double, some hundred of 1e-7 that are half lucky.
  double rounding() const { return precision == Precision::float64 ? 1e-13 : 3e-6; }
};

constexpr Storage kStorages[] = {{"dense float64", false, Precision::float64},
                                 {"sparse float64", true, Precision::float64},
                                 {"dense float32", false, Precision::float32},
                                 {"sparse float32", true, Precision::float32}};

Table table_of(const LinearData& data) {
  return Eigen::Map<const Table>(data.values.data(), static_cast<Index>(data.rows), static_cast<Index>(data.features));
}

Network network_of(const LinearData& data, Index hidden, NetworkLoss loss = NetworkLoss::cross_entropy) {
  return Network({.inputs = static_cast<Index>(data.features),
                  .hidden = hidden,
                  .outputs = static_cast<Index>(data.classes),
                  .loss = loss});
}

/// w_k . u + b_k for each k, where y holds the rows of w and then b, and goes on behind them.
std::vector<double> layer(const std::vector<double>& u, std::size_t outputs, const double*& y) {
  std::vector<double> result(outputs, 0.0);
  for (double& sum : result) {
    for (const double entry : u) sum += entry * *y++;
  }
  for (double& sum : result) sum += *y++;
  return result;
}

std::vector<double> scores_by_loops(const Network& network, std::vector<double> u, const Vec& y) {
  const double* place = y.data();
  if (network.options().hidden > 0) {
    u = layer(u, static_cast<std::size_t>(network.options().hidden), place);
    for (double& entry : u) entry = std::tanh(entry);
  }
  return layer(u, static_cast<std::size_t>(network.options().outputs), place);
}

double loss_by_loops(const Network& network, const LinearData& data, const Vec& y) {
  double total = 0;
  for (std::size_t i = 0; i < data.rows; ++i) {
    const auto begin = data.values.begin() + static_cast<std::ptrdiff_t>(i * data.features);
    const auto scores = scores_by_loops(network, {begin, begin + static_cast<std::ptrdiff_t>(data.features)}, y);
    const auto label = static_cast<std::size_t>(data.labels[i]);
    double exponentials = 0, squares = 0;
    for (std::size_t c = 0; c < scores.size(); ++c) {
      exponentials += std::exp(scores[c]);
      squares += 0.5 * std::pow(scores[c] - (c == label ? 1 : 0), 2);
    }
    const bool is_squared = network.options().loss == NetworkLoss::squared;
    total += is_squared ? squares : std::log(exponentials) - scores[label];
  }
  return total / static_cast<double>(data.rows);
}

TEST(NetworkRows, AllStoragesAgreeWithLoopsAndTables) {
  // 1100 rows: sums in float move on to double after 512, and the last block is not full. 40 units: several tiles.
  const LinearData data(1100, 23, 3, 31, 0.6);
  for (const Index hidden : {0, 5, 40}) {
    for (const auto loss : {NetworkLoss::cross_entropy, NetworkLoss::squared}) {
      const Network network = network_of(data, hidden, loss);
      Random random(32);
      const Vec x = random_vec(2, random), y = random_vec(network.dim_y(), random, 0.4);
      const Vec v = random_vec(network.dim_y(), random);
      const auto plain = network_loss(network, table_of(data), one_hot(data.labels, 3), 2);
      const double value = loss_by_loops(network, data, y);
      const Vec gradient = plain->grad_y(x, y), product = plain->hess_yy(x, y, v);
      for (const Storage& storage : kStorages) {
        SCOPED_TRACE(::testing::Message() << storage.name << ", " << hidden << " hidden, " << to_string(loss));
        const auto f = network_loss(network, storage.of(data), data.labels, 2);
        ASSERT_EQ(f->samples(), 1100u);
        ASSERT_EQ(f->dim_y(), network.dim_y());
        EXPECT_NEAR(f->value(x, y), value, storage.rounding() * value);
        EXPECT_LE(norm(f->grad_y(x, y) - gradient), storage.rounding() * norm(gradient));
        EXPECT_LE(norm(f->hess_yy(x, y, v) - product), storage.rounding() * norm(product));
        EXPECT_EQ(f->grad_x(x, y), Vec::Zero(2));
        EXPECT_EQ(f->hess_xy(x, y, v), Vec::Zero(2));
        EXPECT_EQ(f->hess_yx(x, y, x), Vec::Zero(network.dim_y()));
      }
    }
  }
}

TEST(NetworkRows, OraclesAgreeWithEachOther) {
  const LinearData data(150, 11, 3, 33, 0.5);
  for (const Index hidden : {0, 6}) {
    for (const auto loss : {NetworkLoss::cross_entropy, NetworkLoss::squared}) {
      for (const Storage& storage : kStorages) {
        SCOPED_TRACE(::testing::Message() << storage.name << ", " << hidden << " hidden, " << to_string(loss));
        const auto f = network_loss(network_of(data, hidden, loss), storage.of(data), data.labels, 0, 2);
        Random random(34);
        const Vec y = random_vec(f->dim_y(), random, 0.5);
        const bool is_float64 = storage.precision == Precision::float64;
        const auto report = check_objective(*f, Vec(0), y, {.batch_size = 17});
        // Slopes above such noise come from steps of order 1, over which the cubic terms of two layers still show, in
        // float64 just so. That float32 has the same derivatives, the agreement above says.
        for (const Check& check : report.checks) {
          const bool must_pass = is_float64 || check.measure != Check::Measure::slope;
          EXPECT_TRUE(check.passed || !must_pass) << report.text();
        }
      }
    }
  }
}

TEST(NetworkRows, RowsOneByOneAverageToAllOfThem) {
  const LinearData data(70, 9, 2, 35, 0.5);
  for (const Storage& storage : kStorages) {
    SCOPED_TRACE(storage.name);
    const auto f = network_loss(network_of(data, 4), storage.of(data), data.labels, 0);
    Random random(36);
    const Vec y = random_vec(f->dim_y(), random), v = random_vec(f->dim_y(), random);
    Vec gradient = Vec::Zero(f->dim_y()), product = gradient;
    for (std::uint32_t i = 0; i < 70; ++i) {
      const std::vector<std::uint32_t> one{i};
      gradient += f->grad_y(Vec(0), y, Batch(one)) / 70;
      product += f->hess_yy(Vec(0), y, v, Batch(one)) / 70;
    }
    EXPECT_LE(norm(gradient - f->grad_y(Vec(0), y)), storage.rounding() * norm(gradient));
    EXPECT_LE(norm(product - f->hess_yy(Vec(0), y, v)), storage.rounding() * norm(product));
  }
}

TEST(NetworkRows, SubsetsAndBatchesChooseTheSameRows) {
  const LinearData data(80, 9, 3, 37, 0.5);
  std::vector<std::uint32_t> indices;
  for (std::uint32_t r = 0; r < 75; ++r) indices.push_back((r * 7 + 3) % 60);  // repeats, and more than one block
  std::vector<std::int32_t> labels;
  for (const auto i : indices) labels.push_back(data.labels[i]);
  for (const Storage& storage : kStorages) {
    SCOPED_TRACE(storage.name);
    const Network network = network_of(data, 4);
    const FeatureMatrix rows = storage.of(data);
    const auto all = network_loss(network, rows, data.labels, 0);
    const auto part = network_loss(network, rows.subset(indices), labels, 0);
    Random random(38);
    const Vec y = random_vec(network.dim_y(), random), v = random_vec(network.dim_y(), random);
    EXPECT_EQ(part->value(Vec(0), y), all->value(Vec(0), y, Batch(indices)));
    EXPECT_EQ(part->grad_y(Vec(0), y), all->grad_y(Vec(0), y, Batch(indices)));
    EXPECT_EQ(part->hess_yy(Vec(0), y, v), all->hess_yy(Vec(0), y, v, Batch(indices)));
    const std::vector<std::uint32_t> last{74, 2};
    const std::vector<std::uint32_t> last_of_all{indices[74], indices[2]};
    EXPECT_EQ(part->grad_y(Vec(0), y, Batch(last)), all->grad_y(Vec(0), y, Batch(last_of_all)));
  }
}

TEST(NetworkRows, ThreadsChangeNothingButRounding) {
  const LinearData data(1500, 9, 2, 39, 0.5);
  for (const Storage& storage : kStorages) {
    SCOPED_TRACE(storage.name);
    const auto one = network_loss(network_of(data, 5), storage.of(data), data.labels, 0, 1);
    const auto two = network_loss(network_of(data, 5), storage.of(data), data.labels, 0, 2);
    Random random(40);
    const Vec y = random_vec(one->dim_y(), random), v = random_vec(one->dim_y(), random);
    const Vec gradient = one->grad_y(Vec(0), y), product = one->hess_yy(Vec(0), y, v);
    EXPECT_NEAR(two->value(Vec(0), y), one->value(Vec(0), y), 1e-13) << "sums of losses are double in all storages";
    EXPECT_LE(norm(two->grad_y(Vec(0), y) - gradient), storage.rounding() * norm(gradient));
    EXPECT_LE(norm(two->hess_yy(Vec(0), y, v) - product), storage.rounding() * norm(product));
    EXPECT_EQ(two->grad_y(Vec(0), y), two->grad_y(Vec(0), y)) << "same count of threads, same bits";
  }
}

TEST(NetworkRows, PredictsWhatTablesPredict) {
  const LinearData data(100, 9, 3, 41, 0.5);
  for (const Index hidden : {0, 5}) {
    const Network network = network_of(data, hidden);
    Random random(42);
    const Vec y = random_vec(network.dim_y(), random);
    const Table scores = network.predict_scores(table_of(data), y);
    const auto labels = network.predict_labels(table_of(data), y);
    for (const Storage& storage : kStorages) {
      SCOPED_TRACE(::testing::Message() << storage.name << ", " << hidden << " hidden");
      EXPECT_LE((network.predict_scores(storage.of(data), y) - scores).norm(), storage.rounding() * scores.norm());
      EXPECT_EQ(network.predict_labels(storage.of(data), y), labels);
      EXPECT_EQ(network.accuracy(storage.of(data), labels, y), 1);
      EXPECT_EQ(network.accuracy(storage.of(data), data.labels, y), network.accuracy(table_of(data), data.labels, y));
    }
  }
}

TEST(NetworkRows, HugeScoresDoNotOverflowAndNaNIsNotHidden) {
  const LinearData data(70, 9, 3, 43);
  for (const Storage& storage : kStorages) {
    for (const Index hidden : {0, 5}) {
      SCOPED_TRACE(::testing::Message() << storage.name << ", " << hidden << " hidden");
      const auto f = network_loss(network_of(data, hidden), storage.of(data), data.labels, 0);
      Random random(44);
      Vec y = random_vec(f->dim_y(), random, 1e4);
      EXPECT_TRUE(std::isfinite(f->value(Vec(0), y)));
      EXPECT_TRUE(all_finite(f->grad_y(Vec(0), y)));
      y[0] = std::numeric_limits<double>::quiet_NaN();
      EXPECT_TRUE(std::isnan(f->value(Vec(0), y)));
      EXPECT_TRUE(std::isnan(f->grad_y(Vec(0), y)[0]));
    }
  }
}

TEST(NetworkRows, LinearizationsKeepWhatTheirDescriptionSays) {
  const LinearData data(100, 9, 3, 45);
  const auto f = network_loss(network_of(data, 5), data.dense(Precision::float32), data.labels, 0);
  EXPECT_EQ(f->linearization_bytes(), 100 * (5 + 2 * 3) * sizeof(float));
}

TEST(NetworkRows, RefusesMisuse) {
  const LinearData data(4, 3, 2, 46);
  const FeatureMatrix rows = data.sparse();
  const Network network = network_of(data, 2), other({.inputs = 5, .outputs = 2});
  EXPECT_EQ(message_of<DimensionMismatch>([&] { network_loss(other, rows, data.labels, 0); }),
            "network loss needs rows of 5 inputs and one label for each, but got 4 x 3 and 4 labels");
  EXPECT_EQ(message_of<DimensionMismatch>([&] {
              network_loss(network, rows, {0, 1, 0}, 0);
            }),
            "network loss needs rows of 3 inputs and one label for each, but got 4 x 3 and 3 labels");
  EXPECT_EQ(message_of<InvalidInput>([&] {
              network_loss(network, rows, {0, 1, -1, 0}, 0);
            }),
            "label -1 of row 3 is not in 0..1");
  EXPECT_EQ(message_of<InvalidInput>([&] {
              network_loss(network, rows, {0, 2, 1, 0}, 0);
            }),
            "label 2 of row 2 is not in 0..1");
  EXPECT_EQ(message_of<DimensionMismatch>([&] { other.predict_scores(rows, Vec::Zero(12)); }),
            "a network of 5 inputs and 12 weights was given rows of 3 and y of length 12");
  const std::vector<std::int32_t> three{0, 1, 0};
  EXPECT_EQ(message_of<DimensionMismatch>([&] { network.accuracy(rows, three, Vec::Zero(network.dim_y())); }),
            "an accuracy needs one label for each row, but got 3 for 4");
}

}  // namespace
}  // namespace bilevel::testing
