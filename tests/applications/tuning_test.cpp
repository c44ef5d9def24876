// Tuning against closed forms, and what it says about its own result.
#include "bilevel/tuning.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "applications/tuning_data.hpp"
#include "applications/tuning_guard.hpp"
#include "bilevel/status.hpp"
#include "message_of.hpp"

namespace bilevel {
namespace {

using testing::largest_of;
using testing::message_of;
using testing::one_split;
using testing::two_useful;

/// Eight rows of three orthogonal columns of +1 and -1, each of mean zero: X'X / N = I and the intercept is free of
/// them. Targets X beta.
TuningRows orthogonal(const std::vector<double>& beta) {
  std::vector<std::vector<double>> x;
  std::vector<double> targets;
  for (unsigned i = 0; i < 8; ++i) {
    x.push_back({i & 1u ? 1.0 : -1.0, i & 2u ? 1.0 : -1.0, i & 4u ? 1.0 : -1.0});
    targets.push_back(beta[0] * x.back()[0] + beta[1] * x.back()[1] + beta[2] * x.back()[2]);
  }
  return testing::tuning_rows(x, targets);
}

TuningOptions exact(PenaltyScale penalty) {
  TuningOptions options;
  options.penalty = penalty;
  options.outer = LeaderRule::gradient_descent;
  options.stop = {.tolerance = 1e-9, .improvement = 0, .max_iterations = 300};
  options.lower_tolerance = 1e-11;
  options.adjoint_tolerance = 1e-10;
  options.guard = 0;
  options.comparators = options.certificate = false;
  return options;
}

TEST(Tuning, RidgeOnOrthogonalColumnsHasTheKnownWeights) {
  // y_j = beta_j / (1 + 2 w_j) and f = |y - theta|^2 / 2, so that w_j = (beta_j / theta_j - 1) / 2.
  const std::vector<double> beta{2, -1.5, 1}, theta{1.6, -1.4, 0.5};
  const auto result = tune(one_split(0, orthogonal(beta), orthogonal(theta)), exact(PenaltyScale::per_feature));
  EXPECT_EQ(result.run.status, Status::converged) << result.run.message;
  for (Index j = 0; j < 3; ++j) {
    const auto i = static_cast<std::size_t>(j);
    // The hypergradient falls to 1e-9 of the first one; f's curvature in log w is at least 0.01 of its largest here.
    EXPECT_NEAR(result.log_weights[j], std::log((beta[i] / theta[i] - 1) / 2), 1e-6) << "feature " << j;
    EXPECT_NEAR(result.tuned.y[j], theta[i], 1e-6);
    EXPECT_NEAR(result.coefficient_norms[j], std::abs(theta[i]), 1e-6);
  }
  EXPECT_NEAR(result.tuned.valid_loss, 0, 1e-12);
  EXPECT_NEAR(result.tuned.valid_score, 1, 1e-12) << "R^2";
}

TEST(Tuning, RidgeWithOneWeightHasTheKnownWeight) {
  // With theta = s beta the best common shrinkage is s: w = (1 / s - 1) / 2.
  const double s = 0.8;
  const auto result =
      tune(one_split(0, orthogonal({2, -1.5, 1}), orthogonal({2 * s, -1.5 * s, s})), exact(PenaltyScale::single));
  ASSERT_EQ(result.log_weights.size(), 1);
  EXPECT_NEAR(result.log_weights[0], std::log((1 / s - 1) / 2), 1e-6);
  ASSERT_TRUE(result.tuned.weight);
  EXPECT_NEAR(*result.tuned.weight, (1 / s - 1) / 2, 1e-6);
}

TEST(Tuning, NoiseIsPenalisedAndUsefulFeaturesAreNot) {
  Random random(2);
  auto data = one_split(0, two_useful(60, 11, 0.7, random), two_useful(400, 11, 0.7, random));
  data.test = two_useful(2000, 11, 0.7, random);
  TuningOptions options;
  options.guard = 0.3;
  const auto result = tune(data, options);
  // By chance a noise feature may serve the validation rows too, hence the median of the nine.
  std::vector<double> noise(result.log_weights.begin() + 2, result.log_weights.end());
  std::nth_element(noise.begin(), noise.begin() + 4, noise.end());
  EXPECT_GT(noise[4], result.log_weights.head(2).maxCoeff() + std::log(10.0)) << result.log_weights.transpose();
  ASSERT_TRUE(result.warm_grid && result.no_penalty);
  EXPECT_LT(result.tuned.valid_loss, result.warm_grid->valid_loss);
  EXPECT_LT(*result.tuned.test_loss, *result.warm_grid->test_loss);
  EXPECT_LE(result.warm_grid->valid_loss, result.no_penalty->valid_loss + 1e-3) << "the grid begins near no penalty";
  EXPECT_TRUE(result.warnings.empty()) << result.warnings.front();
  EXPECT_EQ(result.guard_losses.size(), static_cast<std::size_t>(result.run.iterations));
}

TEST(Tuning, WeightPerClassAndTwoClasses) {
  Random random(3);
  TuningOptions options;
  options.certificate = false;
  const auto three = one_split(3, largest_of(90, 5, 3, 0.5, random), largest_of(120, 5, 3, 0.5, random));
  options.penalty = PenaltyScale::per_class;
  EXPECT_EQ(tune(three, options).log_weights.size(), 3);
  const auto two = one_split(2, largest_of(90, 5, 2, 0.5, random), largest_of(120, 5, 2, 0.5, random));
  EXPECT_EQ(tune(two, options).model.loss, LinearLoss::softmax) << "one score has no weight per class";
  options.penalty = PenaltyScale::per_feature;
  const auto logistic = tune(two, options);
  EXPECT_EQ(logistic.model.loss, LinearLoss::logistic);
  EXPECT_EQ(logistic.log_weights.size(), 5);
  EXPECT_GT(logistic.tuned.valid_score, 0.7) << "noise of half a deviation leaves some 85 % right";
}

TEST(Tuning, TheGuardStandsWhereWeightsAreManyForTheRows) {
  Random random(12);
  const auto data = one_split(0, two_useful(50, 5, 0.5, random), two_useful(60, 5, 0.5, random));
  TuningOptions options;
  options.comparators = options.certificate = false;
  EXPECT_FALSE(tune(data, options).guard_losses.empty()) << "60 rows for 5 weights";
  options.penalty = PenaltyScale::single;
  EXPECT_TRUE(tune(data, options).guard_losses.empty()) << "60 rows for one";
  options.guard = 0.5;
  EXPECT_FALSE(tune(data, options).guard_losses.empty()) << "asked for";
}

TEST(Tuning, OtherMethodsFindSimilarWeights) {
  Random random(13);
  const auto data = one_split(0, two_useful(60, 6, 0.7, random), two_useful(400, 6, 0.7, random));
  TuningOptions options;
  options.comparators = options.certificate = false;
  const double hoag = tune(data, options).tuned.valid_loss;
  for (const char* method : {"smbg", "bgs_opt"}) {
    options.method = method;
    const auto result = tune(data, options);
    // Each stops within its own 0.2 % over five steps; between them that adds up to a few per cent.
    EXPECT_NEAR(result.tuned.valid_loss, hoag, 0.05 * hoag) << method << ": " << result.run.message;
    EXPECT_EQ(result.tuned.status, Status::converged) << "the reported followers are solved";
  }
}

TEST(Tuning, SameInputSameResult) {
  Random random(5);
  const auto data = one_split(3, largest_of(60, 6, 3, 0.5, random), largest_of(60, 6, 3, 0.5, random));
  const auto one = tune(data, {}), other = tune(data, {});
  EXPECT_EQ(one.log_weights, other.log_weights);
  EXPECT_EQ(one.tuned.y, other.tuned.y);
  EXPECT_EQ(one.tuned.valid_loss, other.tuned.valid_loss);
}

TEST(Tuning, FewValidationRowsForManyWeightsAreWarnedOf) {
  Random random(6);
  auto data = one_split(2, largest_of(40, 20, 2, 1, random), largest_of(15, 20, 2, 1, random));
  data.test = largest_of(2000, 20, 2, 1, random);
  TuningOptions options;
  options.guard = 0;
  const auto result = tune(data, options);
  ASSERT_EQ(result.warnings.size(), 2U);
  EXPECT_NE(result.warnings[0].find("20 weights were chosen by 15 validation rows"), std::string::npos);
  EXPECT_NE(result.warnings[1].find("the validation rows"), std::string::npos) << "the test rows tell";
}

TEST(Tuning, AnInterruptKeepsWhatThereIs) {
  Random random(7);
  const auto data = one_split(0, two_useful(40, 5, 0.5, random), two_useful(40, 5, 0.5, random));
  std::atomic<bool> interrupt{true};
  TuningOptions options;
  options.stop.interrupt = &interrupt;
  const auto result = tune(data, options);
  EXPECT_EQ(result.run.status, Status::interrupted);
  EXPECT_TRUE(result.log_weights.allFinite());
  EXPECT_EQ(result.tuned.y.size(), 6);
  EXPECT_FALSE(result.warm_grid || result.no_penalty || result.certificate);
}

TEST(TuningGuard, TakesItsShareEvenlyOrNothing) {
  Random random(8);
  const auto data = one_split(0, two_useful(10, 3, 0, random), two_useful(20, 3, 0, random));
  const auto guarded = set_guard_aside(data, 0.3);
  ASSERT_EQ(guarded.guard.size(), 1U);
  EXPECT_EQ(guarded.guard[0].features.rows(), 6U);
  EXPECT_EQ(guarded.steering.folds[0].valid.features.rows(), 14U);
  EXPECT_EQ(std::get<std::vector<double>>(guarded.guard[0].targets).size(), 6U);
  const auto one_row = one_split(0, two_useful(10, 3, 0, random), two_useful(1, 3, 0, random));
  EXPECT_TRUE(set_guard_aside(one_row, 0.3).guard.empty());
  EXPECT_EQ(set_guard_aside(one_row, 0.3).steering.folds[0].valid.features.rows(), 1U);
}

TEST(Tuning, FoldsOfOneRow) {
  Random random(11);
  const auto x = testing::normal_rows(12, 2, random);
  std::vector<double> targets;
  for (const auto& row : x) targets.push_back(2 * row[0] + 0.1 * random.normal());
  const auto all = testing::tuning_rows(x, targets);
  TuningData data{0, {}, all, {}};
  for (std::uint32_t out = 0; out < 12; ++out) {
    std::vector<std::uint32_t> kept;
    std::vector<double> kept_targets;
    for (std::uint32_t i = 0; i < 12; ++i) {
      if (i == out) continue;
      kept.push_back(i);
      kept_targets.push_back(targets[i]);
    }
    const std::vector<std::uint32_t> left{out};
    data.folds.push_back(
        {{all.features.subset(kept), kept_targets}, {all.features.subset(left), std::vector<double>{targets[out]}}});
  }
  const auto result = tune(data, {});
  EXPECT_TRUE(result.guard_losses.empty());
  EXPECT_GT(result.tuned.valid_score, 0.98) << "noise of 0.1 beside a slope of 2 leaves 0.25 %, and shrinkage little";
}

TEST(Tuning, RefusesWhatItCannotTune) {
  Random random(9);
  const auto data = one_split(0, two_useful(10, 3, 0, random), two_useful(10, 3, 0, random));
  const auto with = [](PenaltyScale penalty) {
    TuningOptions options;
    options.penalty = penalty;
    return options;
  };
  EXPECT_NE(message_of<InvalidOption>([&] { tune(data, with(PenaltyScale::per_class)); }).find("needs classes"),
            std::string::npos);
  EXPECT_THROW(tune(data, with(PenaltyScale::fixed)), InvalidOption);
  EXPECT_THROW(tuning_problem(data, PenaltyScale::single, 0), InvalidOption);
  EXPECT_THROW(tuning_problem(data, PenaltyScale::single, std::nan("")), InvalidOption);
  EXPECT_THROW(tune(one_split(0, two_useful(10, 3, 0, random), two_useful(10, 4, 0, random)), {}), InvalidInput);
  EXPECT_THROW(tune(one_split(3, two_useful(10, 3, 0, random), two_useful(10, 3, 0, random)), {}), InvalidInput);
  TuningOptions options;
  options.weight_range = 1;
  EXPECT_THROW(tune(data, options), InvalidOption);
}

}  // namespace
}  // namespace bilevel
