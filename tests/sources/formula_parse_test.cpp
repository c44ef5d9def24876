// What formulas mean: precedence, associativity, sums, names, and numbers that are folded or shared.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "bilevel/formula.hpp"
#include "bilevel/status.hpp"
#include "message_of.hpp"
#include "probes.hpp"
#include "sources/formula_program.hpp"

namespace {

using bilevel::Formula;
using bilevel::FormulaParameters;
using bilevel::Index;
using bilevel::Vec;
using bilevel::testing::message_of;
using bilevel::testing::vec;

const Vec kX = vec({0.5, -1.25, 2});
const Vec kY = vec({3, 0.75, -0.5, 1.5});
const FormulaParameters kParameters{{"a", {2.5}}, {"list", {1, -2, 4}}, {"n", {3}}, {"k_2", {7}}};

double value(const std::string& text) { return Formula::parse(text, kParameters)(kX, kY); }

TEST(FormulaParse, PrecedenceIsThatOfMathematics) {
  const struct {
    const char* text;
    double expected;  // small whole numbers and halves: exact
  } cases[] = {
      {"1 + 2*3", 7},     {"(1 + 2)*3", 9}, {"8 - 3 - 2", 3}, {"8 - (3 - 2)", 7},     {"64/4/2", 8},   {"64/(4/2)", 32},
      {"6/2*3", 9},       {"2^3^2", 512},   {"(2^3)^2", 64},  {"-2^2", -4},           {"(-2)^2", 4},   {"2^-1", 0.5},
      {"2^-2^2", 0.0625}, {"2^-1*4", 2},    {"2*-3", -6},     {"2 - -3", 5},          {"--3", 3},      {"+-+3", -3},
      {"-3*-2", 6},       {"2*3^2", 18},    {"-y^2", -9},     {"2 + 3*4^2/8 - 1", 7}, {"1 - 2 + 3", 2}};
  for (const auto& each : cases) EXPECT_EQ(value(each.text), each.expected) << each.text;
}

TEST(FormulaParse, NamesAreEntriesParametersAndConstants) {
  EXPECT_EQ(value("x"), kX[0]);
  EXPECT_EQ(value("y"), kY[0]);
  EXPECT_EQ(value("x3 + y[4]"), kX[2] + kY[3]);
  EXPECT_EQ(value("x[n]"), kX[2]);
  EXPECT_EQ(value("y[2*n - 4]"), kY[1]);
  EXPECT_EQ(value("list[2]*a"), -5);
  EXPECT_EQ(value("a[1] + k_2"), 9.5);
  EXPECT_EQ(value("list[list[3]/2]"), -2);
  EXPECT_EQ(value("pi"), std::numbers::pi);
  EXPECT_EQ(value("e"), std::numbers::e);
  EXPECT_EQ(value("1.5e-3 + .5 + 2."), 2.5015);
  EXPECT_EQ(value(" x\n\t+\r\n y "), 3.5);
  // Up to 1e-9 an index counts as whole: 0.1*30 is 3 + 4e-16.
  EXPECT_EQ(value("x[0.1*30]"), kX[2]);
}

TEST(FormulaParse, Functions) {
  const double y2 = kY[1];
  const struct {
    const char* text;
    double expected;
  } cases[] = {{"sin(y2)", std::sin(y2)},
               {"cos(y2)", std::cos(y2)},
               {"tan(y2)", std::tan(y2)},
               {"exp(y2)", std::exp(y2)},
               {"log(y2)", std::log(y2)},
               {"sqrt(y2)", std::sqrt(y2)},
               {"abs(y3)", 0.5},
               {"tanh(y2)", std::tanh(y2)},
               {"sigmoid(y2)", 1 / (1 + std::exp(-y2))},
               {"huber(y2)", y2 * y2 / 2},
               {"huber(-y)", 2.5},
               {"softplus(y2)", std::log(1 + std::exp(y2))},
               {"square(y)", 9},
               {"min(y, y2)", y2},
               {"max(y3, -1, y2, 0)", y2},
               {"min(2, 1, 3)", 1},
               {"y2^0.3", std::pow(y2, 0.3)},
               {"y2^x1", std::pow(y2, 0.5)},
               {"3^y2", std::pow(3, y2)},
               {"e^y2", std::exp(y2)},
               {"y^-3", 1.0 / 27}};
  // One function each: a few units in the last place between two ways to write it.
  for (const auto& each : cases) EXPECT_NEAR(value(each.text), each.expected, 1e-15 * (1 + each.expected)) << each.text;
}

TEST(FormulaParse, SumsMayBeNestedAndEmpty) {
  EXPECT_EQ(value("sum(i, 1, 3, x[i])"), kX.sum());
  EXPECT_EQ(value("sum(i, 1, 3, i^2)"), 14);
  EXPECT_EQ(value("sum(i, -2, 3, i)"), 3);
  EXPECT_EQ(value("sum(i, 1, 0, x[i])"), 0);
  EXPECT_EQ(value("sum(i, 1, n - 1, y[i+1] - y[i])"), kY[2] - kY[0]);
  EXPECT_EQ(value("sum(i, 1, 4, i*y[5-i])"), kY[3] + 2 * kY[2] + 3 * kY[1] + 4 * kY[0]);
  EXPECT_EQ(value("sum(i, 1, 3, sum(j, i, 3, list[j]*x[i]))"), 3 * 0.5 + 2 * -1.25 + 4 * 2);
  EXPECT_EQ(value("sum(i, 1, 2, x[i])*sum(i, 1, 2, y[i])"), -0.75 * 3.75);
  EXPECT_EQ(value("sum(i, 1, sum(j, 1, 2, 1), x[i])"), -0.75);
}

TEST(FormulaParse, WholePowersAreExactForEverySign) {
  EXPECT_EQ(Formula::parse("y^3")(kX, vec({-3})), -27);
  EXPECT_EQ(Formula::parse("y^2")(kX, vec({-3})), 9);
  EXPECT_EQ(Formula::parse("y^(6/2)")(kX, vec({-2})), -8);
  EXPECT_EQ(Formula::parse("y^0")(kX, vec({0})), 1);
  EXPECT_EQ(Formula::parse("y^10")(kX, vec({-2})), 1024);
  EXPECT_EQ(Formula::parse("y^-2")(kX, vec({-2})), 0.25);
  EXPECT_EQ(Formula::parse("y^101")(kX, vec({-1})), -1);
  EXPECT_TRUE(std::isnan(Formula::parse("y^0.5")(kX, vec({-2}))));
}

TEST(FormulaParse, NonfiniteNumbersPropagateAndAreNeverFoldedAway) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(std::isnan(Formula::parse("0*log(y)")(kX, vec({-1}))));
  EXPECT_TRUE(std::isnan(Formula::parse("y - y")(kX, vec({infinity}))));
  EXPECT_TRUE(std::isnan(Formula::parse("max(log(y), 1)")(kX, vec({-1}))));
  EXPECT_EQ(Formula::parse("1/y")(kX, vec({0})), infinity);
  // Constants meet before the variable only where that neither overflows nor underflows.
  EXPECT_EQ(Formula::parse("1e200*y*1e200")(kX, vec({1e-300})), 1e100);
  EXPECT_EQ(Formula::parse("1e-200*y*1e-200*1e300")(kX, vec({1e200})), 1e100);
}

TEST(FormulaParse, LargestIndicesAndText) {
  const auto f = Formula::parse("x[3] + 0*y[7] + sum(i, 1, 2, y[i])");
  EXPECT_EQ(f.largest_x(), 3);
  EXPECT_EQ(f.largest_y(), 7);
  EXPECT_EQ(f.text(), "x[3] + 0*y[7] + sum(i, 1, 2, y[i])");
  EXPECT_EQ(Formula::parse("3").largest_x(), 0);
  EXPECT_EQ(message_of<bilevel::DimensionMismatch>([&] {
              f(vec({1, 2, 3}), vec({1}));
            }),
            "the formula 'x[3] + 0*y[7] + sum(i, 1, 2, y[i])' needs at least 3 entries of x and 7 of y, but it got 3 "
            "and 1");
  EXPECT_EQ(message_of<bilevel::DimensionMismatch>([&] { bilevel::make_formula_objective("f", f, 3, 6); }),
            "the formula 'x[3] + 0*y[7] + sum(i, 1, 2, y[i])' of objective 'f' uses y[7], but y has 6 entries");
}

// Values computed: the sum of what its instructions compute.
std::size_t numbers_of(const std::string& text) {
  const auto f = Formula::parse(text, kParameters);
  std::size_t count = 0;
  for (const auto& instruction : f.program().instructions) count += instruction.count;
  return count;
}

TEST(FormulaParse, EqualPartsAreComputedOnce) {
  EXPECT_EQ(numbers_of("sin(y)*sin(y)"), 2u);                   // sine, square
  EXPECT_EQ(numbers_of("exp(x*y) + exp(y*x)"), 3u);             // product, exponential, 2 times it
  EXPECT_EQ(numbers_of("2*(3 + 4)^2"), 0u);                     // a constant
  EXPECT_EQ(numbers_of("sum(i, 1, 4, list[3]*y[i]) - 1"), 1u);  // one row
}

TEST(FormulaParse, TermsOfASumShareInstructions) {
  const auto f = Formula::parse("sum(i, 1, 1000, 100*(y[i+1] - y[i]^2)^2 + (1 - y[i])^2)");
  EXPECT_EQ(f.program().instructions.size(), 6u);  // square, 2 kinds of rows, 2 squares, the sum
}

TEST(FormulaParse, LongFormulasAreNoDeepOnes) {
  std::string sum = "y";
  for (int i = 0; i < 20000; ++i) sum += " + y";
  EXPECT_EQ(Formula::parse(sum)(kX, vec({2})), 40002);
}

}  // namespace
