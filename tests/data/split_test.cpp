#include <rapidcheck.h>

#include <algorithm>
#include <functional>
#include <map>

#include "data/files.hpp"

namespace bilevel::data {
namespace {

using Rows = std::vector<std::uint32_t>;

TEST(HoldOut, IsAPartitionOfTheAskedSize) {
  const bool holds = rc::check("partition", [] {
    const auto labels =
        *rc::gen::suchThat(rc::gen::container<std::vector<std::int32_t>>(rc::gen::inRange<std::int32_t>(0, 6)),
                           [](const auto& list) { return list.size() >= 2; });
    const auto count = *rc::gen::inRange<std::size_t>(1, labels.size());
    const Split split = hold_out_count(labels, count, *rc::gen::arbitrary<std::uint64_t>());
    RC_ASSERT(split.held_out.size() == count);
    RC_ASSERT(std::is_sorted(split.train.begin(), split.train.end()));
    RC_ASSERT(std::is_sorted(split.held_out.begin(), split.held_out.end()));
    Rows all = split.train;
    all.insert(all.end(), split.held_out.begin(), split.held_out.end());
    std::sort(all.begin(), all.end());
    RC_ASSERT(all.size() == labels.size());
    for (std::uint32_t i = 0; i < all.size(); ++i) RC_ASSERT(all[i] == i);

    std::map<std::int32_t, std::size_t> total;
    std::map<std::int32_t, std::size_t> kept;
    for (const std::int32_t label : labels) ++total[label];
    for (const std::uint32_t row : split.train) ++kept[labels[row]];
    if (labels.size() - count >= total.size()) RC_ASSERT(kept.size() == total.size());
  });
  EXPECT_TRUE(holds);
}

TEST(HoldOut, KeepsTheProportionsOfTheClasses) {
  std::vector<std::int32_t> labels(1000, 0);
  std::fill(labels.begin(), labels.begin() + 300, 1);
  std::fill(labels.begin(), labels.begin() + 100, 5);
  const Split split = hold_out_fraction(labels, 0.2, 3);
  std::map<std::int32_t, int> held_out;
  for (const std::uint32_t row : split.held_out) ++held_out[labels[row]];
  EXPECT_EQ(held_out, (std::map<std::int32_t, int>{{0, 140}, {1, 40}, {5, 20}}));
}

TEST(HoldOut, DependsOnTheSeedOnly) {
  const std::vector<std::int32_t> labels(50, 0);
  EXPECT_EQ(hold_out_count(labels, 10, 1).held_out, hold_out_count(labels, 10, 1).held_out);
  EXPECT_NE(hold_out_count(labels, 10, 1).held_out, hold_out_count(labels, 10, 2).held_out);
}

TEST(HoldOut, RejectsEmptyParts) {
  const std::vector<std::int32_t> labels(4, 0);
  for (const std::size_t bad : {0U, 4U, 5U}) {
    expect_error<InvalidOption>([&] { hold_out_count(labels, bad, 1); }, {"held-out rows of 4"});
  }
  for (const double bad : {0.0, 1.0, -1.0}) {
    expect_error<InvalidOption>([&] { hold_out_fraction(labels, bad, 1); }, {"must be above 0 and below 1"});
  }
}

TEST(Subset, TakesDenseRowsInOrder) {
  Table t;
  t.rows = 3;
  t.features = 2;
  t.dense = {1, 2, 3, 4, 5, 6};
  t.labels = {0, 1, 2};
  t.source_lines = {2, 3, 4};
  const Rows rows = {2, 0};
  const Table part = subset(t, rows);
  EXPECT_EQ(part.rows, 2U);
  EXPECT_EQ(part.dense, (std::vector<float>{5, 6, 1, 2}));
  EXPECT_EQ(part.labels, (std::vector<std::int32_t>{2, 0}));
  EXPECT_EQ(part.source_lines, (std::vector<std::size_t>{4, 2}));
}

TEST(Subset, TakesSparseRowsInOrder) {
  Table t;
  t.rows = 3;
  t.features = 3;
  t.sparse = true;
  t.row_starts = {0, 2, 2, 3};
  t.columns = {0, 2, 1};
  t.values = {1, 2, 3};
  t.labels = {0, 1, 0};
  const Rows rows = {2, 1, 0};
  const Table part = subset(t, rows);
  EXPECT_EQ(part.row_starts, (std::vector<std::size_t>{0, 1, 1, 3}));
  EXPECT_EQ(part.columns, (std::vector<std::uint32_t>{1, 0, 2}));
  EXPECT_EQ(part.values, (std::vector<float>{3, 1, 2}));
}

TEST(Subset, RejectsRowsThatDoNotExist) {
  Table t;
  t.rows = 3;
  const Rows rows = {3};
  expect_error<DimensionMismatch>([&] { subset(t, rows); }, {"row 3 does not exist", "has 3 rows"});
}

TEST(HoldOut, RefusesLabelsThatAreNoClasses) {
  const std::vector<std::int32_t> labels{0, 1, -5, 1};
  for (const auto& split : {std::function<Split()>([&] { return hold_out_count(labels, 1, 1); }),
                            std::function<Split()>([&] { return hold_out_fraction(labels, 0.5, 1); })}) {
    try {
      split();
      FAIL() << "accepted";
    } catch (const InvalidInput& error) {
      EXPECT_STREQ(error.what(), "row 2 has the label -5, but class numbers are 0 or more");
    }
  }
}

}  // namespace
}  // namespace bilevel::data
