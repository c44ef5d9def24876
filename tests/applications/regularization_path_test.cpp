#include "applications/regularization_path.hpp"

#include <gtest/gtest.h>

#include "applications/blobs.hpp"

namespace bilevel {
namespace {

using testing::Blobs;

PathOptions three_classes() {
  return {
      .model = {.loss = LinearLoss::softmax, .classes = 3, .intercept = true}, .penalty_norm = 2, .interrupt = nullptr};
}

Vec ones(const LabelledRows& rows) { return Vec::Ones(static_cast<Index>(rows.labels.size())); }

TEST(RegularizationPath, ManyNoisyFeaturesWantStrongRegularization) {
  // Forty rows in thirty features of which three matter: the weakest penalty separates the rows and so fits the noise.
  const Blobs blobs{.features = 30, .distance = 2};
  Random random(3);
  const auto train = blobs.rows(40, random), chooser = blobs.rows(300, random);
  const auto chosen = fit_path(train, ones(train), chooser, three_classes());
  EXPECT_GE(chosen.regularization, 1e-2);
  const LinearModel model(30, three_classes().model);
  EXPECT_DOUBLE_EQ(chosen.trusted_accuracy, model.accuracy(chooser.features, chooser.labels, chosen.y));
}

TEST(RegularizationPath, RowsOfWeightZeroDoNotCount) {
  auto data = Blobs{.train_rows = 60, .trusted_rows = 60, .distance = 6, .wrong = 0}.make();
  Vec weights = ones(data.train);
  for (std::size_t i = 0; i < 60; i += 2) {
    data.train.labels[i] = 0;
    weights[static_cast<Index>(i)] = 0;
  }
  EXPECT_EQ(fit_path(data.train, weights, data.trusted, three_classes()).trusted_accuracy, 1)
      << "the blobs are six deviations apart";
}

TEST(RegularizationPath, CrossValidationHoldsEveryClassInEachFold) {
  // The classes stand in turn: folds of every third row would each leave out one whole class and score 0.
  const Blobs blobs{.distance = 6};
  Random random(5);
  const auto rows = blobs.rows(90, random);
  EXPECT_GE(fit_cross_validated(rows, 3, three_classes()).trusted_accuracy, 0.98)
      << "classes are confused with probability Q(6 / sqrt 2) = 1e-5";
}

TEST(RegularizationPath, CrossValidationOfVeryFewRows) {
  Random random(6);
  const auto two = Blobs{}.rows(2, random);
  const auto fitted = fit_cross_validated(two, 3, three_classes());
  EXPECT_TRUE(fitted.y.allFinite());
  EXPECT_GE(fitted.trusted_accuracy, 0);
}

}  // namespace
}  // namespace bilevel
