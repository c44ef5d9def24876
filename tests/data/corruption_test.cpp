#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/files.hpp"

namespace bilevel::data {
namespace {

TEST(CorruptLabels, ChangesExactlyTheAskedShareAndNeverToTheTrueLabel) {
  const bool holds = rc::check("count and truth", [] {
    const auto classes = *rc::gen::inRange<std::int32_t>(2, 12);
    const auto labels = *rc::gen::container<std::vector<std::int32_t>>(rc::gen::inRange<std::int32_t>(0, classes));
    const double fraction = *rc::gen::inRange(0, 101) / 100.0;
    const auto kind = *rc::gen::element(Corruption::uniform, Corruption::pairwise);
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    const auto c = corrupt_labels(labels, static_cast<std::size_t>(classes), fraction, kind, seed);
    const auto expected = std::llround(fraction * static_cast<double>(labels.size()));
    RC_ASSERT(std::count(c.is_wrong.begin(), c.is_wrong.end(), 1) == expected);
    RC_ASSERT(c.labels.size() == labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
      RC_ASSERT((c.labels[i] != labels[i]) == (c.is_wrong[i] == 1));
      RC_ASSERT(c.labels[i] >= 0 && c.labels[i] < classes);
      if (kind == Corruption::pairwise && c.is_wrong[i] == 1) RC_ASSERT(c.labels[i] == (labels[i] + 1) % classes);
    }
  });
  EXPECT_TRUE(holds);
}

TEST(CorruptLabels, UniformReachesEveryOtherClassEquallyOften) {
  constexpr int kDraws = 30000;
  const std::vector<std::int32_t> labels(kDraws, 2);
  const auto c = corrupt_labels(labels, 4, 1.0, Corruption::uniform, 7);
  for (const std::int32_t other : {0, 1, 3}) {
    // Binomial with p = 1/3: standard deviation 82; five of them.
    EXPECT_NEAR(std::count(c.labels.begin(), c.labels.end(), other), kDraws / 3, 410) << other;
  }
}

TEST(CorruptLabels, SameSeedSameResult) {
  std::vector<std::int32_t> labels(100);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % 5);
  const auto a = corrupt_labels(labels, 5, 0.4, Corruption::uniform, 1);
  EXPECT_EQ(a.labels, corrupt_labels(labels, 5, 0.4, Corruption::uniform, 1).labels);
  EXPECT_NE(a.labels, corrupt_labels(labels, 5, 0.4, Corruption::uniform, 2).labels);
}

TEST(CorruptLabels, RejectsMisuse) {
  const std::vector<std::int32_t> labels = {0, 1, 2};
  for (const double bad : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    expect_error<InvalidOption>([&] { corrupt_labels(labels, 3, bad, Corruption::uniform, 1); }, {"in [0, 1]"});
  }
  expect_error<DimensionMismatch>([&] { corrupt_labels(labels, 2, 0.5, Corruption::uniform, 1); },
                                  {"the label 2 is not one of the 2 classes"});
  const std::vector<std::int32_t> one = {0, 0};
  expect_error<InvalidOption>([&] { corrupt_labels(one, 1, 0.5, Corruption::pairwise, 1); }, {"at least two classes"});
  EXPECT_EQ(corrupt_labels(one, 1, 0.0, Corruption::pairwise, 1).labels, one);
}

TEST(CorruptLabels, NamesAreParsed) {
  EXPECT_EQ(parse_corruption("uniform"), Corruption::uniform);
  EXPECT_EQ(parse_corruption(to_string(Corruption::pairwise)), Corruption::pairwise);
  expect_error<InvalidOption>([] { parse_corruption("unifrom"); }, {"nearest: 'uniform'", "'uniform', 'pairwise'"});
}

}  // namespace
}  // namespace bilevel::data
