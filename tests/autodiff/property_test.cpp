// Random compositions of everything: each must pass the Taylor and adjointness tests, and agree with itself.
#include <gtest/gtest.h>

#include <vector>

#include "bilevel/autodiff.hpp"
#include "taylor.hpp"

namespace {

using bilevel::Index;
using bilevel::Random;
using bilevel::Vec;

// A program: each step takes two earlier numbers and makes one. All steps are smooth and keep sizes near 1.
struct Step {
  unsigned operation, left, right;
};
constexpr unsigned kOperations = 20;

template <typename Number, typename ViewType>
Number apply(const Step& step, const std::vector<Number>& numbers, const ViewType& x, const ViewType& y) {
  const Number a = numbers[step.left], b = numbers[step.right];
  switch (step.operation) {
    case 0: return a + b;
    case 1: return a - b;
    case 2: return a * b;
    case 3: return a / (2 + b * b);
    case 4: return sin(a + 2 * b);
    case 5: return cos(a) * 0.5;
    case 6: return exp(-a * a);
    case 7: return log(1.5 + a * a);
    case 8: return sqrt(1 + a * a + b * b);
    case 9: return tanh(a - b);
    case 10: return sigmoid(a * b);
    case 11: return softplus(3 * a);
    case 12: return atan(a) + log1p(b * b);
    case 13: return pow(1.2 + a * a, 0.5 + tanh(b));
    case 14: return pow(sigmoid(a), 3) - expm1(-b * b);
    case 15: return dot(x, y.head(x.size())) * a;
    case 16: return squared_norm(y) * 0.2 + sum(x) * b;
    case 17: return log_sum_exp(numbers);
    case 18: return asin(0.5 * tanh(a)) * tan(0.5 * sin(b));
    default: return sum(numbers) / static_cast<double>(numbers.size());
  }
}

TEST(AutodiffProperties, RandomCompositionsHaveConsistentOracles) {
  constexpr Index n = 2, m = 3;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    std::vector<Step> program(1 + random.below(15));
    for (std::size_t k = 0; k < program.size(); ++k) {
      // The last number is often used, so that compositions get deep.
      const std::size_t made = n + m + k;
      const auto pick = [&] { return static_cast<unsigned>(random.below(2) == 0 ? made - 1 : random.below(made)); };
      program[k].operation = static_cast<unsigned>(random.below(kOperations));
      program[k].left = pick();
      program[k].right = pick();
    }
    const auto f = bilevel::make_objective("program", n, m, [program](auto x, auto y) {
      std::vector<decltype(y[0])> numbers(x.begin(), x.end());
      for (const auto entry : y) numbers.push_back(entry);
      for (const auto& step : program) numbers.push_back(tanh(apply(step, numbers, x, y)) * 1.5);
      return numbers.back();
    });
    const Vec x = bilevel::testing::random_vec(n, random, 0.7), y = bilevel::testing::random_vec(m, random, 0.7);
    bilevel::testing::expect_consistent_oracles(*f, x, y, seed + 1000);
    if (HasFailure()) break;
  }
}

}  // namespace
