// Reweighting: bad sources lose their weight, the hypergradient is right, and what is refused.
#include "bilevel/reweighting.hpp"

#include <gtest/gtest.h>

#include "applications/reweighting_data.hpp"
#include "bilevel/hypergradient.hpp"
#include "bilevel/lower.hpp"
#include "bilevel/mixture.hpp"
#include "bilevel/status.hpp"
#include "message_of.hpp"
#include "taylor.hpp"

namespace bilevel {
namespace {

using testing::good_good_bad;
using testing::message_of;

class ReweightingSeeds : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(ReweightingSeeds, TheBadSourceLosesItsWeightAndTheTargetGains) {
  const auto result = reweight(good_good_bad(GetParam()), {.seed = GetParam(), .threads = 1});
  const Vec& weights = *result.learned.weights;
  EXPECT_NEAR(weights.sum(), 1, 1e-14);
  EXPECT_LT(weights[2], 0.1 * std::min(weights[0], weights[1])) << weights.transpose();
  ASSERT_TRUE(result.margin().has_value());
  // Half a point of 1000 test rows is less than what their draw decides.
  EXPECT_GE(*result.margin(), -0.005);
  EXPECT_GT(*result.learned.test_accuracy, *result.uniform->test_accuracy + 0.02)
      << "most of the mass is on wrong labels there";
  ASSERT_TRUE(result.certificate.has_value());
  EXPECT_EQ(result.certificate->follower, FollowerKind::local_minimiser) << result.certificate->reason;
}

INSTANTIATE_TEST_SUITE_P(Seeds, ReweightingSeeds, ::testing::Values(1, 2, 3));

TEST(Reweighting, AllMethodsAgreeOnTheWeights) {
  const auto data = good_good_bad(4);
  ReweightingOptions options{.regularization = 0.01, .lower_tolerance = 1e-8, .adjoint_tolerance = 1e-8};
  options.stop = {.tolerance = 1e-6, .improvement = 1e-6, .patience = 10, .max_iterations = 300};
  options.threads = 1;
  options.comparators = options.certificate = false;
  std::vector<double> losses;
  for (const char* method : {"hoag", "hg_ms", "bgs_opt", "smbg"}) {
    options.method = method;
    const auto result = reweight(data, options);
    EXPECT_NE(result.run.status, Status::lower_failed) << method << ": " << result.run.message;
    EXPECT_LT((*result.learned.weights)[2], 0.02) << method;
    losses.push_back(result.learned.valid_loss);
  }
  // The optimum has the bad source's weight at zero, which logits approach: the losses differ by what is left of it.
  for (const double loss : losses) EXPECT_NEAR(loss, losses.front(), 1e-3 * losses.front());
}

TEST(Reweighting, TheHypergradientIsTheSlopeOfTheReSolvedLoss) {
  const auto problem = reweighting_problem(good_good_bad(5), {.threads = 1}, 0.02, true);
  const Vec x = (Vec(4) << 0.3, -0.2, 0.1, 0.4).finished(), d = (Vec(4) << 0.5, 0.7, -0.6, 0.2).finished();
  const auto answer = [&](const Vec& at) {
    return Lbfgs().solve(*problem.lower, at, problem.y0, {.tolerance = 1e-12, .max_iterations = 2000}).y;
  };
  const auto result = implicit(problem, x, answer(x), {.tolerance = 1e-12, .max_iterations = 0});
  ASSERT_EQ(result.status, Status::converged) << result.message;
  EXPECT_GT(std::abs(result.gradient.dot(d)), 1e-3) << "a slope of zero would test nothing";
  testing::expect_second_order("f(y(x))", result.upper, [&](double t) {
    const Vec moved = x + t * d;
    return std::abs(problem.upper->value(moved, answer(moved)) - result.upper - t * result.gradient.dot(d));
  });
}

TEST(Reweighting, AGivenPenaltyIsUsedForEveryModel) {
  const auto result = reweight(good_good_bad(6), {.regularization = 0.03, .threads = 1, .certificate = false});
  for (const auto* model : {&result.learned, &*result.uniform, &*result.by_size, &*result.target_only}) {
    EXPECT_EQ(model->regularization, 0.03);
  }
  EXPECT_EQ(result.run.best_x.size(), 3) << "logits alone";
}

TEST(Reweighting, SameSeedSameWeights) {
  const auto first = reweight(good_good_bad(7), {.threads = 1, .comparators = false, .certificate = false});
  const auto second = reweight(good_good_bad(7), {.threads = 1, .comparators = false, .certificate = false});
  EXPECT_EQ(*first.learned.weights, *second.learned.weights);
}

TEST(Reweighting, FewValidationRowsAreWarnedAbout) {
  auto data = good_good_bad(8);
  Random random(8);
  data.valid = testing::three_classes(12, 0, random);
  const auto result = reweight(data, {.threads = 1, .comparators = false, .certificate = false});
  ASSERT_FALSE(result.warnings.empty());
  EXPECT_NE(result.warnings.front().find("12 validation rows weigh 3 sources"), std::string::npos);
}

TEST(Reweighting, RefusesInClearSentences) {
  const auto refusal = [](const ReweightingData& data) {
    return message_of<InvalidInput>([&] { reweight(data, {}); });
  };
  auto data = good_good_bad(9);
  data.sources.erase(data.sources.begin() + 1, data.sources.end());
  EXPECT_EQ(refusal(data), "reweighting needs at least two sources, not 1: a single one has weight 1");
  data = good_good_bad(9);
  data.sources[1].name = "a";
  EXPECT_EQ(refusal(data), "two sources are named 'a'");
  data = good_good_bad(9);
  data.sources[2].rows.labels.front() = 3;
  EXPECT_EQ(refusal(data), "the source 'bad' rows hold label 3, but labels are 0 to 2");
  data = good_good_bad(9);
  std::fill(data.valid.labels.begin(), data.valid.labels.end(), 1);
  EXPECT_EQ(refusal(data), "the validation rows are all of one class: they cannot tell good sources from bad ones");
  EXPECT_THROW(reweight(good_good_bad(9), {.method = "newton"}), InvalidOption);
  EXPECT_THROW(reweight(good_good_bad(9), {.regularization = -1.0}), InvalidOption);
}

}  // namespace
}  // namespace bilevel
