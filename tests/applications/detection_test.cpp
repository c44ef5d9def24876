#include "bilevel/detection.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "bilevel/status.hpp"

namespace bilevel {
namespace {

using Flags = std::vector<std::uint8_t>;
using Numbers = std::vector<double>;

TEST(Detection, ByHandWithTies) {
  // Flagged: rows 0, 1, 2; wrong: rows 0, 1, 3, 4.
  const auto d = measure_detection(Flags{1, 1, 1, 0, 0, 0}, Numbers{5, 3, 3, 3, 1, 0}, Flags{1, 1, 0, 1, 1, 0});
  EXPECT_EQ(d.wrong, 4U);
  EXPECT_EQ(d.flagged, 3U);
  EXPECT_DOUBLE_EQ(d.precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(d.recall, 0.5);
  EXPECT_DOUBLE_EQ(d.f1, 4.0 / 7);
  // Eight pairs of a wrong and a right row. Against row 2 (3): 5 wins, 3 and 3 tie, 1 loses. Against row 5 (0): all
  // win.
  EXPECT_DOUBLE_EQ(d.auc, (1 + 0.5 + 0.5 + 4) / 8);
}

TEST(Detection, PerfectIsOne) {
  const auto d = measure_detection(Flags{0, 2, 0}, Numbers{-1, 7, 0}, Flags{0, 1, 0});
  EXPECT_EQ(d.precision, 1);
  EXPECT_EQ(d.recall, 1);
  EXPECT_EQ(d.f1, 1);
  EXPECT_EQ(d.auc, 1);
}

TEST(Detection, NoneFlagged) {
  const auto d = measure_detection(Flags{0, 0}, Numbers{1, 1}, Flags{1, 0});
  EXPECT_EQ(d.precision, 1);
  EXPECT_EQ(d.recall, 0);
  EXPECT_EQ(d.f1, 0);
  EXPECT_EQ(d.auc, 0.5);
}

TEST(Detection, NoneWrong) {
  const auto d = measure_detection(Flags{1, 0}, Numbers{1, 0}, Flags{0, 0});
  EXPECT_EQ(d.precision, 0);
  EXPECT_EQ(d.recall, 1);
  EXPECT_EQ(d.f1, 0);
  EXPECT_EQ(d.auc, 0.5) << "not defined without a wrong row";
}

TEST(Detection, AllFlaggedWrongly) {
  const auto d = measure_detection(Flags{1, 0}, Numbers{1, 0}, Flags{0, 1});
  EXPECT_EQ(d.f1, 0);
  EXPECT_EQ(d.auc, 0);
}

TEST(Detection, LengthsMustAgree) {
  EXPECT_THROW(measure_detection(Flags{1}, Numbers{1, 2}, Flags{1, 0}), DimensionMismatch);
  EXPECT_THROW(measure_detection(Flags{1, 0}, Numbers{1}, Flags{1, 0}), DimensionMismatch);
}

TEST(Detection, WhatIsNotANumberHasNoRank) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(measure_detection(Flags{1, 0}, Numbers{nan, 1}, Flags{1, 0}), InvalidInput);
}

}  // namespace
}  // namespace bilevel
