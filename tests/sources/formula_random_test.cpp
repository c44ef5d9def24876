// Formulas at random: expressions against their direct evaluation, and texts that are none.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bilevel/autodiff.hpp"
#include "bilevel/formula.hpp"
#include "bilevel/status.hpp"
#include "taylor.hpp"

namespace {

using bilevel::Formula;
using bilevel::Index;
using bilevel::Random;
using bilevel::Vec;
using bilevel::testing::random_vec;

// Sums run over 1 .. 9: long enough for instructions that work on many numbers at once.
constexpr int kLast = 9;
constexpr Index kN = kLast, kM = kLast;
const std::vector<double> kList{0.5, -0.75, 1.25, 0, -0.1, 1, 1, 0.3, -1.5};

// A number with a bound of the rounding errors that any order of its operations can make.
struct Bounded {
  double value = 0, error = 0;
};
constexpr double kUnit = 2.3e-16;
Bounded rounded(double value, double error) { return {value, error + kUnit * std::abs(value)}; }
Bounded operator+(Bounded a, Bounded b) {
  return {a.value + b.value, a.error + b.error + kUnit * (std::abs(a.value) + std::abs(b.value))};
}
Bounded operator-(Bounded a) { return {-a.value, a.error}; }
Bounded operator-(Bounded a, Bounded b) { return a + -b; }
Bounded operator*(Bounded a, Bounded b) {
  return rounded(a.value * b.value, std::abs(a.value) * b.error + std::abs(b.value) * a.error);
}
Bounded operator/(Bounded a, Bounded b) {
  const double ratio = a.value / b.value;
  return rounded(ratio, (a.error + std::abs(ratio) * b.error) / std::abs(b.value) + kUnit * std::abs(ratio));
}
// Functions whose slope is at most 1 in absolute value.
template <class Function>
Bounded tame(Bounded a, Function function) {
  return rounded(function(a.value), a.error + kUnit);
}
Bounded sin(Bounded a) {
  return tame(a, [](double t) { return std::sin(t); });
}
Bounded cos(Bounded a) {
  return tame(a, [](double t) { return std::cos(t); });
}
Bounded tanh(Bounded a) {
  return tame(a, [](double t) { return std::tanh(t); });
}
Bounded sigmoid(Bounded a) {
  return tame(a, [](double t) { return bilevel::autodiff::sigmoid(t); });
}
Bounded softplus(Bounded a) {
  return tame(a, [](double t) { return bilevel::autodiff::softplus(t); });
}
Bounded huber(Bounded a) {
  return tame(a, [](double t) { return bilevel::autodiff::huber(t); });
}
Bounded abs(Bounded a) { return {std::abs(a.value), a.error}; }
Bounded square(Bounded a) { return a * a; }
Bounded min(Bounded a, Bounded b) { return {std::min(a.value, b.value), std::max(a.error, b.error)}; }
Bounded max(Bounded a, Bounded b) { return -min(-a, -b); }
Bounded constant(double value, Bounded) { return {value, 0}; }
template <int Order>
bilevel::autodiff::Jet<Order> constant(double value, bilevel::autodiff::Jet<Order>) {
  return value;
}

struct Tree {
  int kind = 0;
  double number = 0;
  int index = 0;  // of an entry; 0: the index i of the sum around it, -1: 10 - i
  std::vector<Tree> children;
};
enum Kind : int {
  kNumber,
  kX,
  kY,
  kListed,
  kSumIndex,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kNegate,
  kSquare,
  kCube,
  kSin,
  kCos,
  kTanh,
  kSigmoid,
  kSoftplus,
  kHuber,
  kAbs,
  kSquared,
  kMin,
  kMax,
  kSum
};

Tree random_tree(Random& random, int depth, bool in_sum) {
  const auto below = [&](int bound) { return static_cast<int>(random.below(static_cast<std::uint64_t>(bound))); };
  Tree tree;
  if (depth == 0 || below(8) == 0) {
    tree.kind = below(in_sum ? 5 : 3);
    tree.number = 0.25 * (below(17) - 8);
    tree.index = in_sum && below(4) != 0 ? -below(2) : 1 + below(kLast);
    return tree;
  }
  tree.kind = kAdd + below(in_sum ? kMax - kAdd + 1 : kSum - kAdd + 1);
  const bool is_binary = (tree.kind >= kAdd && tree.kind <= kDivide) || tree.kind == kMin || tree.kind == kMax;
  for (int i = 0; i < (is_binary ? 2 : 1); ++i) {
    tree.children.push_back(random_tree(random, depth - 1, in_sum || tree.kind == kSum));
  }
  return tree;
}

// Binding of the text: 1 sums, 2 products, 3 signs, 4 powers, 5 atoms; parentheses only where they are needed.
std::string text_of(const Tree& tree, int binding) {
  const auto child = [&](std::size_t i, int b) { return text_of(tree.children[i], b); };
  const auto bound = [&](int own, std::string text) { return own < binding ? "(" + text + ")" : text; };
  const auto index = tree.index == 0 ? "i" : tree.index < 0 ? "10 - i" : std::to_string(tree.index);
  constexpr const char* kNames[] = {"sin",   "cos", "tanh",   "sigmoid", "softplus",
                                    "huber", "abs", "square", "min",     "max"};
  switch (tree.kind) {
    case kNumber: return bound(tree.number < 0 ? 3 : 5, fmt::format("{}", tree.number));
    case kX: return "x[" + index + "]";
    case kY: return tree.index == 1 ? "y" : "y[" + index + "]";
    case kListed: return "c[" + index + "]";
    case kSumIndex: return "i";
    case kAdd: return bound(1, child(0, 1) + " + " + child(1, 2));
    case kSubtract: return bound(1, child(0, 1) + " - " + child(1, 2));
    case kMultiply: return bound(2, child(0, 2) + "*" + child(1, 3));
    case kDivide: return bound(2, child(0, 2) + "/(1 + " + child(1, 5) + "^2)");
    case kNegate: return bound(3, "-" + child(0, 3));
    case kSquare: return bound(4, child(0, 5) + "^2");
    case kCube: return bound(4, child(0, 5) + "^3");
    case kSum: return fmt::format("sum(i, 1, {}, ", kLast) + child(0, 1) + ")";
    default: break;
  }
  const bool is_binary = tree.kind == kMin || tree.kind == kMax;
  return fmt::format("{}({}{})", kNames[tree.kind - kSin], child(0, 1), is_binary ? ", " + child(1, 1) : "");
}

template <class Number, class View>
Number evaluate(const Tree& tree, const View& x, const View& y, int i) {
  const auto child = [&](std::size_t c) { return evaluate<Number>(tree.children[c], x, y, i); };
  const auto number = [&](double value) { return constant(value, Number{}); };
  const int index = (tree.index == 0 ? i : tree.index < 0 ? kLast + 1 - i : tree.index) - 1;
  switch (tree.kind) {
    case kNumber: return number(tree.number);
    case kX: return x[index];
    case kY: return y[index];
    case kListed: return number(kList[static_cast<std::size_t>(index)]);
    case kSumIndex: return number(i);
    case kAdd: return child(0) + child(1);
    case kSubtract: return child(0) - child(1);
    case kMultiply: return child(0) * child(1);
    case kDivide: return child(0) / (number(1) + square(child(1)));
    case kNegate: return -child(0);
    case kSquare: return child(0) * child(0);
    case kCube: return child(0) * child(0) * child(0);
    case kSin: return sin(child(0));
    case kCos: return cos(child(0));
    case kTanh: return tanh(child(0));
    case kSigmoid: return sigmoid(child(0));
    case kSoftplus: return softplus(child(0));
    case kHuber: return huber(child(0));
    case kAbs: return abs(child(0));
    case kSquared: return square(child(0));
    case kMin: return min(child(0), child(1));
    case kMax: return max(child(0), child(1));
    default: break;
  }
  Number total = number(0);
  for (int k = 1; k <= kLast; ++k) total = total + evaluate<Number>(tree.children[0], x, y, k);
  return total;
}

TEST(FormulaRandom, ExpressionsHaveTheValueOfTheirDirectEvaluation) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    const Tree tree = random_tree(random, 5, false);
    const auto text = text_of(tree, 1);
    SCOPED_TRACE(text);
    const Vec x = random_vec(kN, random, 0.7), y = random_vec(kM, random, 0.7);
    std::vector<Bounded> bounded_x, bounded_y;
    for (const double each : x) bounded_x.push_back({each, 0});
    for (const double each : y) bounded_y.push_back({each, 0});
    const auto expected = evaluate<Bounded>(tree, bounded_x.data(), bounded_y.data(), 0);
    const double value = Formula::parse(text, {{"c", kList}})(x, y);
    if (!std::isfinite(expected.value)) continue;
    // Two evaluations, each within the bound, which counts every rounding once; the terms of a row are rounded twice.
    ASSERT_LE(std::abs(value - expected.value), 4 * expected.error + 1e-300);
  }
}

TEST(FormulaRandom, ExpressionsHaveTheDerivativesOfDifferentiatedLambdas) {
  int compared = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Random random(seed);
    const Tree tree = random_tree(random, 4, false);
    const auto text = text_of(tree, 1);
    SCOPED_TRACE(text);
    const auto f = bilevel::make_formula_objective("f", Formula::parse(text, {{"c", kList}}), kN, kM);
    const auto g = bilevel::make_objective(
        "g", kN, kM, [tree](auto x, auto y) { return evaluate<std::remove_cvref_t<decltype(y[0])>>(tree, x, y, 0); });
    const Vec x = random_vec(kN, random, 0.7), y = random_vec(kM, random, 0.7), v = random_vec(kM, random);
    const auto here = f->linearize(x, y, bilevel::full, bilevel::Oracle::grad_x | bilevel::Oracle::grad_y);
    const auto there = g->linearize(x, y, bilevel::full, bilevel::Oracle::grad_x | bilevel::Oracle::grad_y);
    const auto a = here.both(v), b = there.both(v);
    const double size = std::abs(f->value(x, y)) + there.evaluation().grad_y->norm() + b.hess_yy.norm();
    if (!(size < 100)) continue;  // powers of powers, whose rounding errors are amplified
    ++compared;
    // Depth 4 at numbers below 100: cancellation loses at most a few of sixteen digits.
    const double tolerance = 1e-11 * (1 + size);
    ASSERT_LE((*here.evaluation().grad_x - *there.evaluation().grad_x).norm(), tolerance);
    ASSERT_LE((*here.evaluation().grad_y - *there.evaluation().grad_y).norm(), tolerance);
    ASSERT_LE((a.hess_yy - b.hess_yy).norm(), tolerance);
    ASSERT_LE((a.hess_xy - b.hess_xy).norm(), tolerance);
  }
  EXPECT_GT(compared, 700);
}

// Anything either parses or is refused in a sentence.
void expect_parsed_or_refused(const std::string& text, int& parsed) {
  try {
    Formula::parse(text, {{"c", kList}, {"a", {2}}});
    ++parsed;
  } catch (const bilevel::InvalidInput& error) {
    EXPECT_EQ(std::string(error.what()).rfind("formula:", 0), 0u) << error.what();
  }
}

TEST(FormulaRandom, MutatedFormulasNeitherCrashNorHang) {
  const std::string seeds[] = {
      "(x - 0.3)^2 + sum(i, 1, 3, (x[i] - y[i])^2) + huber(a*y)",
      "sum(i, 1, 3, sum(j, i, 3, c[j]*y[i+j]))*max(x, -y2, 1e-3)/(1 + exp(-x*y))",
      "2^-x^y - sqrt(abs(y[a])) + min(tanh(x3), sigmoid(y), softplus(pi))",
      "if(x > y and not y2 <= 1 or a == 2, log10(x), expm1(y)) - sum(i, 1, 3, if(i != 2, y, x))"};
  const std::string alphabet = "xyieac0123459.+-*/^()[]<>=!, \n\"$sumin\xE2\x88\x92";
  int parsed = 0;
  Random random(3);
  for (int round = 0; round < 6000; ++round) {
    std::string text = seeds[random.below(4)];
    for (std::uint64_t change = 1 + random.below(2); change > 0 && !text.empty(); --change) {
      const auto at = static_cast<std::size_t>(random.below(text.size()));
      const char letter = alphabet[random.below(alphabet.size())];
      switch (random.below(4)) {
        case 0: text[at] = letter; break;
        case 1: text.insert(at, 1, letter); break;
        case 2: text.erase(at, 1 + random.below(5)); break;
        default: text.insert(at, text.substr(random.below(text.size()), random.below(12)));
      }
    }
    expect_parsed_or_refused(text, parsed);
  }
  EXPECT_GT(parsed, 300);  // else the mutations would test the first character only
}

TEST(FormulaRandom, RandomBytesAreRefused) {
  int parsed = 0;
  Random random(4);
  for (int round = 0; round < 3000; ++round) {
    std::string text(random.below(40), ' ');
    for (char& c : text) c = static_cast<char>(random.below(256));
    expect_parsed_or_refused(text, parsed);
  }
}

}  // namespace
