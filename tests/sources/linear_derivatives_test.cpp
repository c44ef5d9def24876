// Every combination of loss, penalty and leader: derivatives by Taylor slope.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "linear_data.hpp"

namespace bilevel::testing {
namespace {

// 150 rows: two whole blocks of 64 and a part of one. 7 features: padding in every row.
constexpr std::size_t kRows = 150;
constexpr std::size_t kFeatures = 7;

std::size_t classes_for(LinearLoss loss) { return loss == LinearLoss::softmax ? 3 : 2; }

class LinearDerivatives : public ::testing::TestWithParam<std::tuple<LinearLoss, PenaltyScale>> {};

TEST_P(LinearDerivatives, TaylorSlopesAndAdjoints) {
  const auto [loss, scale] = GetParam();
  const LinearData data(kRows, kFeatures, classes_for(loss), 1);
  const std::vector<std::uint32_t> indices{149, 3, 3, 64, 0, 77};
  for (const double norm : {2.0, 2.5, 3.0, 4.0}) {
    for (const int variant : {0, 1, 2, 3}) {
      const bool row_weights = variant % 2 == 1;
      const bool intercept = variant / 2 == 1;
      SCOPED_TRACE(::testing::Message() << "p = " << norm << ", variant " << variant);
      const auto g = training_objective(data.dense(), data.targets_for(loss),
                                        {.model = {.loss = loss, .classes = data.classes, .intercept = intercept},
                                         .row_weights = row_weights,
                                         .regularization = 0.05,
                                         .penalty_norm = norm,
                                         .penalty_scale = scale,
                                         .penalty_groups = {0, 2, 1, 1, 0, 2, 2},
                                         .penalize_intercept = variant == 2});
      Random random(2);
      const Vec x = random_vec(g->dim_x(), random);
      // Away from 0, where |t|^p with p < 3 has no third derivative.
      Vec y = random_vec(g->dim_y(), random);
      y += y.cwiseSign() * 0.2;
      expect_consistent_oracles(*g, x, y, 3);
      expect_consistent_oracles(*g, x, y, 4, Batch(indices));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, LinearDerivatives,
    ::testing::Combine(::testing::Values(LinearLoss::softmax, LinearLoss::logistic, LinearLoss::squared),
                       ::testing::Values(PenaltyScale::fixed, PenaltyScale::single, PenaltyScale::per_class,
                                         PenaltyScale::per_feature, PenaltyScale::per_group)),
    [](const auto& test) {
      return std::string(to_string(std::get<0>(test.param))) + "_" + std::string(to_string(std::get<1>(test.param)));
    });

TEST(LinearModels, ValidationDerivatives) {
  for (const auto loss : {LinearLoss::softmax, LinearLoss::logistic, LinearLoss::squared}) {
    const LinearData data(kRows, kFeatures, classes_for(loss), 5);
    const auto f = validation_objective(data.dense(), data.targets_for(loss),
                                        {.loss = loss, .classes = data.classes, .intercept = true}, 11);
    ASSERT_EQ(f->dim_x(), 11);
    Random random(6);
    const Vec x = random_vec(11, random);
    const Vec y = random_vec(f->dim_y(), random);
    expect_consistent_oracles(*f, x, y, 7);
    EXPECT_EQ(f->grad_x(x, y), Vec::Zero(11));
    EXPECT_EQ(f->hess_xy(x, y, y), Vec::Zero(11));
    EXPECT_EQ(f->hess_yx(x, y, x), Vec::Zero(f->dim_y()));
  }
}

TEST(LinearModels, OnePassAlongADirectionGivesTheSingleOracles) {
  const std::vector<std::uint32_t> some{3, 149, 3, 77, 0};
  for (const auto loss : {LinearLoss::softmax, LinearLoss::logistic, LinearLoss::squared}) {
    const LinearData data(kRows, kFeatures, classes_for(loss), 8);
    const auto g = training_objective(data.dense(), data.targets_for(loss),
                                      {.model = {.loss = loss, .classes = data.classes, .intercept = true},
                                       .row_weights = true,
                                       .regularization = 0.1,
                                       .penalty_norm = 3,
                                       .penalty_scale = PenaltyScale::per_feature});
    Random random(9);
    const Vec x = random_vec(g->dim_x(), random);
    const Vec y = random_vec(g->dim_y(), random);
    const Vec v = random_vec(g->dim_y(), random);
    for (const Batch batch : {full, Batch(some)}) {
      const auto [at, products] = g->evaluate_along(Oracle::value | Oracle::grad_x | Oracle::grad_y, x, y, v, batch);
      // The same sums in the same order but for the tiling of the scores: rounding only.
      EXPECT_NEAR(*at.value, g->value(x, y, batch), 1e-13 * (1 + std::abs(*at.value)));
      EXPECT_LE((*at.grad_x - g->grad_x(x, y, batch)).norm(), 1e-13);
      EXPECT_LE((*at.grad_y - g->grad_y(x, y, batch)).norm(), 1e-13 * (1 + at.grad_y->norm()));
      EXPECT_LE((products.hess_yy - g->hess_yy(x, y, v, batch)).norm(), 1e-13 * v.norm());
      EXPECT_LE((products.hess_xy - g->hess_xy(x, y, v, batch)).norm(), 1e-13 * v.norm());
    }
    const auto only = g->evaluate_along(OracleSet(), x, y, v, full);
    EXPECT_FALSE(only.evaluation.value || only.evaluation.grad_x || only.evaluation.grad_y);
    EXPECT_LE((only.products.hess_yy - g->hess_yy(x, y, v)).norm(), 1e-13 * v.norm());
  }
}

TEST(LinearModels, EqualBatchesOfAPartitionAverageToTheFullObjective) {
  const LinearData data(kRows, kFeatures, 3, 10);
  const auto g = training_objective(data.dense(), data.labels,
                                    {.model = {.classes = 3, .intercept = true},
                                     .row_weights = true,
                                     .regularization = 0.1,
                                     .penalty_scale = PenaltyScale::single});
  Random random(11);
  const Vec x = random_vec(g->dim_x(), random);
  const Vec y = random_vec(g->dim_y(), random);
  const Vec v = random_vec(g->dim_y(), random);
  const Vec u = random_vec(g->dim_x(), random);
  Vec grad_x = Vec::Zero(g->dim_x()), Bv = grad_x;
  Vec grad_y = Vec::Zero(g->dim_y()), Hv = grad_y, Btu = grad_y;
  double value = 0;
  constexpr std::size_t kSize = 75;
  Sampler sampler(kRows, kSize, 12);
  const double share = static_cast<double>(kSize) / kRows;
  for (std::size_t i = 0; i < kRows / kSize; ++i) {
    const auto at = g->linearize(x, y, sampler.next(), Oracle::value | Oracle::grad_x | Oracle::grad_y);
    value += share * *at.evaluation().value;
    grad_x += share * *at.evaluation().grad_x;
    grad_y += share * *at.evaluation().grad_y;
    Hv += share * at.hess_yy(v);
    Bv += share * at.hess_xy(v);
    Btu += share * at.hess_yx(u);
  }
  // Another order of summation of 150 terms.
  EXPECT_NEAR(value, g->value(x, y), 1e-13);
  EXPECT_LE((grad_x - g->grad_x(x, y)).norm(), 1e-13);
  EXPECT_LE((grad_y - g->grad_y(x, y)).norm(), 1e-13);
  EXPECT_LE((Hv - g->hess_yy(x, y, v)).norm(), 1e-13 * v.norm());
  EXPECT_LE((Bv - g->hess_xy(x, y, v)).norm(), 1e-13 * v.norm());
  EXPECT_LE((Btu - g->hess_yx(x, y, u)).norm(), 1e-13 * u.norm());
}

}  // namespace
}  // namespace bilevel::testing
