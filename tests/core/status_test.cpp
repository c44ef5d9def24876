#include "bilevel/status.hpp"

#include <gtest/gtest.h>

#include <set>

#include "bilevel/run.hpp"
#include "core/shown.hpp"

namespace bilevel {
namespace {

constexpr Status kAll[] = {Status::converged,    Status::budget_reached, Status::stagnated,
                           Status::diverged,     Status::nonfinite,      Status::breakdown,
                           Status::lower_failed, Status::interrupted,    Status::exception};

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

// Advice is given whatever the method: what it names, every command must have.
TEST(Status, AdviceNamesNoOptionThatOnlySomeMethodsHave) {
  StopRule rule;
  const auto common = described(rule);
  for (const auto status : kAll) {
    const std::string text(advice(status));
    for (auto at = text.find("--"); at != std::string::npos; at = text.find("--", at + 2)) {
      const auto name = text.substr(at + 2, text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at + 2) - at - 2);
      EXPECT_NE(common.find(name), nullptr) << to_string(status) << ": --" << name;
    }
  }
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

TEST(NearestName, HasNoAnswerToAbsurdNamesAndTakesNoTimeForThem) {
  const std::string absurd(300'000, 'a');
  EXPECT_EQ(nearest_name(absurd, {absurd, absurd + "b", "a"}), "");
  EXPECT_EQ(nearest_name("aaaa", {absurd, "aaab"}), "aaab");
  const std::string longest(64, 'a');
  EXPECT_EQ(nearest_name(longest, {longest.substr(1) + "b"}), longest.substr(1) + "b");
  EXPECT_EQ(nearest_name(longest + "a", {longest}), "");
}

TEST(Shown, CutsLongTextsBetweenCharacters) {
  EXPECT_EQ(shown("short"), "short");
  EXPECT_EQ(shown(std::string(61, 'a')), std::string(60, 'a') + "...");
  EXPECT_EQ(shown("aüb", 2), "a...") << "the letter has two bytes";
  EXPECT_EQ(shown("aüb", 3), "aü...");
  EXPECT_EQ(shown("a\x1b[31m\n"), "a?[31m?");
}

TEST(NearestName, PrefersTheNearestAndThenTheFirst) {
  EXPECT_EQ(nearest_name("abcdef", {"abcxyf", "abcdxf"}), "abcdxf");
  EXPECT_EQ(nearest_name("abcdef", {"abcdex", "abcdey"}), "abcdex");
}

}  // namespace
}  // namespace bilevel
