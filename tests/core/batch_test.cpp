#include "bilevel/batch.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "bilevel/status.hpp"
#include "message_of.hpp"

namespace bilevel {
namespace {

using testing::message_of;
using Indices = std::vector<std::uint32_t>;

Indices drawn(Sampler& sampler) {
  const auto indices = sampler.next().indices();
  return {indices.begin(), indices.end()};
}

Indices drawn(Sampler& sampler, int batches) {
  Indices all;
  for (int k = 0; k < batches; ++k) {
    const auto batch = drawn(sampler);
    all.insert(all.end(), batch.begin(), batch.end());
  }
  return all;
}

TEST(Batch, FullStandsForEverySample) {
  EXPECT_TRUE(full.is_full());
  EXPECT_EQ(full.size(12), 12u);
  EXPECT_TRUE(full.indices().empty());
}

TEST(Batch, ViewsItsIndices) {
  const Indices indices{4, 1, 4};
  const Batch batch(indices);
  EXPECT_FALSE(batch.is_full());
  EXPECT_EQ(batch.size(12), 3u);
  EXPECT_EQ(batch.indices().data(), indices.data());
}

RC_GTEST_PROP(Sampler, DrawsEverySampleOnceAnEpoch, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(1, 60);
  const auto batch_size = *rc::gen::inRange<std::size_t>(1, count + 1);
  Sampler sampler(count, batch_size, *rc::gen::arbitrary<std::uint64_t>());
  for (int epoch = 0; epoch < 3; ++epoch) {
    Indices seen;
    while (seen.size() < count) {
      const auto batch = drawn(sampler);
      RC_ASSERT(batch.size() == std::min(batch_size, count - seen.size()));
      seen.insert(seen.end(), batch.begin(), batch.end());
    }
    std::ranges::sort(seen);
    for (std::size_t i = 0; i < count; ++i) RC_ASSERT(seen[i] == i);
  }
}

TEST(Sampler, ReshufflesEachEpoch) {
  Sampler sampler(20, 20, 3);
  const auto first = drawn(sampler), second = drawn(sampler);
  EXPECT_NE(first, second);
}

TEST(Sampler, IsDeterminedByItsSeed) {
  Sampler a(50, 8, 3), b(50, 8, 3), c(50, 8, 4);
  const auto from_a = drawn(a, 20);
  EXPECT_EQ(from_a, drawn(b, 20));
  EXPECT_NE(from_a, drawn(c, 20));
}

RC_GTEST_PROP(Sampler, ResumesExactlyWhereItStood, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(1, 40);
  const auto batch_size = *rc::gen::inRange<std::size_t>(1, count + 1);
  Sampler sampler(count, batch_size, 7);
  drawn(sampler, *rc::gen::inRange(0, 30));  // none at all, mid-epoch, or at an epoch's end
  const auto state = sampler.state();
  Sampler resumed(count, batch_size, 8);
  drawn(resumed, *rc::gen::inRange(0, 5));
  resumed.restore(state);
  RC_ASSERT(resumed.state() == state);
  RC_ASSERT(drawn(resumed, 100) == drawn(sampler, 100));
}

TEST(Sampler, RefusesSizesThatDoNotFit) {
  EXPECT_EQ(message_of<InvalidOption>([] { Sampler(5, 6, 1); }),
            "batch size 6 does not fit 5 samples: it must be between 1 and 5");
  EXPECT_THROW(Sampler(5, 0, 1), InvalidOption);
  EXPECT_THROW(Sampler(0, 0, 1), InvalidOption);
}

TEST(Sampler, RefusesAStateOfOtherSizes) {
  Sampler sampler(10, 3, 1);
  sampler.next();
  EXPECT_EQ(message_of<InvalidInput>([&] { Sampler(10, 4, 1).restore(sampler.state()); }),
            "the sampler's state is for 10 samples in batches of 3, but this one has 10 in 4");
  EXPECT_THROW(Sampler(11, 3, 1).restore(sampler.state()), InvalidInput);
}

TEST(Sampler, RefusesADamagedStateAndKeepsItsOwn) {
  Sampler sampler(10, 3, 1);
  sampler.next();
  const auto state = sampler.state();
  const auto orders = state.substr(0, state.find_last_of(' '));
  for (const auto& bad : {std::string(), std::string("nonsense"), "sampler 2" + state.substr(9), state.substr(0, 200),
                          orders, orders + " 10", orders + " -1", "sampler 1 10 3 11" + state.substr(16)}) {
    EXPECT_THROW(sampler.restore(bad), InvalidInput) << bad.substr(0, 30) << " .. " << bad.substr(bad.size() / 2);
    EXPECT_EQ(sampler.state(), state);
  }
}

}  // namespace
}  // namespace bilevel
