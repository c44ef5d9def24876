#include "bilevel/feature_matrix.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "bilevel/status.hpp"
#include "linear_data.hpp"

namespace bilevel::testing {
namespace {

template <class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(FeatureMatrix, KnowsItsShape) {
  const LinearData data(5, 3, 2, 1);
  const auto matrix = data.dense(Precision::float32);
  EXPECT_EQ(matrix.rows(), 5u);
  EXPECT_EQ(matrix.features(), 3u);
  EXPECT_EQ(matrix.precision(), Precision::float32);
  EXPECT_FALSE(matrix.is_sparse());
  EXPECT_TRUE(data.sparse().is_sparse());
  EXPECT_EQ(data.sparse().rows(), 5u);
}

TEST(FeatureMatrix, FilledAndCopiedRowsAreTheSame) {
  const LinearData data(70, 5, 3, 2);
  const auto filled = FeatureMatrix::dense(
      data.rows, data.features,
      [&](std::size_t row, std::span<double> features) {
        for (std::size_t j = 0; j < data.features; ++j) features[j] = data.values[row * data.features + j];
      },
      Precision::float64);
  const LinearModel model(5, {.classes = 3});
  Random random(3);
  const Vec y = random_vec(model.dim_y(), random);
  EXPECT_EQ(model.predict_scores(filled, y), model.predict_scores(data.dense(), y));
}

TEST(FeatureMatrix, SubsetsOfSubsetsPickTheRightRows) {
  const LinearData data(200, 5, 3, 4, 0.5);
  const LinearModel model(5, {.classes = 3, .intercept = true});
  Random random(5);
  const Vec y = random_vec(model.dim_y(), random);
  for (const auto& whole : {data.dense(), data.sparse()}) {
    const auto all = model.predict_scores(whole, y);
    std::vector<std::uint32_t> odd, consecutive;
    for (std::uint32_t i = 1; i < 200; i += 2) odd.push_back(i);
    for (std::uint32_t i = 20; i < 90; ++i) consecutive.push_back(i);
    const auto part = whole.subset(odd);           // rows 1, 3, .., 199
    const auto nested = part.subset(consecutive);  // rows 41, 43, .., 179
    ASSERT_EQ(nested.rows(), 70u);
    const auto scores = model.predict_scores(nested, y);
    const auto slice = model.predict_scores(whole.subset(consecutive), y);
    for (Index i = 0; i < 70; ++i) {
      // The tiling of a block may differ between gathered and contiguous rows: rounding only.
      EXPECT_LE((scores.row(i) - all.row(2 * (i + 20) + 1)).norm(), 1e-14);
      EXPECT_LE((slice.row(i) - all.row(i + 20)).norm(), 1e-14);
    }
    const std::vector<std::uint32_t> beyond{100};
    EXPECT_THROW(part.subset(beyond), DimensionMismatch);
    EXPECT_THROW(part.subset({}), DimensionMismatch);
  }
}

TEST(FeatureMatrix, BatchesOfSubsetsUseTheSubsetsIndices) {
  const LinearData data(200, 5, 3, 6);
  const std::vector<std::uint32_t> chosen{5, 190, 77, 5, 0};
  const std::vector<std::uint32_t> batch{4, 1, 1};
  const std::vector<std::uint32_t> same{0, 190, 190};
  std::vector<std::int32_t> labels;
  for (const auto i : chosen) labels.push_back(data.labels[i]);
  const auto part = training_objective(data.dense().subset(chosen), labels, {.model = {.classes = 3}});
  const auto whole = training_objective(data.dense(), data.labels, {.model = {.classes = 3}});
  Random random(7);
  const Vec y = random_vec(whole->dim_y(), random);
  EXPECT_EQ(part->grad_y(Vec(), y, Batch(batch)), whole->grad_y(Vec(), y, Batch(same)));
}

TEST(FeatureMatrix, RefusesWhatIsNoData) {
  const std::vector<double> four{1, 2, 3, 4};
  const auto dense = [&](std::size_t rows, std::size_t features) {
    return FeatureMatrix::dense(rows, features, std::span<const double>(four));
  };
  EXPECT_THROW(dense(2, 3), DimensionMismatch);
  EXPECT_THROW(dense(0, 4), InvalidInput);
  EXPECT_THROW(dense(4, 0), InvalidInput);
  EXPECT_THROW(dense(std::numeric_limits<std::size_t>::max() / 2 + 2, 2), DimensionMismatch);  // the product wraps to 4

  const std::vector<double> holes{1, 2, 3, std::numeric_limits<double>::quiet_NaN()};
  EXPECT_NE(message_of([&] { FeatureMatrix::dense(2, 2, std::span<const double>(holes)); }).find("(1, 1)"),
            std::string::npos);
  const std::vector<double> huge{1, 1e300, 3, 4};  // finite, but not in single precision
  EXPECT_NE(message_of([&] {
              FeatureMatrix::dense(2, 2, std::span<const double>(huge), Precision::float32);
            }).find("single precision"),
            std::string::npos);

  const std::vector<std::size_t> starts{0, 2, 3};
  const std::vector<std::uint32_t> columns{0, 1, 5};
  const std::vector<double> values{1, 2, 3};
  const auto sparse = [&](std::size_t features, std::span<const std::size_t> row_starts,
                          std::span<const double> entries) {
    return FeatureMatrix::sparse(features, row_starts, columns, entries);
  };
  EXPECT_NO_THROW(sparse(6, starts, values));
  EXPECT_THROW(sparse(5, starts, values), InvalidInput);  // column 5 of 0..4
  EXPECT_THROW(sparse(6, {}, values), InvalidInput);
  EXPECT_THROW(sparse(6, starts, std::span<const double>(values).first(2)), DimensionMismatch);
  const std::vector<std::size_t> falling{0, 3, 2};
  EXPECT_THROW(sparse(6, falling, values), InvalidInput);
  const std::vector<double> infinite{1, 2, std::numeric_limits<double>::infinity()};
  EXPECT_NE(message_of([&] { sparse(6, starts, infinite); }).find("(1, 5)"), std::string::npos);
}

}  // namespace
}  // namespace bilevel::testing
