// Networks on rows that the leader makes up, and on fixed rows: derivatives by Taylor slope, closed forms, agreement
// with the linear models, misuse.
#include "bilevel/network.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "bilevel/linear_models.hpp"
#include "bilevel/status.hpp"
#include "message_of.hpp"
#include "taylor.hpp"

namespace bilevel::testing {
namespace {

Table random_table(Index rows, Index columns, Random& random) {
  Table table(rows, columns);
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; ++j) table(i, j) = random.normal();
  }
  return table;
}

/// Rows of positive entries that add up to 1.
Table random_distributions(Index rows, Index columns, Random& random) {
  Table table = random_table(rows, columns, random).array().exp();
  const Vec sums = table.rowwise().sum();
  table.array().colwise() /= sums.array();
  return table;
}

FeatureMatrix features_of(const Table& table) {
  return FeatureMatrix::dense(static_cast<std::size_t>(table.rows()), static_cast<std::size_t>(table.cols()),
                              std::span<const double>(table.data(), static_cast<std::size_t>(table.size())),
                              Precision::float64);
}

struct Case {
  Index hidden;
  NetworkLoss loss;
  bool learn_rows, learn_targets;
};

class SyntheticDerivatives : public ::testing::TestWithParam<Case> {};

TEST_P(SyntheticDerivatives, TaylorSlopesAndAdjoints) {
  const auto [hidden, loss, learn_rows, learn_targets] = GetParam();
  Random random(3);
  const Network network({.inputs = 5, .hidden = hidden, .outputs = 3, .loss = loss});
  const auto g = synthetic_training(network, random_table(4, 5, random), random_distributions(4, 3, random),
                                    {.learn_rows = learn_rows, .learn_targets = learn_targets, .regularization = 0.05});
  EXPECT_EQ(g->dim_x(), (learn_rows ? 20 : 0) + (learn_targets ? 12 : 0));
  EXPECT_EQ(g->dim_y(), hidden == 0 ? 18 : hidden * 6 + 3 * (hidden + 1));
  expect_consistent_oracles(*g, random_vec(g->dim_x(), random, 0.5), random_vec(g->dim_y(), random, 0.7), 4);
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Index hidden : {0, 4}) {
    for (const auto loss : {NetworkLoss::cross_entropy, NetworkLoss::squared}) {
      for (const bool rows : {false, true}) {
        for (const bool targets : {false, true}) cases.push_back({hidden, loss, rows, targets});
      }
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, SyntheticDerivatives, ::testing::ValuesIn(all_cases()), [](const auto& test) {
  const Case& c = test.param;
  return std::string(c.hidden > 0 ? "two_layer_" : "linear_") + std::string(to_string(c.loss)) +
         (c.learn_rows ? "_rows" : "") + (c.learn_targets ? "_targets" : "");
});

TEST(NetworkLoss, TaylorSlopesOnAllRowsAndOnBatches) {
  for (const Index hidden : {0, 4}) {
    for (const auto loss : {NetworkLoss::cross_entropy, NetworkLoss::squared}) {
      SCOPED_TRACE(::testing::Message() << hidden << " hidden, " << to_string(loss));
      Random random(5);
      const Network network({.inputs = 3, .hidden = hidden, .outputs = 2, .loss = loss});
      // 600 rows: two whole blocks of 256 and a part of one.
      const auto f = network_loss(network, random_table(600, 3, random), random_distributions(600, 2, random), 7, 2);
      ASSERT_EQ(f->dim_x(), 7);
      EXPECT_EQ(f->samples(), 600u);
      const Vec x = random_vec(7, random), y = random_vec(f->dim_y(), random, 0.7);
      expect_consistent_oracles(*f, x, y, 6);
      const std::vector<std::uint32_t> indices{599, 3, 3, 256, 0};
      expect_consistent_oracles(*f, x, y, 7, Batch(indices));
      EXPECT_EQ(f->grad_x(x, y), Vec::Zero(7));
      EXPECT_EQ(f->hess_xy(x, y, y), Vec::Zero(7));
      EXPECT_EQ(f->hess_yx(x, y, x), Vec::Zero(f->dim_y()));
    }
  }
}

TEST(NetworkLoss, ABatchAveragesOverItsRows) {
  Random random(8);
  const Network network({.inputs = 3, .hidden = 2, .outputs = 2});
  const Table rows = random_table(5, 3, random), targets = random_distributions(5, 2, random);
  const auto f = network_loss(network, rows, targets, 0);
  const Vec y = random_vec(f->dim_y(), random);
  const std::vector<std::uint32_t> first{0}, last{4}, pair{4, 0};
  const double mean = 0.5 * (f->value(Vec(0), y, Batch(first)) + f->value(Vec(0), y, Batch(last)));
  EXPECT_NEAR(f->value(Vec(0), y, Batch(pair)), mean, 1e-15 * (1 + mean));
}

TEST(NetworkLoss, ThreadsChangeNothingButRounding) {
  Random random(9);
  const Network network({.inputs = 6, .hidden = 3, .outputs = 2});
  const Table rows = random_table(2000, 6, random), targets = random_distributions(2000, 2, random);
  const auto one = network_loss(network, rows, targets, 0, 1), three = network_loss(network, rows, targets, 0, 3);
  const Vec y = random_vec(one->dim_y(), random);
  // Another order of summation of 2000 terms.
  EXPECT_LE(norm(one->grad_y(Vec(0), y) - three->grad_y(Vec(0), y)), 1e-13 * norm(one->grad_y(Vec(0), y)));
  EXPECT_EQ(three->grad_y(Vec(0), y), three->grad_y(Vec(0), y)) << "same count of threads, same bits";
}

// Without a hidden layer both are the softmax models of linear_models.hpp, with the same layout of y.
TEST(NetworkLoss, AgreesWithTheLinearModels) {
  Random random(10);
  const std::vector<std::int32_t> labels{0, 2, 1, 1, 2, 0, 0};
  const Table rows = random_table(7, 4, random);
  const LinearModelOptions model{.loss = LinearLoss::softmax, .classes = 3, .intercept = true};
  const Network network({.inputs = 4, .outputs = 3});
  const auto f = network_loss(network, rows, one_hot(labels, 3), 2);
  const auto linear = validation_objective(features_of(rows), Targets(labels), model, 2);
  const Vec x = random_vec(2, random), y = random_vec(f->dim_y(), random), v = random_vec(f->dim_y(), random);
  ASSERT_EQ(f->dim_y(), linear->dim_y());
  EXPECT_NEAR(f->value(x, y), linear->value(x, y), 1e-12);
  EXPECT_LE(norm(f->grad_y(x, y) - linear->grad_y(x, y)), 1e-12);
  EXPECT_LE(norm(f->hess_yy(x, y, v) - linear->hess_yy(x, y, v)), 1e-12);

  const auto g = synthetic_training(network, rows, one_hot(labels, 3), {.learn_rows = false, .regularization = 0.1});
  const auto training = training_objective(features_of(rows), Targets(labels),
                                           {.model = model, .regularization = 0.1, .penalize_intercept = true});
  EXPECT_NEAR(g->value(Vec(0), y), training->value(Vec(0), y), 1e-12);
  EXPECT_LE(norm(g->grad_y(Vec(0), y) - training->grad_y(Vec(0), y)), 1e-12);
}

TEST(SyntheticTraining, OneRowInClosedForm) {
  // One input u, scores (w0 u + b0, w1 u + b1), label 0: loss log(1 + exp(-m)) with the margin m = (w0-w1) u + b0-b1.
  const Network network({.inputs = 1, .outputs = 2});
  const std::vector<std::int32_t> label{0};
  const auto g = synthetic_training(network, Table::Constant(1, 1, 0.0), one_hot(label, 2), {});
  Vec x(1), y(4);
  x << 2.0;
  y << 0.3, -0.1, 0.5, 0.2;  // margin 0.4 * 2 + 0.3
  const double margin = 1.1, p = 1 / (1 + std::exp(margin));
  EXPECT_NEAR(g->value(x, y), std::log1p(std::exp(-margin)), 1e-15);
  EXPECT_NEAR(g->grad_x(x, y)[0], -p * 0.4, 1e-15);
  EXPECT_NEAR(g->grad_y(x, y)[0], -p * 2.0, 1e-15);
  EXPECT_NEAR(g->grad_y(x, y)[3], p, 1e-15);
}

TEST(SyntheticTraining, HugeScoresDoNotOverflow) {
  const Network network({.inputs = 1, .outputs = 2});
  const std::vector<std::int32_t> label{0};
  const auto g = synthetic_training(network, Table::Constant(1, 1, 0.0), one_hot(label, 2), {});
  Vec x(1), y(4);
  x << 1;
  y << -1e4, 1e4, 0, 0;
  EXPECT_EQ(g->value(x, y), 2e4);
  EXPECT_TRUE(all_finite(g->grad_y(x, y)));
  EXPECT_TRUE(all_finite(g->hess_yy(x, y, Vec::Ones(4))));
  y[0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(std::isfinite(g->value(x, y)));
}

TEST(Network, PredictsTheGreatestScoreAndStartsFromItsSeed) {
  const Network network({.inputs = 2, .hidden = 3, .outputs = 2});
  EXPECT_EQ(network.start(4), network.start(4));
  EXPECT_NE(network.start(4), network.start(5));
  EXPECT_EQ(Network({.inputs = 2, .outputs = 2}).start(4), Vec::Zero(6));
  Vec y = Vec::Zero(6);
  y << 1, 0, 0, 1, 0, 0;
  Table rows(3, 2);
  rows << 2, 1, 1, 2, 1, 1;
  const Network linear({.inputs = 2, .outputs = 2});
  EXPECT_EQ(linear.predict_labels(rows, y), (std::vector<std::int32_t>{0, 1, 0})) << "the first of equals";
  const std::vector<std::int32_t> labels{0, 0, 0};
  EXPECT_NEAR(linear.accuracy(rows, labels, y), 2.0 / 3, 1e-15);
}

TEST(Network, RefusesMisuse) {
  EXPECT_EQ(message_of<InvalidOption>([] { Network({.inputs = 0, .outputs = 2}); }),
            "a network's inputs must be in 1..1000000, but is 0");
  EXPECT_EQ(message_of<InvalidOption>([] { Network({.inputs = 1, .hidden = -1, .outputs = 2}); }),
            "a network's hidden must be in 0..1000000, but is -1");
  EXPECT_EQ(message_of<InvalidOption>([] { Network({.inputs = 1, .outputs = 1}); }),
            "a network's outputs must be in 2..1000000, but is 1");
  const Network network({.inputs = 2, .outputs = 2});
  const Table rows = Table::Zero(2, 2), halves = Table::Constant(2, 2, 0.5);
  EXPECT_EQ(message_of<DimensionMismatch>([&] { network_loss(network, rows, Table::Zero(3, 2), 0); }),
            "network loss needs rows of 2 inputs and as many targets of 2 outputs, at least one, but got 2 x 2 and 3 x "
            "2");
  Table bad = rows;
  bad(1, 0) = std::numeric_limits<double>::infinity();
  EXPECT_EQ(message_of<InvalidInput>([&] { network_loss(network, bad, halves, 0); }),
            "network loss: row 2 has a non-finite entry");
  EXPECT_EQ(message_of<InvalidInput>([&] { network_loss(network, rows, rows, 0); }),
            "network loss: the target of row 1 is no distribution: cross entropy needs entries >= 0 that add up to 1");
  EXPECT_EQ(message_of<InvalidOption>([&] { synthetic_training(network, rows, halves, {.regularization = -1}); }),
            "the regularization of synthetic training must be a number >= 0, but is -1");
  const std::vector<std::int32_t> labels{0, 2};
  EXPECT_EQ(message_of<InvalidInput>([&] { one_hot(labels, 2); }), "label 2 of row 2 is not in 0..1");
  EXPECT_EQ(message_of<DimensionMismatch>([&] { network.predict_scores(rows, Vec::Zero(5)); }),
            "a network of 2 inputs and 6 weights was given rows of 2 and y of length 5");
}

}  // namespace
}  // namespace bilevel::testing
