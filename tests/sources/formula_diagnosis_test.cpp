// What a formula says about a point: its kinks, and the operation that first has no finite value.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "bilevel/check.hpp"
#include "bilevel/formula.hpp"
#include "bilevel/perturbed.hpp"
#include "bilevel/status.hpp"
#include "probes.hpp"

namespace {

using bilevel::Formula;
using bilevel::Kink;
using bilevel::Vec;
using bilevel::testing::vec;

std::shared_ptr<const bilevel::Objective> objective(const std::string& text) {
  return bilevel::make_formula_objective("f", Formula::parse(text, {{"c", {1, 5, 9}}}), 1, 3);
}
std::vector<Kink> kinks(const std::string& text, const Vec& y) { return objective(text)->kinks(vec({0.5}), y); }
std::string nonfinite(const std::string& text, const Vec& y) {
  return objective(text)->explain_nonfinite(vec({0.5}), y);
}

void expect_kink(const Kink& kink, const std::string& what, double distance, double scale, int order) {
  EXPECT_EQ(kink.what, what);
  EXPECT_DOUBLE_EQ(kink.distance, distance);
  EXPECT_DOUBLE_EQ(kink.scale, scale);
  EXPECT_EQ(kink.order, order);
}

TEST(FormulaKinks, HaveTheirTextTheirPlaceAndTheirDistance) {
  const auto one = kinks("(x - 1)^2 + 3*abs(y - 2)", vec({1.75, 0, 0}));
  ASSERT_EQ(one.size(), 1u);
  expect_kink(one[0], "abs(y - 2) at column 15", 0.25, 3.75, 1);
  EXPECT_EQ(to_string(one[0]), "abs(y - 2) at column 15, 0.25 from its corner");
  EXPECT_EQ(to_string(kinks("abs(y - 2)", vec({2, 0, 0}))[0]), "abs(y - 2) at column 1, at its corner");

  const auto two = kinks("max(y, y2,\n  3) + huber(y3)", vec({1, 2, -0.5}));
  ASSERT_EQ(two.size(), 2u);
  expect_kink(two[0], "max(y, y2,   3) at line 1, column 1", 1, 5, 1);
  expect_kink(two[1], "huber(y3) at line 2, column 8", 0.5, 1.5, 2);
}

TEST(FormulaKinks, OfASumNameTheIndexAndComeNearestFirst) {
  const auto all = kinks("sum(i, 1, 3, abs(y[i] - c[i]))", vec({3, 5.5, 9}));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].what, "abs(y[i] - c[i]) at column 14 for i = 3");
  EXPECT_EQ(all[1].what, "abs(y[i] - c[i]) at column 14 for i = 2");
  EXPECT_EQ(all[2].what, "abs(y[i] - c[i]) at column 14 for i = 1");
  // Of very many the nearest are told.
  const auto many = kinks("sum(i, 1, 1000, abs(y - i))", vec({700.25, 0, 0}));
  ASSERT_EQ(many.size(), 16u);
  EXPECT_EQ(many[0].what, "abs(y - i) at column 17 for i = 700");
}

TEST(FormulaKinks, OfAChoiceTellWhetherTheValueJumps) {
  const auto meeting = kinks("if(y > 0 and y2 < 3, y^2, 0*y)", vec({0, 1, 0}));
  ASSERT_EQ(meeting.size(), 2u);
  expect_kink(meeting[0], "if(y > 0, ..) at column 4", 0, 0, 1);
  expect_kink(meeting[1], "if(y2 < 3, ..) at column 14", 2, 4, 1);
  const auto jumping = kinks("if(y > 0, 1, y)", vec({0.5, 0, 0}));
  ASSERT_EQ(jumping.size(), 1u);
  EXPECT_EQ(jumping[0].order, 0);
  EXPECT_EQ(to_string(jumping[0]), "if(y > 0, ..) at column 4, 0.5 from its switch");
}

TEST(FormulaKinks, ThatDoNotMatterAreNotTold) {
  EXPECT_TRUE(kinks("sin(y)*square(x) + abs(-3) + max(1, 2)", vec({0, 0, 0})).empty());
  EXPECT_TRUE(kinks("sum(i, 1, 3, abs(i - 2))*y", vec({0, 0, 0})).empty());
  const auto chosen = kinks("max(abs(y), 5 + abs(y2))", vec({0, 1, 0}));
  ASSERT_EQ(chosen.size(), 2u);
  EXPECT_EQ(chosen[0].what, "max(abs(y), 5 + abs(y2)) at column 1");
  EXPECT_EQ(chosen[1].what, "abs(y2) at column 17");
  const auto taken = kinks("if(abs(y) < 2, y, abs(y))", vec({0, 0, 0}));
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].what, "if(abs(y) < 2, ..) at column 4");
}

TEST(FormulaNonfinite, NamesTheOperationThatWasFirst) {
  const Vec y = vec({0.2, 0, -1});
  EXPECT_EQ(nonfinite("y^2 + x", y), "");
  EXPECT_EQ(nonfinite("x*log(y - 5)^2", y), "log(y - 5) at column 3 has the argument -4.8");
  EXPECT_EQ(nonfinite("1 + exp(1e4*y)", y),
            "exp(1e4*y) at column 5 has the argument 2000, where the value is infinite");
  EXPECT_EQ(nonfinite("log(y2)", y), "log(y2) at column 1 has the argument 0, where the value is infinite");
  EXPECT_EQ(nonfinite("x/(y + y2*3)/(2*y2)", y), "the divisor 2*y2 at column 15 is 0");
  EXPECT_EQ(nonfinite("1/y2", y), "the divisor y2 at column 3 is 0");
  EXPECT_EQ(nonfinite("y3^0.5 + sqrt(y3)", y), "y3^0.5 at column 1 has the base -1 and the exponent 0.5");
  EXPECT_EQ(nonfinite("x^2*(y3 - 1)^y", y), "(y3 - 1)^y at column 5 has the base -2 and the exponent 0.2");
  EXPECT_EQ(nonfinite("sum(i, 1, 3,\n log(y[i] + 0.1))", y),
            "log(y[i] + 0.1) at line 2, column 2 for i = 3 has the argument -0.9");
  EXPECT_EQ(nonfinite("1e200*y*(1e200*y)", y), "1e200*y*(1e200*y) at column 1 is infinite");
  EXPECT_EQ(nonfinite("y + y2", vec({1, std::numeric_limits<double>::quiet_NaN(), 0})),
            "y2 at column 5 is not a number");
}

TEST(FormulaNonfinite, AValueComesBeforeADerivative) {
  EXPECT_EQ(nonfinite("sqrt(y2)", vec({0, 0, 0})),
            "sqrt(y2) at column 1 has the argument 0, where the derivative is infinite");
  EXPECT_EQ(nonfinite("sqrt(y2) + log(y)", vec({-1, 0, 0})), "log(y) at column 12 has the argument -1");
  EXPECT_EQ(nonfinite("abs(y)^1.5", vec({0, 0, 0})),
            "abs(y)^1.5 at column 1 has the base 0 and the exponent 1.5, where the second derivative is infinite");
}

TEST(FormulaNonfinite, WhatWasNotChosenHasNoSay) {
  const Vec y = vec({0, 0, -1});
  EXPECT_EQ(nonfinite("max(sqrt(y), y + 1)", y), "");
  EXPECT_EQ(nonfinite("if(y3 > 0, log(y3), 1/(y3 - 1))", y), "");
  EXPECT_EQ(nonfinite("if(sqrt(y) < 1, y, 2*y)", y), "");
  EXPECT_EQ(nonfinite("if(log(y3) < 1, y, 2*y)", y), "log(y3) at column 4 has the argument -1");
}

TEST(FormulaDiagnosis, IsHandedOnByAPerturbationAndRefusesOtherLengths) {
  const auto inner = objective("abs(y) + log(y2)");
  const auto outer = bilevel::perturbed(inner, vec({1, 2, 3}));
  EXPECT_EQ(outer->kinks(vec({0.5}), vec({0, 1, 1})).size(), 1u);
  EXPECT_NE(outer->explain_nonfinite(vec({0.5}), vec({0, -1, 1})), "");
  EXPECT_THROW(inner->kinks(vec({0.5}), vec({0})), bilevel::DimensionMismatch);
}

// check_objective says kink, not wrong, where a formula has one; and names the operation that has no value.
TEST(FormulaDiagnosis, IsWhatACheckSays) {
  const auto at_corner = bilevel::check_objective(*objective("(x - 1)^2 + abs(y - 2)*y2"), vec({0.5}), vec({2, 1, 0}));
  EXPECT_FALSE(at_corner.passed());
  for (const auto& check : at_corner.checks) {
    if (check.passed) continue;
    EXPECT_TRUE(check.at_kink) << check.name;
    EXPECT_NE(check.explanation.find("abs(y - 2) at column 13, at its corner"), std::string::npos) << check.explanation;
  }
  EXPECT_TRUE(at_corner.suspects().empty());
  EXPECT_NE(at_corner.text().find("failed at a kink: check at another point"), std::string::npos);

  const auto beside = bilevel::check_objective(*objective("abs(y - 2) + x*y2"), vec({0.5}), vec({2.003, 1, 0}));
  ASSERT_FALSE(beside.passed());
  EXPECT_NE(beside.text().find("0.003 from its corner"), std::string::npos);
  EXPECT_TRUE(bilevel::check_objective(*objective("abs(y - 2) + x*y2"), vec({0.5}), vec({9, 1, 0})).passed());

  const auto outside = bilevel::check_objective(*objective("log(y - 5)"), vec({0.5}), vec({0.2, 0, 0}));
  ASSERT_FALSE(outside.passed());
  EXPECT_NE(outside.checks[0].explanation.find(": log(y - 5) at column 1 has the argument -4.8"), std::string::npos)
      << outside.checks[0].explanation;
}

}  // namespace
