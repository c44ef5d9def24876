#include "bilevel/status.hpp"

#include <gtest/gtest.h>

#include <set>

namespace bilevel {
namespace {

constexpr Status kAll[] = {Status::converged, Status::budget_reached, Status::stagnated,    Status::diverged,
                           Status::nonfinite, Status::breakdown,      Status::lower_failed, Status::interrupted};

TEST(Status, EveryOneHasItsOwnNameAndAdvice) {
  std::set<std::string_view> names, advices;
  for (const auto status : kAll) {
    EXPECT_FALSE(to_string(status).empty());
    EXPECT_NE(to_string(status), "unknown");
    EXPECT_FALSE(advice(status).empty()) << to_string(status);
    names.insert(to_string(status));
    advices.insert(advice(status));
  }
  EXPECT_EQ(names.size(), std::size(kAll));
  EXPECT_EQ(advices.size(), std::size(kAll));
}

TEST(Status, ErrorsAreOneFamily) {
  EXPECT_THROW(throw DimensionMismatch("d"), Error);
  EXPECT_THROW(throw InvalidOption("o"), Error);
  EXPECT_THROW(throw MissingOracle("m"), Error);
  EXPECT_THROW(throw InvalidInput("i"), Error);
  EXPECT_STREQ(InvalidInput("one sentence").what(), "one sentence");
}

TEST(NearestName, FindsTypos) {
  const std::vector<std::string> known{"cg", "minres", "lsqr", "step_size", "max_iterations"};
  EXPECT_EQ(nearest_name("miners", known), "minres");
  EXPECT_EQ(nearest_name("stepsize", known), "step_size");
  EXPECT_EQ(nearest_name("max-iteration", known), "max_iterations");
  EXPECT_EQ(nearest_name("lsqr", known), "lsqr");
}

TEST(NearestName, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(nearest_name("regularization", {"step_size", "seed"}), "");
  EXPECT_EQ(nearest_name("anything", {}), "");
}

TEST(NearestName, PrefersTheNearestAndThenTheFirst) {
  EXPECT_EQ(nearest_name("abcdef", {"abcxyf", "abcdxf"}), "abcdxf");
  EXPECT_EQ(nearest_name("abcdef", {"abcdex", "abcdey"}), "abcdex");
}

}  // namespace
}  // namespace bilevel
