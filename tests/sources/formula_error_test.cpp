// Every sentence about a mistake, with its line, its column, the line itself and the caret under it.
#include <gtest/gtest.h>

#include <string>

#include "bilevel/formula.hpp"
#include "bilevel/status.hpp"
#include "message_of.hpp"

namespace {

using bilevel::Formula;
using bilevel::FormulaParameters;
using bilevel::testing::message_of;

const FormulaParameters kParameters{{"a", {2.5}}, {"list", {1, -2, 4}}, {"nothing", {}}, {"gamma", {1}}};

std::string error(const std::string& text) {
  return message_of<bilevel::InvalidInput>([&] { Formula::parse(text, kParameters, "f"); });
}
// Without the line and the caret.
std::string sentence(const std::string& text) {
  const auto whole = error(text);
  return whole.substr(0, whole.find('\n'));
}

TEST(FormulaErrors, PointAtTheMistake) {
  EXPECT_EQ(error("x + 2y"),
            "f:1:6: an operator is missing here: for the product write 2*y\n"
            "    x + 2y\n"
            "         ^");
  EXPECT_EQ(error("x +\n  2*sinn(y) +\n  1"),
            "f:2:5: unknown function 'sinn'; did you mean 'sin'?\n"
            "      2*sinn(y) +\n"
            "        ^");
  // Columns count characters: the minus sign U+2212 has three bytes.
  EXPECT_EQ(error("\xE2\x88\x92x"),
            "f:1:1: this is a minus sign beyond ASCII (U+2212): write -\n"
            "    \xE2\x88\x92x\n"
            "    ^");
  EXPECT_EQ(sentence("x\t+ $"),
            "f:1:5: '$' has no place in a formula: a formula has + - * / ^ ( ) [ ] and commas "
            "beside numbers and names");
}

TEST(FormulaErrors, LongLinesAreShownInPart) {
  const std::string text = std::string(200, ' ') + "x $ " + std::string(200, ' ');
  EXPECT_EQ(error(text), sentence(text) + "\n    ..." + std::string(58, ' ') + "x $" + std::string(39, ' ') +
                             "...\n       " + std::string(60, ' ') + "^");
  EXPECT_EQ(sentence(text).substr(0, 8), "f:1:203:");
}

TEST(FormulaErrors, Sentences) {
  const struct {
    const char* text;
    const char* expected;
  } cases[] = {
      {"", "f:1:1: the formula is empty: write an expression in x and y"},
      {" \n ", "f:1:1: the formula is empty: write an expression in x and y"},
      {"3(x+1)", "f:1:2: an operator is missing here: for the product write 3*(...)"},
      {"(x+1)(x-1)", "f:1:6: an operator is missing here: for the product write (...)*(...)"},
      {"(x+1)y", "f:1:6: an operator is missing here: for the product write (...)*y"},
      {"2e", "f:1:2: an operator is missing here: for the product write 2*e"},
      {"x[1]y", "f:1:5: an operator is missing here: a product is written with *"},
      {"x**2", "f:1:2: a power is not written **: write ^"},
      {"x = 3", "f:1:3: '=' has no place in a formula: a formula is one expression, without an equality"},
      {"x < 3", "f:1:3: a comparison is no number of its own: it is the condition of a choice, if(y > 0, a, b)"},
      {"(x >= 3)*y", "f:1:4: a comparison is no number of its own: it is the condition of a choice, if(y > 0, a, b)"},
      {"if(y, 1, x)", "f:1:4: a condition is needed here: a comparison such as y > 0"},
      {"if(y > 0 and x, 1, x)", "f:1:14: a condition is needed here: a comparison such as y > 0"},
      {"if(0 < y < 1, 1, x)", "f:1:10: comparisons are not chained: for 0 < y < 1 write 0 < y and y < 1"},
      {"if(y > 0, x)",
       "f:1:1: if takes 3 arguments, but here it has 2: if(condition, a, b) is a where the condition holds, else b"},
      {"if y > 0", "f:1:1: if is a function: write if(condition, a, b)"},
      {"x if y > 0 else y", "f:1:3: a choice is written if(condition, a, b): a where the condition holds, else b"},
      {"if(x == y, 1, x)",
       "f:1:6: == and != compare indices and parameters only: what is computed from x and y is equal by accident; "
       "write abs(a - b) < 0.001"},
      {"if(x > 0 && y > 0, 1, x)", "f:1:10: '&' has no place in a formula: write and between conditions"},
      {"if(x \xE2\x89\xA4 0, 1, x)", "f:1:6: this is a comparison beyond ASCII (U+2264): write <="},
      {"x > 0 ? 1 : y", "f:1:7: '?' has no place in a formula: a choice is written if(condition, a, b)"},
      {"sum(if, 1, 3, x)", "f:1:5: 'if' cannot name the index of a sum: it is a function"},
      {"sum(and, 1, 3, x)", "f:1:5: 'and' cannot name the index of a sum: it is an operator"},
      {"round(x)",
       "f:1:1: formulas have no function 'round': its derivative is zero wherever it has one, so that no gradient "
       "could tell the leader where to move"},
      {"mod(x, 2)", "f:1:1: formulas have no function 'mod': it jumps, and its derivative says nothing of the jumps"},
      {"ln(x)", "f:1:1: formulas have no function 'ln': the natural logarithm is log(a)"},
      {"atan2(x, y)", "f:1:1: formulas have no function 'atan2': write atan(a/b) where b > 0"},
      {"log3(x)",
       "f:1:1: unknown function 'log3'; a formula knows x, y, pi, e, functions, and here a, gamma, list, nothing"},
      {"np.sin(x)", "f:1:1: functions are written without 'np.' before their name"},
      {"{x}", "f:1:1: '{' has no place in a formula: only ( and ) group"},
      {"x\x01", "f:1:2: the control character 0x01 has no place in a formula"},
      {"x\xff", "f:1:2: the byte 0xff is no character of UTF-8"},
      {"x\xC3\x97y", "f:1:2: this is a multiplication sign (U+00D7): write *"},
      {"x\xC2\xB2", "f:1:2: this is a raised 2 (U+00B2): write ^2"},
      {"x\xC2\xA0+1", "f:1:2: this is a space beyond ASCII (U+00A0): write a plain space"},
      {"\xC3\xA4", "f:1:1: the character U+00E4 has no place in a formula, which is written in ASCII"},
      {"1..2", "f:1:1: '1..' is no number: it has two points or a point in its exponent"},
      {".", "f:1:1: a point without digits is no number"},
      {"1e999", "f:1:1: '1e999' is too large or too small for a number of 64 bits"},
      {"1,5*x",
       "f:1:2: ',' is not expected here: commas separate arguments of a function, and numbers have a decimal "
       "point"},
      {"(x+1", "f:1:1: this parenthesis is never closed"},
      {"sin(x", "f:1:4: this parenthesis is never closed"},
      {"x[1", "f:1:2: this bracket is never closed"},
      {"x+1)", "f:1:4: this ) closes nothing: no parenthesis is open here"},
      {"x+1]", "f:1:4: this ] closes nothing: no bracket is open here"},
      {"sin(x)[1]", "f:1:7: only x, y and parameters have entries, and each takes one index"},
      {"()", "f:1:2: a number, a name or ( is expected here, but there is ')'"},
      {"x + * y", "f:1:5: a number, a name or ( is expected here, but there is '*'"},
      {"x +", "f:1:4: the formula ends where a number, a name or ( is expected"},
      {"gama*x", "f:1:1: unknown name 'gama'; did you mean 'gamma'?"},
      {"z", "f:1:1: unknown name 'z'; a formula knows x, y, pi, e, functions, and here a, gamma, list, nothing"},
      {"y(3)", "f:1:2: y is a variable, not a function: write y*(...) for a product and y[...] for an entry"},
      {"x2(3)", "f:1:3: x2 is a variable, not a function: write x2*(...) for a product"},
      {"x1[3]", "f:1:3: x1 is one entry already: write x[...]"},
      {"sin", "f:1:1: sin is a function: write sin(...)"},
      {"sin x", "f:1:1: sin is a function: write sin(...)"},
      {"max + 1", "f:1:1: max is a function: write max(..., ...)"},
      {"sin(x, y)", "f:1:1: sin takes one argument, but here it has 2"},
      {"sin()", "f:1:1: sin takes one argument, but here it has 0"},
      {"min(x)", "f:1:1: min takes two or more arguments, but here it has 1"},
      {"list", "f:1:1: 'list' is a list: write list[1] to list[3]"},
      {"nothing", "f:1:1: the parameter 'nothing' is an empty list"},
      {"list[4]", "f:1:6: the parameter 'list' has the entries 1 to 3, but here the index is 4"},
      {"list[0]", "f:1:6: the parameter 'list' has the entries 1 to 3, but here the index is 0"},
      {"x[0]", "f:1:3: entries of x count from 1, but here the index is 0"},
      {"x0", "f:1:1: entries of x count from 1, but here the index is 0"},
      {"y[-2]", "f:1:3: entries of y count from 1, but here the index is -2"},
      {"y[1.5]", "f:1:3: an index of y must be a whole number, but here it is 1.5"},
      {"x[y]",
       "f:1:3: an index of x must be known without x and y: it may use whole numbers, indices of sums and "
       "parameters"},
      {"x[2e9]", "f:1:3: an index of x must lie within +-1000000000, but here it is 2000000000"},
      {"x99999999", "f:1:1: the index 99999999 of x is too large: at most 5000000 is allowed"},
      {"sum", "f:1:1: sum is a function: write sum(i, from, to, term)"},
      {"sum(", "f:1:1: a sum begins with the name of its index and a comma: sum(i, from, to, term)"},
      {"sum(1, 2, 3)", "f:1:5: a sum begins with the name of its index and a comma: sum(i, from, to, term)"},
      {"sum(i, 1, 3)", "f:1:1: sum takes 4 arguments, but here it has 3: sum(i, from, to, term)"},
      {"sum(i, 1, 3, i, i)", "f:1:15: sum takes 4 arguments, but here it has more: sum(i, from, to, term)"},
      {"sum(i, 1, 3, i", "f:1:4: this parenthesis is never closed"},
      {"sum(x, 1, 3, x)", "f:1:5: 'x' cannot name the index of a sum: it is a variable"},
      {"sum(e, 1, 3, e)", "f:1:5: 'e' cannot name the index of a sum: it is a constant"},
      {"sum(a, 1, 3, a)", "f:1:5: 'a' cannot name the index of a sum: it is a parameter"},
      {"sum(sin, 1, 3, x)", "f:1:5: 'sin' cannot name the index of a sum: it is a function"},
      {"sum(i, 1, 3, sum(i, 1, 2, i))",
       "f:1:18: 'i' cannot name the index of a sum: it is the index of a sum around it"},
      {"sum(i, 1, y, 1)",
       "f:1:11: a bound of the sum over i must be known without x and y: it may use whole numbers, indices of sums and "
       "parameters"},
      {"sum(i, 1, a, 1)", "f:1:11: a bound of the sum over i must be a whole number, but here it is 2.5"},
      {"i + sum(i, 1, 3, i)",
       "f:1:1: unknown name 'i'; a formula knows x, y, pi, e, functions, and here a, gamma, list, nothing"},
      {"x/(1 - 1)", "f:1:6: this divides by the constant 0"},
      {"y + log(-1)", "f:1:5: this part is constant, but its value is not a number"},
      {"y*exp(1000)", "f:1:3: this part is constant, but its value is infinite"},
      {"0^-1", "f:1:2: this part is constant, but its value is infinite"},
  };
  for (const auto& each : cases) EXPECT_EQ(sentence(each.text), each.expected) << each.text;
}

TEST(FormulaErrors, AbsurdNestingIsRefused) {
  const auto refused = [](const std::string& text) {
    return sentence(text).find("the formula is nested more than 200 levels deep") != std::string::npos;
  };
  const auto repeated = [](const std::string& part, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += part;
    return text;
  };
  EXPECT_TRUE(refused(repeated("(", 100000)));
  EXPECT_TRUE(refused(repeated("-", 100000) + "x"));
  EXPECT_TRUE(refused(repeated("sin(", 100000)));
  EXPECT_TRUE(refused(repeated("x[", 100000)));
  EXPECT_TRUE(refused("2" + repeated("^2", 100000)));
  EXPECT_TRUE(refused("if(" + repeated("not ", 100000) + "x > 0, 1, y)"));
  EXPECT_TRUE(refused(repeated("if(x > 0, y, ", 100000)));
  // What is long but not deep is no matter.
  EXPECT_NO_THROW(Formula::parse("x" + repeated(" + y*x", 100000)));
  EXPECT_NO_THROW(Formula::parse("if(x > 0" + repeated(" and y < 3 or x < y", 50000) + ", 1, y)"));
  EXPECT_NO_THROW(Formula::parse(repeated("(", 150) + "x" + repeated(")", 150)));
}

TEST(FormulaErrors, SentencesStayShortForLongMistakes) {
  const std::string long_name(300'000, 'q'), long_number = std::string(300'000, '1') + "..";
  for (const auto& text :
       {long_name, long_number, "x + " + long_name + "(y)", "sum(" + long_name + "(", "1e" + long_number}) {
    EXPECT_LT(error(text).size(), 500u);
  }
  EXPECT_LT(message_of<bilevel::InvalidInput>([&] { Formula::parse("x", {{long_name + "\x1b", {1}}}); }).size(), 500u);
  const auto long_formula = Formula::parse("y2 + 0*" + std::string(300'000, ' ') + "y");
  EXPECT_LT(message_of<bilevel::DimensionMismatch>([&] { long_formula(bilevel::Vec(0), bilevel::Vec(0)); }).size(),
            300u);
  EXPECT_LT(
      message_of<bilevel::DimensionMismatch>([&] { bilevel::make_formula_objective("f", long_formula, 1, 1); }).size(),
      300u);
}

TEST(FormulaErrors, AbsurdSizeIsRefusedWithTheNumber) {
  EXPECT_EQ(sentence("sum(i, 1, 3000, sum(j, 1, 3000, y))"),
            "f:1:17: the formula makes 9009003 operations, its sums written out; at most 5000000 are allowed");
  // These would take years to count; what was counted so far is more than enough.
  for (const char* text : {"sum(i, 1, 1e9, sum(j, 1, 3e6, y))", "sum(i, 1, sum(j, 1, 1e9, 1), y)",
                           "sum(i, 1, 1e8, sum(k, 1, sum(j, 1, 1000, 1), y))"}) {
    EXPECT_NE(sentence(text).find("the formula makes more than "), std::string::npos) << text;
  }
}

TEST(FormulaErrors, ParametersMustHaveFreeNamesAndFiniteValues) {
  const auto refused = [](const FormulaParameters& parameters) {
    const auto whole = message_of<bilevel::InvalidInput>([&] { Formula::parse("x", parameters); });
    return whole.substr(0, whole.find('\n'));
  };
  EXPECT_EQ(refused({{"sin", {1}}}), "formula:1:1: 'sin' cannot name a parameter: it is a function of formulas");
  EXPECT_EQ(refused({{"sum", {1}}}), "formula:1:1: 'sum' cannot name a parameter: it is a function of formulas");
  EXPECT_EQ(refused({{"pi", {1}}}), "formula:1:1: 'pi' cannot name a parameter: it is a constant of formulas");
  EXPECT_EQ(refused({{"y12", {1}}}), "formula:1:1: 'y12' cannot name a parameter: it is a variable of formulas");
  EXPECT_EQ(refused({{"a b", {1}}}),
            "formula:1:1: 'a b' cannot name a parameter: a name is a letter followed by letters, digits and _");
  EXPECT_EQ(refused({{"b", {1, 1.0 / 0.0}}}),
            "formula:1:1: the parameter 'b' must be finite, but it holds NaN or infinity");
}

}  // namespace
