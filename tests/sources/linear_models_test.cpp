// Linear models against closed forms, against each other across storage, precision and threads, and on bad input.
#include "bilevel/linear_models.hpp"

#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "bilevel/status.hpp"
#include "linear_data.hpp"

namespace bilevel::testing {
namespace {

/// Everything an objective answers at one point, in one vector.
Vec all_answers(const Objective& phi, std::uint64_t seed) {
  Random random(seed);
  const Vec x = random_vec(phi.dim_x(), random), u = random_vec(phi.dim_x(), random);
  const Vec y = random_vec(phi.dim_y(), random), v = random_vec(phi.dim_y(), random);
  const auto at = phi.linearize(x, y, full, Oracle::value | Oracle::grad_x | Oracle::grad_y);
  const auto both = at.both(v);
  const Vec Btu = at.hess_yx(u);
  Vec all(1 + 2 * phi.dim_x() + 3 * phi.dim_y());
  all << *at.evaluation().value, *at.evaluation().grad_x, *at.evaluation().grad_y, both.hess_yy, both.hess_xy, Btu;
  return all;
}

TrainingOptions cleaning(std::size_t classes, std::size_t threads = 1) {
  return {.model = {.classes = classes, .intercept = true, .threads = threads},
          .row_weights = true,
          .regularization = 1e-3};
}

TEST(LinearModels, DenseAndSparseRowsAgree) {
  const LinearData data(300, 40, 4, 1, 0.8);
  const Vec dense = all_answers(*training_objective(data.dense(), data.labels, cleaning(4)), 2);
  const Vec sparse = all_answers(*training_objective(data.sparse(), data.labels, cleaning(4)), 2);
  // The same sums of at most some hundred terms, in another order.
  EXPECT_LE((dense - sparse).norm(), 1e-13 * dense.norm());
}

TEST(LinearModels, SinglePrecisionIsGoodToRounding) {
  const LinearData data(3000, 100, 5, 3, 0.5);
  const Vec exact = all_answers(*training_objective(data.dense(), data.labels, cleaning(5)), 4);
  const Vec dense = all_answers(*training_objective(data.dense(Precision::float32), data.labels, cleaning(5)), 4);
  const Vec sparse = all_answers(*training_objective(data.sparse(Precision::float32), data.labels, cleaning(5)), 4);
  // Features and weights are rounded by 6e-8 each, a score adds 100 products with a rounding error of about 6e-7, and
  // softmax passes it on: 1e-5 leaves a margin of ten and is far below what a wrong term would give.
  EXPECT_LE((dense - exact).norm(), 1e-5 * exact.norm());
  EXPECT_LE((sparse - exact).norm(), 1e-5 * exact.norm());
  EXPECT_GT((dense - exact).norm(), 0) << "float32 was not used";
}

TEST(LinearModels, SinglePrecisionSumsDoNotLoseRows) {
  // 60000 equal terms: a running float32 sum would drift by about 1e-4; flushed to double it stays near 1e-7.
  constexpr std::size_t kRows = 60000;
  const auto ones = FeatureMatrix::dense(
      kRows, 1, [](std::size_t, std::span<double> row) { row[0] = 0.1; }, Precision::float32);
  const auto g = validation_objective(ones, std::vector<double>(kRows, 1.0 / 3), {.loss = LinearLoss::squared}, 0);
  const double expected = -0.1 / 3;
  EXPECT_NEAR(g->grad_y(Vec(), Vec::Zero(1))[0], expected, 1e-6 * std::abs(expected));
}

TEST(LinearModels, ThreadCountsAgreeAndEachRepeatsItsBits) {
  const LinearData data(1000, 30, 3, 5);
  for (const auto precision : {Precision::float32, Precision::float64}) {
    const auto one = training_objective(data.dense(precision), data.labels, cleaning(3, 1));
    const Vec reference = all_answers(*one, 6);
    EXPECT_EQ(all_answers(*one, 6), reference);
    for (const std::size_t threads : {2u, 3u}) {
      const auto several = training_objective(data.dense(precision), data.labels, cleaning(3, threads));
      const Vec answers = all_answers(*several, 6);
      for (int repeat = 0; repeat < 5; ++repeat) EXPECT_EQ(all_answers(*several, 6), answers);
      // Another order of summation; sums in float32 are at most 512 rows long.
      EXPECT_LE((answers - reference).norm(), (precision == Precision::float32 ? 1e-6 : 1e-13) * reference.norm());
    }
  }
}

TEST(LinearModels, SeveralThreadsMayCallOneObjective) {
  const LinearData data(1000, 10, 3, 19);
  const auto g = training_objective(data.dense(), data.labels, cleaning(3, 2));
  const Vec alone = all_answers(*g, 20);
  std::vector<Vec> answers(4);
  std::vector<std::thread> callers;
  for (auto& answer : answers) callers.emplace_back([&] { answer = all_answers(*g, 20); });
  for (auto& caller : callers) caller.join();
  for (const auto& answer : answers) EXPECT_EQ(answer, alone);
}

TEST(LinearModels, LeastSquaresGradientVanishesAtTheNormalEquations) {
  const LinearData data(100, 6, 2, 7);
  const double c = 0.3;
  const auto g =
      training_objective(data.dense(), data.targets, {.model = {.loss = LinearLoss::squared}, .regularization = c});
  const Eigen::Map<const LinearModel::Table> X(data.values.data(), 100, 6);
  const Eigen::Map<const Vec> t(data.targets.data(), 100);
  // 1/N X'(X y - t) + 2 c y = 0
  const Eigen::MatrixXd H = X.transpose() * X / 100 + 2 * c * Eigen::MatrixXd::Identity(6, 6);
  const Vec y = H.llt().solve(X.transpose() * t / 100);
  EXPECT_LE(g->grad_y(Vec(), y).norm(), 1e-14);  // a few operations on numbers near 1
  EXPECT_NEAR(g->value(Vec(), y), (X * y - t).squaredNorm() / 200 + c * y.squaredNorm(), 1e-14);
  Random random(8);
  const Vec v = random_vec(6, random);
  EXPECT_LE((g->hess_yy(Vec(), y, v) - H * v).norm(), 1e-14 * v.norm());
}

TEST(LinearModels, SoftmaxOfTwoClassesIsLogisticRegression) {
  const LinearData data(200, 6, 2, 9);
  const auto softmax = validation_objective(data.dense(), data.labels, {.intercept = true}, 0);
  const auto logistic =
      validation_objective(data.dense(), data.labels, {.loss = LinearLoss::logistic, .intercept = true}, 0);
  Random random(10);
  const Vec w = random_vec(logistic->dim_y(), random);  // [weights (6) ; intercept]
  Vec y(softmax->dim_y());                              // [0 ; weights ; 0 ; intercept]
  y << Vec::Zero(6), w.head(6), 0, w[6];
  EXPECT_NEAR(softmax->value(Vec(), y), logistic->value(Vec(), w), 1e-14);
  EXPECT_LE((softmax->grad_y(Vec(), y).segment(6, 6) - logistic->grad_y(Vec(), w).head(6)).norm(), 1e-14);
  EXPECT_EQ(softmax->model().predict_labels(data.dense(), y), logistic->model().predict_labels(data.dense(), w));

  // The formula itself: log(1 + exp(s)) - label s.
  const auto scores = logistic->model().predict_scores(data.dense(), w);
  const Vec losses = logistic->row_losses(w);
  for (Index i = 0; i < 200; ++i) {
    const double s = scores(i, 0);
    const double label = data.labels[static_cast<std::size_t>(i)];
    EXPECT_NEAR(losses[i], std::log1p(std::exp(-std::abs(s))) + std::max(s, 0.0) - label * s, 1e-13);
  }
}

TEST(LinearModels, SoftmaxLossIsTheFormula) {
  const LinearData data(100, 4, 3, 11);
  const auto g = training_objective(data.dense(), data.labels, cleaning(3));
  Random random(12);
  const Vec x = random_vec(g->dim_x(), random);
  const Vec y = random_vec(g->dim_y(), random);
  double sum = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    double normaliser = 0, own = 0;
    for (std::size_t c = 0; c < 3; ++c) {
      double score = y[static_cast<Index>(12 + c)];
      for (std::size_t j = 0; j < 4; ++j) score += y[static_cast<Index>(c * 4 + j)] * data.values[i * 4 + j];
      normaliser += std::exp(score);
      if (static_cast<std::int32_t>(c) == data.labels[i]) own = score;
    }
    sum += (std::log(normaliser) - own) / (1 + std::exp(-x[static_cast<Index>(i)]));
  }
  // The intercepts (last 3 entries) are not penalised by default.
  EXPECT_NEAR(g->value(x, y), sum / 100 + 1e-3 * y.head(12).squaredNorm(), 1e-13);
}

TEST(LinearModels, PenaltyOfSquaresIsTheFormula) {
  const LinearData data(20, 4, 3, 21);
  for (const auto scale : {PenaltyScale::fixed, PenaltyScale::single, PenaltyScale::per_class}) {
    for (const bool with_intercept : {false, true}) {
      const TrainingOptions options{.model = {.classes = 3, .intercept = true},
                                    .regularization = 0.3,
                                    .penalty_scale = scale,
                                    .penalize_intercept = with_intercept};
      const auto g = training_objective(data.dense(), data.labels, options);
      const auto loss = validation_objective(data.dense(), data.labels, options.model, 0);
      Random random(22);
      const Vec x = random_vec(g->dim_x(), random);
      const Vec y = random_vec(15, random);  // three times four weights, three intercepts
      double penalty = 0;
      for (Index c = 0; c < 3; ++c) {
        const double factor = scale == PenaltyScale::fixed ? 1 : std::exp(x[scale == PenaltyScale::single ? 0 : c]);
        const double intercept = with_intercept ? y[12 + c] : 0;
        penalty += 0.3 * factor * (y.segment(4 * c, 4).squaredNorm() + intercept * intercept);
      }
      // A few operations on numbers up to some tens.
      EXPECT_NEAR(g->value(x, y) - loss->value(Vec(), y), penalty, 1e-13) << to_string(scale) << with_intercept;
    }
  }
}

TEST(LinearModels, PredictionsAndRowLossesBelongTogether) {
  const LinearData data(150, 5, 4, 13);
  const auto f = validation_objective(data.dense(), data.labels, {.classes = 4, .intercept = true, .threads = 2}, 0);
  Random random(14);
  const Vec y = random_vec(f->dim_y(), random);
  const auto probabilities = f->model().predict_probabilities(data.dense(), y);
  const auto labels = f->model().predict_labels(data.dense(), y);
  const Vec losses = f->row_losses(y);
  std::size_t right = 0;
  for (Index i = 0; i < 150; ++i) {
    const auto row = static_cast<std::size_t>(i);
    EXPECT_NEAR(probabilities.row(i).sum(), 1, 1e-15 * 4);
    EXPECT_EQ(probabilities(i, labels[row]), probabilities.row(i).maxCoeff());
    EXPECT_NEAR(losses[i], -std::log(probabilities(i, data.labels[row])), 1e-13);
    right += labels[row] == data.labels[row] ? 1u : 0u;
  }
  EXPECT_NEAR(losses.mean(), f->value(Vec(), y), 1e-14);
  EXPECT_DOUBLE_EQ(f->model().accuracy(data.dense(), data.labels, y), static_cast<double>(right) / 150);
}

TEST(LinearModels, ExtremeLogitsAndScoresStayFinite) {
  const LinearData data(100, 4, 3, 15);
  for (const auto precision : {Precision::float32, Precision::float64}) {
    const auto g = training_objective(data.dense(precision), data.labels, cleaning(3));
    Vec x = Vec::Constant(100, 800);
    x.tail(50).setConstant(-800);
    Random random(16);
    const Vec y = random_vec(g->dim_y(), random, 1e4);
    const auto at = g->linearize(x, y, full, Oracle::value | Oracle::grad_x | Oracle::grad_y);
    EXPECT_TRUE(std::isfinite(*at.evaluation().value));
    EXPECT_TRUE(all_finite(*at.evaluation().grad_x));
    EXPECT_TRUE(all_finite(*at.evaluation().grad_y));
    EXPECT_TRUE(all_finite(at.both(y).hess_yy));
  }
}

TEST(LinearModels, TellsWhatALinearizationKeeps) {
  const LinearData data(1000, 20, 5, 17);
  const auto g = training_objective(data.dense(Precision::float32), data.labels, cleaning(5));
  // 16 blocks of 64 rows x 5 probabilities, sigmoid and its slope for each row, 4 bytes each, and a small object.
  const std::size_t payload = 4 * (16 * 64 * 5 + 2 * 1000);
  EXPECT_GE(g->linearization_bytes(), payload);
  EXPECT_LE(g->linearization_bytes(), payload + 1000);
}

TEST(LinearModels, RefusesBadInput) {
  const LinearData data(10, 3, 3, 18);
  const auto X = data.dense();
  const TrainingOptions good{.model = {.classes = 3}, .regularization = 1};
  EXPECT_NO_THROW(training_objective(X, data.labels, good));
  const auto with = [&](auto change) {
    auto options = good;
    change(options);
    return [&X, &data, options] { training_objective(X, data.labels, options); };
  };
  EXPECT_THROW(with([](auto& o) { o.model.classes = 1; })(), InvalidOption);
  EXPECT_THROW(with([](auto& o) { o.model.classes = 2; })(), InvalidInput);  // a label is 2
  EXPECT_THROW(with([](auto& o) { o.model.threads = 2000; })(), InvalidOption);
  EXPECT_THROW(with([](auto& o) { o.model.loss = LinearLoss::logistic; })(), InvalidOption);
  EXPECT_THROW(with([](auto& o) { o.model.loss = LinearLoss::squared; })(), InvalidInput);
  EXPECT_THROW(with([](auto& o) { o.regularization = -1; })(), InvalidOption);
  EXPECT_THROW(with([](auto& o) { o.regularization = std::numeric_limits<double>::quiet_NaN(); })(), InvalidOption);
  EXPECT_THROW(with([](auto& o) { o.penalty_norm = 1.5; })(), InvalidOption);
  EXPECT_THROW(with([](auto& o) {
                 o.regularization = 0;
                 o.penalty_scale = PenaltyScale::single;
               })(),
               InvalidOption);

  auto labels = data.labels;
  labels[4] = -1;
  EXPECT_THROW(training_objective(X, labels, good), InvalidInput);
  labels.pop_back();
  EXPECT_THROW(training_objective(X, labels, good), DimensionMismatch);
  EXPECT_THROW(training_objective(X, data.targets, good), InvalidInput);
  auto targets = data.targets;
  targets[9] = std::numeric_limits<double>::infinity();
  EXPECT_THROW(validation_objective(X, targets, {.loss = LinearLoss::squared}, 0), InvalidInput);
  EXPECT_THROW(validation_objective(X, data.labels, good.model, -1), DimensionMismatch);

  const LinearModel model(4, {.classes = 3});
  EXPECT_THROW(model.predict_scores(X, Vec::Zero(12)), DimensionMismatch);  // 3 features, not 4
  const LinearModel fitting(3, {.classes = 3});
  EXPECT_THROW(fitting.predict_scores(X, Vec::Zero(8)), DimensionMismatch);
  EXPECT_THROW(fitting.accuracy(X, std::span(data.labels).first(9), Vec::Zero(9)), DimensionMismatch);
  const LinearModel regression(3, {.loss = LinearLoss::squared});
  EXPECT_THROW(regression.predict_labels(X, Vec::Zero(3)), InvalidOption);
}

}  // namespace
}  // namespace bilevel::testing
