// Every elementary function against its first and second derivative in closed form, at ordinary and at edge points.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "bilevel/autodiff.hpp"

namespace {

using bilevel::Vec;
using bilevel::autodiff::value_of;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Vec one(double value) { return Vec::Constant(1, value); }

// 8 roundings of relative size 1e-16 each, amplified by at most 10 at the points chosen.
void expect_same(double actual, double expected, const std::string& what) {
  if (!std::isfinite(expected)) {
    EXPECT_EQ(std::isnan(actual), std::isnan(expected)) << what << ": " << actual << ", not " << expected;
    if (std::isinf(expected)) {
      EXPECT_EQ(actual, expected) << what;
    }
    return;
  }
  EXPECT_NEAR(actual, expected, 1e-14 * (1 + std::abs(expected))) << what;
}

// f(y), and f(x y) through a node of the tape, at each point {t, f(t), f'(t), f''(t)}.
struct Point {
  double t, value, first, second;
};

template <typename Function>
void expect_derivatives(const std::string& name, Function f, const std::vector<Point>& points) {
  const auto plain = bilevel::make_objective(name, 0, 1, [f](auto, auto y) { return f(y[0]); });
  const auto folded = bilevel::make_objective(name, 1, 1, [f](auto x, auto y) { return f(x[0] * y[0]); });
  for (const auto& [t, value, first, second] : points) {
    const std::string what = name + " at " + std::to_string(t);
    expect_same(plain->value(Vec(0), one(t)), value, what + ": value");
    expect_same(plain->grad_y(Vec(0), one(t))[0], first, what + ": first derivative");
    expect_same(plain->hess_yy(Vec(0), one(t), one(1))[0], second, what + ": second derivative");
    if (!std::isfinite(first) || !std::isfinite(second)) continue;
    const double x = 2, y = t / 2;
    expect_same(folded->grad_x(one(x), one(y))[0], y * first, what + ": d/dx");
    expect_same(folded->grad_y(one(x), one(y))[0], x * first, what + ": d/dy");
    expect_same(folded->hess_yy(one(x), one(y), one(1))[0], x * x * second, what + ": d2/dy2");
    expect_same(folded->hess_xy(one(x), one(y), one(1))[0], first + x * y * second, what + ": d2/dxdy");
    expect_same(folded->hess_yx(one(x), one(y), one(1))[0], first + x * y * second, what + ": d2/dydx");
  }
}

template <typename Value, typename First, typename Second>
std::vector<Point> points(std::initializer_list<double> where, Value f, First df, Second ddf) {
  std::vector<Point> result;
  for (const double t : where) result.push_back({t, f(t), df(t), ddf(t)});
  return result;
}

TEST(AutodiffFunctions, TrigonometricFunctions) {
  const auto sine = [](double t) { return std::sin(t); };
  const auto cosine = [](double t) { return std::cos(t); };
  expect_derivatives(
      "sin", [](auto a) { return sin(a); },
      points({-2, 0, 0.7, 3}, sine, cosine, [](double t) { return -std::sin(t); }));
  expect_derivatives(
      "cos", [](auto a) { return cos(a); },
      points(
          {-2, 0, 0.7, 3}, cosine, [](double t) { return -std::sin(t); }, [](double t) { return -std::cos(t); }));
  expect_derivatives(
      "tan", [](auto a) { return tan(a); },
      points(
          {-1.2, 0, 0.7}, [](double t) { return std::tan(t); }, [](double t) { return 1 / std::pow(std::cos(t), 2); },
          [](double t) { return 2 * std::sin(t) / std::pow(std::cos(t), 3); }));
  expect_derivatives(
      "asin", [](auto a) { return asin(a); },
      points(
          {-0.9, 0, 0.5}, [](double t) { return std::asin(t); }, [](double t) { return 1 / std::sqrt(1 - t * t); },
          [](double t) { return t / std::pow(1 - t * t, 1.5); }));
  expect_derivatives(
      "acos", [](auto a) { return acos(a); },
      points(
          {-0.9, 0, 0.5}, [](double t) { return std::acos(t); }, [](double t) { return -1 / std::sqrt(1 - t * t); },
          [](double t) { return -t / std::pow(1 - t * t, 1.5); }));
  expect_derivatives("asin", [](auto a) { return asin(a); }, {{1, std::asin(1.0), kInfinity, kInfinity}});
  expect_derivatives(
      "atan", [](auto a) { return atan(a); },
      points(
          {-3, 0, 0.5, 1e3}, [](double t) { return std::atan(t); }, [](double t) { return 1 / (1 + t * t); },
          [](double t) { return -2 * t / std::pow(1 + t * t, 2); }));
}

TEST(AutodiffFunctions, ExponentialFunctions) {
  const auto exponential = [](double t) { return std::exp(t); };
  expect_derivatives(
      "exp", [](auto a) { return exp(a); }, points({-3, 0, 2}, exponential, exponential, exponential));
  expect_derivatives(
      "expm1", [](auto a) { return expm1(a); },
      points(
          {-40, -1e-9, 0, 2}, [](double t) { return std::expm1(t); }, exponential, exponential));
  expect_derivatives(
      "log", [](auto a) { return log(a); },
      points(
          {1e-3, 1, 5}, [](double t) { return std::log(t); }, [](double t) { return 1 / t; },
          [](double t) { return -1 / (t * t); }));
  expect_derivatives(
      "log1p", [](auto a) { return log1p(a); },
      points(
          {-0.5, 1e-12, 5}, [](double t) { return std::log1p(t); }, [](double t) { return 1 / (1 + t); },
          [](double t) { return -1 / ((1 + t) * (1 + t)); }));
  expect_derivatives(
      "sinh", [](auto a) { return sinh(a); },
      points(
          {-2, 0, 1}, [](double t) { return std::sinh(t); }, [](double t) { return std::cosh(t); },
          [](double t) { return std::sinh(t); }));
  expect_derivatives(
      "cosh", [](auto a) { return cosh(a); },
      points(
          {-2, 0, 1}, [](double t) { return std::cosh(t); }, [](double t) { return std::sinh(t); },
          [](double t) { return std::cosh(t); }));
  expect_derivatives(
      "tanh", [](auto a) { return tanh(a); },
      points(
          {-2, 0, 0.3, 40}, [](double t) { return std::tanh(t); },
          [](double t) { return 1 / std::pow(std::cosh(t), 2); },
          [](double t) { return -2 * std::tanh(t) / std::pow(std::cosh(t), 2); }));
  const auto logistic = [](double t) { return 1 / (1 + std::exp(-t)); };
  const auto slope = [](double t) { return 1 / (2 + std::exp(t) + std::exp(-t)); };
  expect_derivatives(
      "sigmoid", [](auto a) { return sigmoid(a); },
      points({-30, -1, 0, 2, 30}, logistic, slope, [&](double t) { return slope(t) * (1 - 2 * logistic(t)); }));
  expect_derivatives(
      "softplus", [](auto a) { return softplus(a); },
      points(
          {-30, -1, 0, 2, 30}, [](double t) { return std::log1p(std::exp(t)); }, logistic, slope));
  // Where exp overflows the functions do not.
  expect_derivatives("sigmoid", [](auto a) { return sigmoid(a); }, {{800, 1, 0, 0}, {-800, 0, 0, 0}});
  expect_derivatives("softplus", [](auto a) { return softplus(a); }, {{800, 800, 1, 0}, {-800, 0, 0, 0}});
}

TEST(AutodiffFunctions, LogarithmsOfOtherBasesAreaFunctionsAndTheErrorFunction) {
  for (const double base : {2.0, 10.0}) {
    const auto all = points(
        {0.25, 1, 5}, [=](double t) { return std::log(t) / std::log(base); },
        [=](double t) { return 1 / (t * std::log(base)); }, [=](double t) { return -1 / (t * t * std::log(base)); });
    if (base == 2) {
      expect_derivatives(
          "log2", [](auto a) { return log2(a); }, all);
    } else {
      expect_derivatives(
          "log10", [](auto a) { return log10(a); }, all);
    }
  }
  expect_derivatives(
      "asinh", [](auto a) { return asinh(a); },
      points(
          {-2, 0, 0.7}, [](double t) { return std::asinh(t); }, [](double t) { return 1 / std::sqrt(1 + t * t); },
          [](double t) { return -t / std::pow(1 + t * t, 1.5); }));
  expect_derivatives(
      "acosh", [](auto a) { return acosh(a); },
      points(
          {1.5, 4}, [](double t) { return std::acosh(t); }, [](double t) { return 1 / std::sqrt(t * t - 1); },
          [](double t) { return -t / std::pow(t * t - 1, 1.5); }));
  expect_derivatives("acosh", [](auto a) { return acosh(a); }, {{1, 0, kInfinity, -kInfinity}});
  expect_derivatives(
      "atanh", [](auto a) { return atanh(a); },
      points(
          {-0.7, 0, 0.5}, [](double t) { return std::atanh(t); }, [](double t) { return 1 / (1 - t * t); },
          [](double t) { return 2 * t / std::pow(1 - t * t, 2); }));
  const auto bell = [](double t) { return 2 / std::sqrt(std::acos(-1.0)) * std::exp(-t * t); };
  expect_derivatives(
      "erf", [](auto a) { return erf(a); },
      points(
          {-1, 0, 0.3, 2}, [](double t) { return std::erf(t); }, bell, [&](double t) { return -2 * t * bell(t); }));
  expect_derivatives(
      "erfc", [](auto a) { return erfc(a); },
      points(
          {-1, 0, 0.3, 2}, [](double t) { return std::erfc(t); }, [&](double t) { return -bell(t); },
          [&](double t) { return 2 * t * bell(t); }));
  expect_derivatives(
      "cbrt", [](auto a) { return cbrt(a); },
      points(
          {-8, 0.3, 2}, [](double t) { return std::cbrt(t); },
          [](double t) { return 1 / (3 * std::pow(t * t, 1. / 3)); },
          [](double t) { return -2 / (9 * t * std::pow(t * t, 1. / 3)); }));
}

TEST(AutodiffFunctions, SigmoidSlopeKeepsItsDigitsFarOut) {
  const auto f = bilevel::make_objective("s", 0, 1, [](auto, auto y) { return sigmoid(y[0]); });
  // exp(-40) to 1e-14 relative; value * (1 - value) would give 0.
  EXPECT_NEAR(f->grad_y(Vec(0), one(40))[0] / std::exp(-40.0), 1, 1e-14);
}

TEST(AutodiffFunctions, Powers) {
  expect_derivatives("pow 2", [](auto a) { return pow(a, 2); }, {{0, 0, 0, 2}, {-3, 9, -6, 2}});
  expect_derivatives("pow 2.0", [](auto a) { return pow(a, 2.0); }, {{0, 0, 0, 2}, {-3, 9, -6, 2}});
  expect_derivatives("pow 0", [](auto a) { return pow(a, 0); }, {{0, 1, 0, 0}, {-3, 1, 0, 0}});
  expect_derivatives("pow 1", [](auto a) { return pow(a, 1L); }, {{0, 0, 1, 0}, {-3, -3, 1, 0}});
  expect_derivatives("pow 3", [](auto a) { return pow(a, 3u); }, {{0, 0, 0, 0}, {-2, -8, 12, -12}});
  expect_derivatives("pow 3.0", [](auto a) { return pow(a, 3.0); }, {{0, 0, 0, 0}, {-2, -8, 12, -12}});
  expect_derivatives("pow -1", [](auto a) { return pow(a, -1); },
                     {{-2, -0.5, -0.25, -0.25}, {0, kInfinity, -kInfinity, kInfinity}});
  expect_derivatives("pow 1.5", [](auto a) { return pow(a, 1.5); }, {{4, 8, 3, 0.375}, {0, 0, 0, kInfinity}});
  expect_derivatives("pow 1.5f", [](auto a) { return pow(a, 1.5f); }, {{4, 8, 3, 0.375}});
  expect_derivatives(
      "2^t", [](auto a) { return pow(2.0, a); },
      points(
          {-1, 0, 3}, [](double t) { return std::pow(2, t); }, [](double t) { return std::pow(2, t) * std::log(2.0); },
          [](double t) { return std::pow(2, t) * std::pow(std::log(2.0), 2); }));
  expect_derivatives("0^t", [](auto a) { return pow(0.0, a); }, {{1, 0, 0, 0}, {2.5, 0, 0, 0}});
  expect_derivatives(
      "t^t", [](auto a) { return pow(a, a); },
      points(
          {0.3, 1, 2.5}, [](double t) { return std::pow(t, t); },
          [](double t) { return std::pow(t, t) * (1 + std::log(t)); },
          [](double t) { return std::pow(t, t) * (std::pow(1 + std::log(t), 2) + 1 / t); }));
  expect_derivatives("square", [](auto a) { return square(a); }, {{0, 0, 0, 2}, {-3, 9, -6, 2}});
}

TEST(AutodiffFunctions, PowerOfTwoVariables) {
  const auto f = bilevel::make_objective("x^y", 1, 1, [](auto x, auto y) { return pow(x[0], y[0]); });
  const double a = 1.7, b = 2.3, value = std::pow(a, b);
  expect_same(f->grad_x(one(a), one(b))[0], b * value / a, "d/da");
  expect_same(f->grad_y(one(a), one(b))[0], value * std::log(a), "d/db");
  expect_same(f->hess_yy(one(a), one(b), one(1))[0], value * std::log(a) * std::log(a), "d2/db2");
  expect_same(f->hess_xy(one(a), one(b), one(1))[0], value / a * (1 + b * std::log(a)), "d2/dadb");
  // 0^y is 0 for all y > 0 and x^2 = 0 there, so all but the second derivative in x vanish.
  EXPECT_EQ(f->grad_x(one(0), one(2))[0], 0);
  EXPECT_EQ(f->grad_y(one(0), one(2))[0], 0);
  EXPECT_EQ(f->hess_xy(one(0), one(2), one(1))[0], 0);
  // (-1.7)^2 has a derivative in the base, none in the exponent.
  expect_same(f->grad_x(one(-a), one(2))[0], -2 * a, "negative base");
  EXPECT_TRUE(std::isnan(f->grad_y(one(-a), one(2))[0]));
}

TEST(AutodiffFunctions, RootsAndKinks) {
  expect_derivatives(
      "sqrt", [](auto a) { return sqrt(a); },
      points(
          {1e-6, 1, 9}, [](double t) { return std::sqrt(t); }, [](double t) { return 0.5 / std::sqrt(t); },
          [](double t) { return -0.25 / (t * std::sqrt(t)); }));
  expect_derivatives("sqrt", [](auto a) { return sqrt(a); }, {{0, 0, kInfinity, -kInfinity}});
  expect_derivatives("abs", [](auto a) { return abs(a); }, {{-2.5, 2.5, -1, 0}, {0, 0, 0, 0}, {0.3, 0.3, 1, 0}});
  expect_derivatives("huber", [](auto a) { return huber(a); },
                     {{-3, 2.5, -1, 0},
                      {-1, 0.5, -1, 0},
                      {-0.5, 0.125, -0.5, 1},
                      {0, 0, 0, 1},
                      {0.9, 0.405, 0.9, 1},
                      {1, 0.5, 1, 0},
                      {7, 6.5, 1, 0}});
  expect_derivatives("max", [](auto a) { return max(a, 1.0); }, {{0.5, 1, 0, 0}, {1, 1, 0, 0}, {3, 3, 1, 0}});
  expect_derivatives("min", [](auto a) { return min(1, a * a); }, {{0.5, 0.25, 1, 2}, {3, 1, 0, 0}});
  expect_derivatives("select", [](auto a) { return select(a > 0, a * a, 3.0); }, {{-1, 3, 0, 0}, {2, 4, 4, 2}});
}

TEST(AutodiffFunctions, Arithmetic) {
  expect_derivatives("mixed", [](auto a) { return 2 * a - 3 + (1 - a) / 4.0 + (+a) * 0.5f - (-a); },
                     {{2, 4 - 3 - 0.25 + 1 + 2, 3.25, 0}});
  expect_derivatives("reciprocal", [](auto a) { return 6 / a; }, {{2, 3, -1.5, 1.5}, {-1, -6, -6, -12}});
  expect_derivatives(
      "quotient", [](auto a) { return a / (1 + a * a); },
      points(
          {-1.5, 0, 2}, [](double t) { return t / (1 + t * t); },
          [](double t) { return (1 - t * t) / std::pow(1 + t * t, 2); },
          [](double t) { return 2 * t * (t * t - 3) / std::pow(1 + t * t, 3); }));
  expect_derivatives("compound",
                     [](auto a) {
                       decltype(a) total = 1;
                       total += a;
                       total *= a;
                       total -= 0.5;
                       total /= 2;
                       return total;
                     },
                     {{3, 5.75, 3.5, 1}});
}

TEST(AutodiffFunctions, QuotientOfTwoVariables) {
  const auto f = bilevel::make_objective("x/y", 1, 1, [](auto x, auto y) { return x[0] / y[0] - y[0]; });
  expect_same(f->grad_x(one(3), one(2))[0], 0.5, "d/dx");
  expect_same(f->grad_y(one(3), one(2))[0], -1.75, "d/dy");
  expect_same(f->hess_yy(one(3), one(2), one(1))[0], 0.75, "d2/dy2");
  expect_same(f->hess_xy(one(3), one(2), one(1))[0], -0.25, "d2/dxdy");
}

TEST(AutodiffFunctions, NotANumberPropagates) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto expect_nan = [&](const char* name, auto f, double t) {
    const auto phi = bilevel::make_objective(name, 0, 1, [f](auto, auto y) { return f(y[0]); });
    EXPECT_TRUE(std::isnan(phi->value(Vec(0), one(t)))) << name;
    EXPECT_TRUE(std::isnan(phi->grad_y(Vec(0), one(t))[0])) << name;
  };
  expect_nan(
      "abs", [](auto a) { return abs(a); }, nan);
  expect_nan(
      "huber", [](auto a) { return huber(a); }, nan);
  expect_nan(
      "softplus", [](auto a) { return softplus(a); }, nan);
  expect_nan(
      "max left", [](auto a) { return square(max(a, 1.0)); }, nan);
  expect_nan(
      "max right", [](auto a) { return square(max(1.0, a)); }, nan);
  expect_nan(
      "min left", [](auto a) { return square(min(a, 1.0)); }, nan);
  expect_nan(
      "min right", [](auto a) { return square(min(1.0, a)); }, nan);
  expect_nan(
      "log", [](auto a) { return log(a); }, -1);
  expect_nan(
      "log1p", [](auto a) { return log1p(a); }, -2);
  expect_nan(
      "sqrt", [](auto a) { return sqrt(a); }, -1);
  expect_nan(
      "pow", [](auto a) { return pow(a, 1.5); }, -1);
}

// The same generic code for Jets and for doubles, with using-declarations and with plain names.
template <typename Number>
Number with_using(Number a, Number b) {
  using std::abs;
  using std::cos;
  using std::exp;
  using std::log;
  using std::max;
  using std::min;
  using std::pow;
  using std::sin;
  using std::sqrt;
  using std::tanh;
  return sin(a) * cos(b) + exp(a * 0.1) + log(b + 3.0) + sqrt(b + 2.0) + pow(b + 2.0, 3) + pow(b + 2.0, 2.5) +
         pow(b + 2.0, a) + max(a, b) + min(a, b) * 2 + abs(a - 0.5) + tanh(a);
}

TEST(AutodiffFunctions, UsingDeclarationsWorkForDoublesAndJets) {
  const auto f = bilevel::make_objective("using", 1, 1, [](auto x, auto y) { return with_using(x[0], y[0]); });
  const double a = 0.25, b = 0.75;
  // Same operations, at most reordered by the compiler.
  EXPECT_NEAR(f->value(one(a), one(b)), with_using(a, b), 1e-14 * 20);
  const double h = 1e-5;  // central difference: error h^2 = 1e-10 plus rounding 1e-15 / h = 1e-10, times 20
  EXPECT_NEAR(f->grad_x(one(a), one(b))[0], (with_using(a + h, b) - with_using(a - h, b)) / (2 * h), 1e-8);
  EXPECT_NEAR(f->grad_y(one(a), one(b))[0], (with_using(a, b + h) - with_using(a, b - h)) / (2 * h), 1e-8);
}

TEST(AutodiffFunctions, PlainAbsOfANumberIsNotTheIntegerOne) {
  const auto f = bilevel::make_objective("abs", 0, 1, [](auto, auto y) { return abs(y[0]); });
  EXPECT_EQ(f->value(Vec(0), one(-0.75)), 0.75);
}

TEST(AutodiffFunctions, ExplicitStdMaxKeepsTheDerivative) {
  const auto f = bilevel::make_objective("max", 0, 1, [](auto, auto y) { return std::max(y[0], 2 * y[0]); });
  EXPECT_EQ(f->grad_y(Vec(0), one(3))[0], 2);
}

TEST(AutodiffFunctions, ComparisonsLookAtValues) {
  const auto f = bilevel::make_objective("branches", 1, 1, [](auto x, auto y) {
    if (x[0] < y[0] && y[0] > 0 && 5 >= x[0] && x[0] != y[0] && !(x[0] == 1.0) && x[0] <= 2) return y[0] * y[0];
    return value_of(x[0]) + 0 * y[0];
  });
  EXPECT_EQ(f->grad_y(one(2), one(3))[0], 6);
  EXPECT_EQ(f->grad_y(one(2), one(1))[0], 0);
  EXPECT_EQ(f->grad_x(one(2), one(1))[0], 0);
}

}  // namespace
