#include <cmath>

#include "data/files.hpp"

namespace bilevel::data {
namespace {

// One unit in the last place of a float near 1; scaled features are rounded once.
constexpr double kFloatRounding = 1.2e-7;

Table dense_table(std::size_t features, std::vector<float> values) {
  Table t;
  t.rows = values.size() / features;
  t.features = features;
  t.dense = std::move(values);
  t.source = "table";
  return t;
}

// Rows (2, 0), (0, 4), (0, 0).
Table sparse_table() {
  Table t;
  t.rows = 3;
  t.features = 2;
  t.sparse = true;
  t.format = Format::libsvm;
  t.row_starts = {0, 1, 2, 2};
  t.columns = {0, 1};
  t.values = {2, 4};
  return t;
}

TEST(Scaling, StandardizedColumnsHaveMeanZeroAndDeviationOne) {
  Table t = dense_table(2, {1, 1000001, 2, 1000003, 6, 1000005});
  const Standardizer fitted = fit_standardizer(t, Scaling::automatic);
  EXPECT_EQ(fitted.scaling, Scaling::standardize);
  fitted.apply(t);
  for (const std::size_t j : {0U, 1U}) {
    double sum = 0;
    double squares = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const double value = t.dense[2 * i + j];
      sum += value;
      squares += value * value;
    }
    EXPECT_NEAR(sum, 0, 4 * kFloatRounding);
    EXPECT_NEAR(squares / 3, 1, 4 * kFloatRounding);
  }
}

TEST(Scaling, OnlyTheGivenRowsAreFitted) {
  const Table t = dense_table(1, {1, 3, 1000});
  const std::vector<std::uint32_t> rows = {0, 1};
  const Standardizer fitted = fit_standardizer(t, rows, Scaling::standardize);
  EXPECT_EQ(fitted.mean, std::vector<double>{2});
  EXPECT_EQ(fitted.scale, std::vector<double>{1});
}

TEST(Scaling, ConstantColumnsBecomeZeroAlsoInOtherRows) {
  Table t = dense_table(2, {0.1F, 1, 0.1F, 2, 0.7F, 3});
  const std::vector<std::uint32_t> rows = {0, 1};
  fit_standardizer(t, rows, Scaling::standardize).apply(t);
  EXPECT_EQ(t.dense, (std::vector<float>{0, -1, 0, 1, 0, 3}));
}

TEST(Scaling, SparseColumnsAreScaledButNotCentred) {
  Table t = sparse_table();
  const Standardizer fitted = fit_standardizer(t, Scaling::standardize);
  ASSERT_EQ(fitted.notes.size(), 1U);
  EXPECT_EQ(fitted.mean, (std::vector<double>{0, 0}));
  // Column (2, 0, 0): mean 2/3, variance 4/3 - 4/9 = 8/9; the second is twice as wide.
  EXPECT_DOUBLE_EQ(fitted.scale[0], 1 / std::sqrt(8.0 / 9));
  EXPECT_DOUBLE_EQ(fitted.scale[1], 0.5 / std::sqrt(8.0 / 9));
  fitted.apply(t);
  EXPECT_FLOAT_EQ(t.values[0], t.values[1]);
}

TEST(Scaling, UnitDividesByTheLargestMagnitude) {
  Table t = dense_table(3, {1, -4, 0, -2, 2, 0});
  fit_standardizer(t, Scaling::unit).apply(t);
  EXPECT_EQ(t.dense, (std::vector<float>{0.5, -1, 0, -1, 0.5, 0}));
  Table s = sparse_table();
  fit_standardizer(s, Scaling::unit).apply(s);
  EXPECT_EQ(s.values, (std::vector<float>{1, 1}));
}

TEST(Scaling, UnitDividesPixelsBy255) {
  Table t = dense_table(2, {0, 51, 0, 102});
  t.format = Format::idx;
  const Standardizer fitted = fit_standardizer(t, Scaling::unit);
  fitted.apply(t);
  EXPECT_FLOAT_EQ(t.dense[1], 0.2F);
  EXPECT_FLOAT_EQ(t.dense[3], 0.4F);
}

TEST(Scaling, AutomaticStandardizesEveryFormat) {
  for (const Format format : {Format::idx, Format::csv, Format::libsvm}) {
    Table t = dense_table(2, {0, 51, 0, 102});
    t.format = format;
    const Standardizer fitted = fit_standardizer(t, Scaling::automatic);
    EXPECT_EQ(fitted.scaling, Scaling::standardize);
    EXPECT_EQ(fitted.mean, (std::vector<double>{0, 76.5}));
  }
  EXPECT_EQ(fit_standardizer(sparse_table(), Scaling::automatic).mean, (std::vector<double>{0, 0}));
}

TEST(Scaling, NoneChangesNothing) {
  Table t = dense_table(1, {3, 4});
  fit_standardizer(t, Scaling::none).apply(t);
  EXPECT_EQ(t.dense, (std::vector<float>{3, 4}));
}

TEST(Scaling, NamesAreParsed) {
  for (const Scaling s : {Scaling::automatic, Scaling::standardize, Scaling::unit, Scaling::none}) {
    EXPECT_EQ(parse_scaling(to_string(s)), s);
  }
  expect_error<InvalidOption>([] { parse_scaling("standardise"); }, {"'standardise'", "nearest: 'standardize'"});
}

TEST(Scaling, RejectsMisuse) {
  Table t = dense_table(1, {3, 4});
  expect_error([&] { fit_standardizer(t, std::span<const std::uint32_t>{}, Scaling::unit); }, {"no rows to fit"});
  const std::vector<std::uint32_t> beyond = {2};
  expect_error<DimensionMismatch>([&] { fit_standardizer(t, beyond, Scaling::unit); }, {"row 2 does not exist"});
  const Standardizer fitted = fit_standardizer(t, Scaling::unit);
  Table wider = dense_table(2, {3, 4});
  expect_error<DimensionMismatch>([&] { fitted.apply(wider); }, {"fitted on 1 feature, but table has 2"});
}

}  // namespace
}  // namespace bilevel::data
