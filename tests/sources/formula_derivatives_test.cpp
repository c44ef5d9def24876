// Derivatives of formulas: by Taylor slope, against differentiated lambdas, and where functions have kinks.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "bilevel/autodiff.hpp"
#include "bilevel/formula.hpp"
#include "probes.hpp"
#include "taylor.hpp"

namespace {

using bilevel::Formula;
using bilevel::FormulaParameters;
using bilevel::Index;
using bilevel::Objective;
using bilevel::Oracle;
using bilevel::Random;
using bilevel::Vec;
using bilevel::autodiff::value_of;
using bilevel::testing::random_vec;
using bilevel::testing::vec;

using ObjectivePtr = std::shared_ptr<const Objective>;

ObjectivePtr objective(const std::string& text, Index n, Index m, const FormulaParameters& parameters = {}) {
  return bilevel::make_formula_objective("f", Formula::parse(text, parameters), n, m);
}

TEST(FormulaDerivatives, TaylorSlopes) {
  const FormulaParameters parameters{{"a", {0.7}}, {"b", {0.3, -0.2, 0.5, 0.1, -0.4, 0.6}}};
  const char* texts[] = {
      "3",
      "x + 2*y2",
      "x*y - x2*y3 + y^2",
      "sin(x*y) + cos(y2 - x2)",
      "tan(0.3*x*y) + tanh(y - x)*y2",
      "exp(-0.5*y^2)*x + log(2 + x^2 + y2^2)",
      "sqrt(1 + x^2 + y^2*y2^2)",
      "sigmoid(x*y) + softplus(y2 - 2*x2)*y",
      "huber(0.2*y*x + 0.1*y2) + huber(3 + 0.1*x*y)",
      "square(y + x*y2) - abs(5 + x*y)",
      "min(x*y, 10 + y2, x - 10) + max(x2*y2, y3 - 20)",
      "x/(2 + y^2) + y/(3 + x^2 + y2^2) + y*y2/(4 + x*x2)",
      "1/(2 + x*y + y^2 + x^2) - 3/(5 + sin(y2))",
      "(x + y)^3 - (x*y2)^5 + (2 + y^2)^-2 + (3 + x2^2)^-1",
      "(2 + y^2)^0.7 + (1 + x^2)^-1.3",
      "2^(y*x) + e^(0.3*y2) + a^(x + y3)",
      "(2 + y^2)^(x*y2) + (1 + sigmoid(x))^tanh(y)",
      "sum(i, 1, 3, sin(y[i])*cos(x))*sum(i, 1, 2, x[i]*y[i+1])",
      "sum(i, 1, 2, (tanh(sum(j, 1, 3, b[(i-1)*3+j]*y[j])) - x[i])^2)",
      "sum(i, 1, 12, sin(0.1*i*x + y2)*(y + i*y3/12)^2)",
      "sum(i, 1, 12, (x + 0.1*i*y)/(2 + (0.1*i + y2)^2) + (2 + tanh(i*y))^(0.1*x*i))",
      "log2(2 + x^2 + y*y) + log10(3 + y2^2)*x + log1p(x^2*y2^2)",
      "expm1(x*y) + expm1(-0.1*y2)*y",
      "asin(0.2*tanh(x*y)) + acos(0.9*sin(y2))*x + atan(x - 2*y)",
      "sinh(x*y)*cosh(y2) + asinh(x + 3*y) + acosh(2 + y^2) + atanh(0.9*sin(y2 + x))",
      "cbrt(2 + x^2 + y2^2) + erf(x*y) - erfc(y2 + x2)*y",
      "if(x > y, (x - y)^2, -(x - y)^2)*y2 + if(10 < y, sqrt(-1 - y^2), y*x2)",
      "sum(i, 1, 12, if(i <= 6 or y > 100, sin(i*y), cos(i*x)))",
      "if(not (x < 100) and y < 5, exp(y), if(y2 >= -100, x*y^2, 0))",
  };
  std::uint64_t seed = 1;
  for (const char* text : texts) {
    SCOPED_TRACE(text);
    Random random(seed);
    const auto f = objective(text, 2, 3, parameters);
    bilevel::testing::expect_consistent_oracles(*f, random_vec(2, random, 0.7), random_vec(3, random, 0.7), ++seed);
  }
}

void expect_same(const Vec& a, const Vec& b, const char* what) {
  // The same formulas in another order of operations: some units in the last place.
  EXPECT_LE((a - b).norm(), 1e-13 * (1 + b.norm())) << what << ": " << a.transpose() << " and " << b.transpose();
}

// Equal oracles at (x, y), NaN and infinity included.
void expect_same_oracles(const Objective& f, const Objective& g, const Vec& x, const Vec& y, Random& random) {
  const auto want = Oracle::value | Oracle::grad_x | Oracle::grad_y;
  const auto a = f.linearize(x, y, bilevel::full, want), b = g.linearize(x, y, bilevel::full, want);
  EXPECT_NEAR(*a.evaluation().value, *b.evaluation().value, 1e-13 * (1 + std::abs(*b.evaluation().value)));
  expect_same(*a.evaluation().grad_x, *b.evaluation().grad_x, "grad_x");
  expect_same(*a.evaluation().grad_y, *b.evaluation().grad_y, "grad_y");
  const Vec u = random_vec(x.size(), random), v = random_vec(y.size(), random);
  expect_same(a.hess_yy(v), b.hess_yy(v), "hess_yy");
  expect_same(a.hess_xy(v), b.hess_xy(v), "hess_xy");
  expect_same(a.hess_yx(u), b.hess_yx(u), "hess_yx");
}

TEST(FormulaDerivatives, AreThoseOfDifferentiatedLambdas) {
  const auto same = [](const char* text, auto lambda) {
    SCOPED_TRACE(text);
    const auto f = objective(text, 1, 2);
    const auto g = bilevel::make_objective("lambda", 1, 2, lambda);
    Random random(7);
    for (int i = 0; i < 30; ++i) {
      expect_same_oracles(*f, *g, random_vec(1, random, 1.5), random_vec(2, random, 1.5), random);
    }
  };
  same("sin(x*y) + cos(x)*tan(0.2*y2)", [](auto x, auto y) { return sin(x[0] * y[0]) + cos(x[0]) * tan(0.2 * y[1]); });
  same("exp(x*y2) + log(1 + y^2)", [](auto x, auto y) { return exp(x[0] * y[1]) + log(1 + y[0] * y[0]); });
  same("sqrt(1 + y^2)*abs(x*y2)", [](auto x, auto y) { return sqrt(1 + square(y[0])) * abs(x[0] * y[1]); });
  same("tanh(x*y) + sigmoid(4*y2)*softplus(5*x)",
       [](auto x, auto y) { return tanh(x[0] * y[0]) + sigmoid(4 * y[1]) * softplus(5 * x[0]); });
  same("huber(x*y*y2) + square(x - y)", [](auto x, auto y) { return huber(x[0] * y[0] * y[1]) + square(x[0] - y[0]); });
  same("min(x, y, y2)*max(x*y, y2)",
       [](auto x, auto y) { return min(min(x[0], y[0]), y[1]) * max(x[0] * y[0], y[1]); });
  same("x^3 + y^-2 + (1 + y2^2)^0.3 + 3^x",
       [](auto x, auto y) { return pow(x[0], 3) + pow(y[0], -2) + pow(1 + square(y[1]), 0.3) + pow(3.0, x[0]); });
  same("log2(1 + x^2) + log10(1 + y^2) + log1p(y2^2)*expm1(x)", [](auto x, auto y) {
    return log2(1 + square(x[0])) + log10(1 + square(y[0])) + log1p(square(y[1])) * expm1(x[0]);
  });
  same("asin(sin(x)/2) + acos(sin(y)/3)*atan(y2)",
       [](auto x, auto y) { return asin(sin(x[0]) / 2) + acos(sin(y[0]) / 3) * atan(y[1]); });
  same("sinh(x)*cosh(y) + asinh(y2) + acosh(2 + y^2) + atanh(sin(x)/2)", [](auto x, auto y) {
    return sinh(x[0]) * cosh(y[0]) + asinh(y[1]) + acosh(2 + square(y[0])) + atanh(sin(x[0]) / 2);
  });
  same("cbrt(x*y) + erf(y2*x) - erfc(y)",
       [](auto x, auto y) { return cbrt(x[0] * y[0]) + erf(y[1] * x[0]) - erfc(y[0]); });
  same("if(x < y and y2 <= 0.2, x*y, exp(y2*x))", [](auto x, auto y) {
    return select(value_of(x[0]) < value_of(y[0]) && value_of(y[1]) <= 0.2, x[0] * y[0], exp(y[1] * x[0]));
  });
  same("(1 + x^2)^(y*y2) + x/y - 2/y2",
       [](auto x, auto y) { return pow(1 + square(x[0]), y[0] * y[1]) + x[0] / y[0] - 2 / y[1]; });
}

double grad(const char* text, double y) { return objective(text, 0, 1)->grad_y(Vec(0), vec({y}))[0]; }
double hess(const char* text, double y) { return objective(text, 0, 1)->hess_yy(Vec(0), vec({y}), vec({1}))[0]; }

TEST(FormulaDerivatives, AtPointsWithoutADerivative) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(grad("abs(y)", 0), 0);
  EXPECT_EQ(hess("abs(y)", 0), 0);
  EXPECT_EQ(grad("huber(y)", 1), 1);
  EXPECT_EQ(hess("huber(y)", 1), 0);
  EXPECT_EQ(hess("huber(y)", 0.5), 1);
  EXPECT_EQ(grad("max(y, 2*y)", 0), 2);  // at a tie the last one's
  EXPECT_EQ(grad("min(y, 2*y)", 0), 2);
  EXPECT_EQ(grad("sqrt(y)", 0), infinity);
  EXPECT_EQ(grad("y^2", 0), 0);
  EXPECT_EQ(hess("y^2", 0), 2);
  EXPECT_EQ(hess("y^3", 0), 0);
  EXPECT_EQ(grad("y^3", -2), 12);
  EXPECT_EQ(hess("y^3", -2), -12);
  EXPECT_EQ(grad("abs(y)^1.5", 0), 0);
  EXPECT_TRUE(std::isnan(grad("log(y)", -1)));
  // 0 * infinity: the honest answer of a chain rule at sqrt(0)^2 is no number, and not 0.
  EXPECT_TRUE(std::isnan(grad("square(sqrt(y))", 0)));
  EXPECT_TRUE(std::isnan(grad("0*sqrt(y)", 0)));
}

TEST(FormulaDerivatives, WhatMinAndMaxDoNotChooseHasNoSay) {
  EXPECT_EQ(grad("max(sqrt(y), y + 1)", 0), 1);
  EXPECT_EQ(hess("max(sqrt(y), y^2 + 1)", 0), 2);
  EXPECT_EQ(grad("min(sqrt(y) + 5, 3*y)", 0), 3);
  EXPECT_EQ(hess("y^2 + max(sqrt(y)*log(y + 1), 2)", 0), 2);
  EXPECT_EQ(grad("max(1/y, -1/y, 3)", 1e-3), -1e6);
  EXPECT_EQ(grad("sqrt(y) + max(sqrt(y), 2)", 0), std::numeric_limits<double>::infinity());
}

double value(const char* text, double y) { return objective(text, 0, 1)->value(Vec(0), vec({y})); }

// Against the closed form to a few units in the last place: what a difference of nearly equal numbers would not give.
TEST(FormulaDerivatives, KeepTheirDigitsNearSingularPoints) {
  const auto same = [](double computed, double expected) { EXPECT_NEAR(computed / expected, 1, 4e-16); };
  for (const double y : {1e-12, -1e-12, 3e-300}) {
    same(value("log1p(y)", y), y * (1 - y / 2));
    same(value("expm1(y)", y), y * (1 + y / 2));
  }
  same(grad("log1p(y)", 1e-9), 1 / (1 + 1e-9));
  same(hess("log1p(y)", -0.75), -16);
  same(grad("log1p(y)", -1 + 0x1p-40), 0x1p40);
  same(grad("expm1(y)", -40), std::exp(-40.0));
  same(hess("expm1(y)", -40), std::exp(-40.0));
  same(grad("asin(y)", 1 - 0x1p-40), 1 / std::sqrt(0x1p-39 - 0x1p-80));
  same(grad("acosh(y)", 1 + 0x1p-40), 1 / std::sqrt(0x1p-39 + 0x1p-80));
  same(grad("atanh(y)", 1 - 0x1p-40), 1 / (0x1p-39 - 0x1p-80));
  same(grad("asinh(y)", 1e200), 1e-200);
  same(value("erfc(y)", 20), std::erfc(20.0));
  same(grad("log2(y)", 1e-300), 1 / (1e-300 * std::log(2.0)));
  same(hess("log10(y)", 4), -1 / (16 * std::log(10.0)));
}

TEST(FormulaDerivatives, BeyondTheirDomainFunctionsHaveNoDerivative) {
  for (const char* text : {"log2(y)", "log10(y)", "log1p(y)", "asin(y)", "acos(y)", "acosh(y)", "atanh(y)"}) {
    EXPECT_TRUE(std::isnan(value(text, -2))) << text;
    EXPECT_TRUE(std::isnan(grad(text, -2))) << text;
    EXPECT_TRUE(std::isnan(hess(text, -2))) << text;
  }
  EXPECT_EQ(grad("cbrt(y)", 0), std::numeric_limits<double>::infinity());
}

TEST(FormulaDerivatives, AChoiceHasThoseOfTheBranchThatItTakes) {
  EXPECT_EQ(grad("if(y > 0, 3*y, y^2)", 2), 3);
  EXPECT_EQ(grad("if(y > 0, 3*y, y^2)", 0), 0);  // at the switch the condition decides
  EXPECT_EQ(grad("if(y >= 0, 3*y, y^2)", 0), 3);
  EXPECT_EQ(hess("if(y >= 0, 3*y, y^2)", -1), 2);
  // Neither the other branch nor the condition has a say, finite or not.
  EXPECT_EQ(value("if(y > 0, sqrt(y), y^2)", -3), 9);
  EXPECT_EQ(grad("if(y > 0, sqrt(y), y^2)", -3), -6);
  EXPECT_EQ(grad("if(sqrt(y) < 1, 2*y, 5*y)", 0), 2);
  EXPECT_EQ(hess("if(1/y > 0 or y < 1, y^2, log(y))", 0), 2);
  // An unknown condition is no condition.
  EXPECT_TRUE(std::isnan(value("if(log(y) < 1, 2*y, 5*y)", -1)));
  EXPECT_TRUE(std::isnan(grad("if(log(y) < 1, 2*y, 5*y)", -1)));
  EXPECT_TRUE(std::isnan(value("if(not (log(y) < 1 and y < 0), 2*y, 5*y)", -1)));
}

TEST(FormulaDerivatives, EntriesThatTheFormulaDoesNotUse) {
  const auto f = objective("x2*y^2", 4, 3);
  const Vec x = vec({1, 2, 3, 4}), y = vec({5, 6, 7});
  EXPECT_EQ(f->grad_x(x, y), vec({0, 25, 0, 0}));
  EXPECT_EQ(f->grad_y(x, y), vec({20, 0, 0}));
  EXPECT_EQ(f->hess_yy(x, y, vec({1, 1, 1})), vec({4, 0, 0}));
  EXPECT_EQ(f->hess_xy(x, y, vec({1, 1, 1})), vec({0, 10, 0, 0}));
  EXPECT_EQ(f->hess_yx(x, y, vec({1, 1, 1, 1})), vec({10, 0, 0}));
  const auto constant = objective("4", 0, 1);
  EXPECT_EQ(constant->value(Vec(0), vec({1})), 4);
  EXPECT_EQ(constant->grad_y(Vec(0), vec({1})), vec({0}));
}

TEST(FormulaDerivatives, SeveralThreadsAndLinearizationsDoNotMeet) {
  const auto f = objective("sum(i, 1, 20, sin(i*y)*x)", 1, 1);
  const auto here = f->linearize(vec({1}), vec({0.3}));
  const double expected = here.hess_yy(vec({1}))[0];
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        const auto there = f->linearize(vec({1}), vec({0.1 * static_cast<double>(t)}));
        wrong[t] += here.hess_yy(vec({1}))[0] != expected;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST(FormulaDerivatives, BytesOfALinearizationGrowWithTheFormula) {
  const auto bytes = [](const char* text) { return objective(text, 0, 1)->linearization_bytes(); };
  // 1000 sines: their values, adjoints, two derivatives, and the same without derivatives for i*y.
  EXPECT_NEAR(static_cast<double>(bytes("sum(i, 1, 1000, sin(i*y))")), 1000 * 6 * 8, 300);
}

}  // namespace
