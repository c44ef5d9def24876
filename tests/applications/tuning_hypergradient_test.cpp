// The stacked problem of several folds, and its hypergradient.
#include <gtest/gtest.h>

#include "applications/tuning_data.hpp"
#include "applications/tuning_stack.hpp"
#include "bilevel/hoag.hpp"
#include "bilevel/hypergradient.hpp"
#include "bilevel/status.hpp"
#include "message_of.hpp"
#include "taylor.hpp"

namespace bilevel {
namespace {

using testing::largest_of;
using testing::random_vec;

TuningData three_folds() {
  Random random(4);
  TuningData data{3, {}, largest_of(60, 4, 3, 0.5, random), {}};
  // Of different sizes, so that a mean over rows is not the mean over folds.
  for (const std::size_t rows : {10, 15, 20}) {
    data.folds.push_back({largest_of(2 * rows, 4, 3, 0.5, random), largest_of(rows, 4, 3, 0.5, random)});
  }
  return data;
}

TuningData fold_alone(const TuningData& data, std::size_t k) { return {data.classes, {data.folds[k]}, data.all, {}}; }

Vec answer(const BilevelProblem& problem, const Vec& x, const Vec& start) {
  return Lbfgs().solve(*problem.lower, x, start, {.tolerance = 1e-12, .max_iterations = 2000}).y;
}

TEST(TuningStack, OraclesAgreeWithEachOther) {
  const auto problem = tuning_problem(three_folds(), PenaltyScale::per_feature, 0.1);
  Random random(5);
  const Vec x = random_vec(problem.dim_x(), random), y = random_vec(problem.dim_y(), random);
  testing::expect_consistent_oracles(*problem.lower, x, y, 6);
  testing::expect_consistent_oracles(*problem.upper, x, y, 7);
}

TEST(TuningStack, FoldsAreTheMeanOfSingleFolds) {
  const auto data = three_folds();
  const auto stacked = tuning_problem(data, PenaltyScale::per_feature, 0.1);
  Random random(8);
  const Vec x = random_vec(stacked.dim_x(), random), y = random_vec(stacked.dim_y(), random);
  const Index length = stacked.dim_y() / 3;
  double f = 0, g = 0;
  Vec gradient(stacked.dim_y());
  for (std::size_t k = 0; k < 3; ++k) {
    const auto single = tuning_problem(fold_alone(data, k), PenaltyScale::per_feature, 0.1);
    const Index offset = static_cast<Index>(k) * length;
    const Vec part = y.segment(offset, length);
    f += single.upper->value(x, part) / 3;
    g += single.lower->value(x, part);
    gradient.segment(offset, length) = single.lower->grad_y(x, part);
  }
  // Sums of the same numbers: only the order of a few additions differs.
  EXPECT_NEAR(stacked.upper->value(x, y), f, 1e-14 * f);
  EXPECT_NEAR(stacked.lower->value(x, y), g, 1e-14 * g);
  EXPECT_EQ(stacked.lower->grad_y(x, y), gradient);
}

TEST(TuningStack, HypergradientIsTheMeanOfSingleFolds) {
  const auto data = three_folds();
  const auto stacked = tuning_problem(data, PenaltyScale::per_class, 0.1);
  Random random(9);
  const Vec x = random_vec(stacked.dim_x(), random);
  const ImplicitOptions exact{.tolerance = 1e-12, .max_iterations = 0};
  Vec mean = Vec::Zero(x.size());
  for (std::size_t k = 0; k < 3; ++k) {
    const auto single = tuning_problem(fold_alone(data, k), PenaltyScale::per_class, 0.1);
    mean += implicit(single, x, answer(single, x, single.y0), exact).gradient / 3;
  }
  const auto all = implicit(stacked, x, answer(stacked, x, stacked.y0), exact);
  // Followers and adjoints are solved to 1e-12; the condition of H here is below 100.
  EXPECT_LE((all.gradient - mean).norm(), 1e-9 * mean.norm());
}

TEST(TuningStack, RefusesBlocksThatDoNotFit) {
  const auto block = [](std::size_t features) {
    Random random(1);
    return tuning_problem(testing::one_split(0, testing::two_useful(5, features, 0, random),
                                             testing::two_useful(5, features, 0, random)),
                          PenaltyScale::per_feature, 1)
        .lower;
  };
  EXPECT_EQ(testing::message_of<DimensionMismatch>([&] {
              StackedObjective("g", {block(2), block(3)}, 1);
            }),
            "stacked objectives share their leader, but one has 2 variables, another 3");
  EXPECT_THROW(StackedObjective("g", {}, 1), InvalidInput);
}

class TuningHypergradient : public ::testing::TestWithParam<PenaltyScale> {};

TEST_P(TuningHypergradient, AgreesWithTheResolvedValidationLoss) {
  const auto problem = tuning_problem(three_folds(), GetParam(), 0.05);
  Random random(10);
  const Vec x = random_vec(problem.dim_x(), random), d = random_vec(problem.dim_x(), random);
  const Vec y = answer(problem, x, problem.y0);
  const auto result = implicit(problem, x, y, {.tolerance = 1e-12, .max_iterations = 0});
  ASSERT_EQ(result.status, Status::converged) << result.message;
  EXPECT_GT(std::abs(result.gradient.dot(d)), 1e-5) << "a slope of zero would test nothing";
  testing::expect_second_order("f(y(x))", result.upper, [&](double t) {
    const Vec moved = x + t * d;
    return std::abs(problem.upper->value(moved, answer(problem, moved, y)) - result.upper - t * result.gradient.dot(d));
  });
}

INSTANTIATE_TEST_SUITE_P(Penalties, TuningHypergradient,
                         ::testing::Values(PenaltyScale::single, PenaltyScale::per_class, PenaltyScale::per_feature));

TEST(Hoag, StaysInItsBox) {
  const auto problem = tuning_problem(three_folds(), PenaltyScale::per_feature, 0.1);
  constexpr double kHighest = 0.3;
  const Hoag method({.lowest = -0.2, .highest = kHighest, .leader = {.rule = LeaderRule::adam}, .interrupt = nullptr});
  const auto result = run(problem, method, {.tolerance = 0, .max_iterations = 20});
  EXPECT_EQ(result.status, Status::budget_reached) << result.message;
  EXPECT_EQ(result.x.maxCoeff(), kHighest) << "the fourth feature is noise, so that its weight wants to grow";
  EXPECT_GE(result.x.minCoeff(), -0.2);
}

}  // namespace
}  // namespace bilevel
