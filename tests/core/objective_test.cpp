#include "bilevel/objective.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "bilevel/quadratic.hpp"
#include "bilevel/status.hpp"
#include "core/altered.hpp"
#include "message_of.hpp"

namespace bilevel {
namespace {

using testing::Altered;
using testing::kPointX;
using testing::kPointY;
using testing::message_of;
using testing::right_objective;

TEST(OracleSet, IsASet) {
  const OracleSet set = Oracle::value | Oracle::hess_yx;
  EXPECT_TRUE(set.has(Oracle::value));
  EXPECT_FALSE(set.has(Oracle::grad_x));
  EXPECT_EQ(set.without(Oracle::value), Oracle::hess_yx);
  EXPECT_TRUE(set.without(OracleSet::all()).empty());
  EXPECT_EQ(to_string(OracleSet::all()), "value, grad_x, grad_y, hess_yy, hess_xy, hess_yx");
  EXPECT_EQ(to_string(OracleSet()), "");
}

TEST(Objective, RefusesWrongLengthsInOneSentence) {
  const auto phi = right_objective();
  EXPECT_EQ(message_of<DimensionMismatch>([&] { phi->value(Vec::Zero(3), kPointY); }),
            "objective 'right' needs x of length 2, but the call provides length 3");
  EXPECT_EQ(message_of<DimensionMismatch>([&] { phi->grad_x(kPointX, Vec::Zero(2)); }),
            "objective 'right' needs y of length 3, but the call provides length 2");
  EXPECT_EQ(message_of<DimensionMismatch>([&] { phi->hess_xy(kPointX, kPointY, Vec::Zero(2)); }),
            "objective 'right' needs v of length 3, but the call provides length 2");
  EXPECT_EQ(message_of<DimensionMismatch>([&] { phi->hess_yx(kPointX, kPointY, Vec::Zero(3)); }),
            "objective 'right' needs u of length 2, but the call provides length 3");
  const auto at = phi->linearize(kPointX, kPointY);
  EXPECT_THROW(at.hess_yy(Vec::Zero(1)), DimensionMismatch);
  EXPECT_THROW(at.both(Vec::Zero(1)), DimensionMismatch);
}

TEST(Objective, RefusesABatchThatDoesNotFit) {
  const auto phi = right_objective();
  const std::vector<std::uint32_t> outside{0, 7};
  EXPECT_EQ(message_of<DimensionMismatch>([&] { phi->value(kPointX, kPointY, Batch(outside)); }),
            "objective 'right' has 7 samples, but the batch asks for sample 7");
  EXPECT_EQ(
      message_of<DimensionMismatch>([&] { phi->linearize(kPointX, kPointY, Batch(std::span<const std::uint32_t>())); }),
      "objective 'right' got an empty batch");
}

TEST(Objective, RefusesSizesThatMakeNoSense) {
  EXPECT_EQ(message_of<DimensionMismatch>([] { Quadratic("q", 1, 0, {}); }),
            "objective 'q' needs dim_x >= 0, dim_y >= 1 and at least one sample, but has dim_x 1, dim_y 0, 1 samples");
  EXPECT_THROW(Quadratic("q", -1, 1, {}), DimensionMismatch);
}

TEST(Objective, NamesTheOracleThatIsMissing) {
  const Altered phi({.hidden = Oracle::grad_x | Oracle::hess_xy});
  EXPECT_EQ(message_of<MissingOracle>([&] { phi.grad_x(kPointX, kPointY); }),
            "the call needs grad_x of objective 'altered', but it provides only value, grad_y, hess_yy, hess_yx");
  EXPECT_THROW(phi.hess_xy(kPointX, kPointY, kPointY), MissingOracle);
  EXPECT_THROW(phi.linearize(kPointX, kPointY, full, Oracle::grad_x), MissingOracle);
  const auto at = phi.linearize(kPointX, kPointY);
  EXPECT_NO_THROW(at.hess_yy(kPointY));
  EXPECT_THROW(at.both(kPointY), MissingOracle);
  EXPECT_EQ(message_of<MissingOracle>([&] { phi.evaluate(Oracle::hess_yy, kPointX, kPointY); }),
            "evaluate needs value, grad_x or grad_y; for hess_yy call linearize");
}

TEST(Objective, FillsWhatWasAskedForAndNothingElse) {
  const auto phi = right_objective();
  const auto some = phi->evaluate(Oracle::value | Oracle::grad_y, kPointX, kPointY);
  EXPECT_TRUE(some.value && some.grad_y);
  EXPECT_FALSE(some.grad_x);
  const auto at = phi->linearize(kPointX, kPointY, full, Oracle::grad_x);
  EXPECT_TRUE(at.evaluation().grad_x);
  EXPECT_FALSE(at.evaluation().value || at.evaluation().grad_y);
}

TEST(Objective, CountsCallsAndSamples) {
  const auto phi = right_objective();
  const std::vector<std::uint32_t> three{0, 2, 2};
  phi->value(kPointX, kPointY);
  phi->evaluate(Oracle::value | Oracle::grad_x, kPointX, kPointY, Batch(three));
  const auto before_products = phi->counts();
  EXPECT_EQ(before_products.calls, (std::array<std::uint64_t, kOracleCount>{2, 1, 0, 0, 0, 0}));
  EXPECT_EQ(before_products.samples, (std::array<std::uint64_t, kOracleCount>{10, 3, 0, 0, 0, 0}));

  const auto at = phi->linearize(kPointX, kPointY, Batch(three), Oracle::grad_y);
  at.hess_yy(kPointY);
  at.both(kPointY);
  at.hess_yx(kPointX);
  const auto products = phi->counts() - before_products;
  EXPECT_EQ(products.calls, (std::array<std::uint64_t, kOracleCount>{0, 0, 1, 2, 1, 1}));
  EXPECT_EQ(products.samples, (std::array<std::uint64_t, kOracleCount>{0, 0, 3, 6, 3, 3}));
  EXPECT_EQ(products[Oracle::hess_yy], 2u);
  EXPECT_EQ(products.total(), 5u);
  EXPECT_GE(products.seconds, 0);
}

TEST(Objective, EvaluatesAlongADirectionWhatItsLinearizationGives) {
  const auto phi = right_objective();
  const std::vector<std::uint32_t> three{0, 2, 2};
  const auto at = phi->linearize(kPointX, kPointY, Batch(three), Oracle::value | Oracle::grad_y);
  const auto expected = at.both(kPointY);
  const auto before = phi->counts();
  const auto [evaluation, products] =
      phi->evaluate_along(Oracle::value | Oracle::grad_y, kPointX, kPointY, kPointY, Batch(three));
  EXPECT_EQ(*evaluation.value, *at.evaluation().value);
  EXPECT_EQ(*evaluation.grad_y, *at.evaluation().grad_y);
  EXPECT_FALSE(evaluation.grad_x);
  EXPECT_EQ(products.hess_yy, expected.hess_yy);
  EXPECT_EQ(products.hess_xy, expected.hess_xy);
  const auto counted = phi->counts() - before;
  EXPECT_EQ(counted.calls, (std::array<std::uint64_t, kOracleCount>{1, 0, 1, 1, 1, 0}));
  EXPECT_EQ(counted.samples, (std::array<std::uint64_t, kOracleCount>{3, 0, 3, 3, 3, 0}));
}

TEST(Objective, RefusesToEvaluateAlongWhatItLacks) {
  const auto phi = right_objective();
  EXPECT_EQ(message_of<DimensionMismatch>([&] { phi->evaluate_along(Oracle::value, kPointX, kPointY, kPointX); }),
            "objective 'right' needs v of length 3, but the call provides length 2");
  EXPECT_EQ(message_of<MissingOracle>([&] { phi->evaluate_along(Oracle::hess_yx, kPointX, kPointY, kPointY); }),
            "evaluate_along needs value, grad_x or grad_y; for hess_yx call linearize");
  EXPECT_EQ(phi->counts().total(), 0u);
  const Altered without({.hidden = Oracle::hess_xy});
  EXPECT_THROW(without.evaluate_along(Oracle::value, kPointX, kPointY, kPointY), MissingOracle);
}

TEST(Objective, CountsNothingForARefusedCall) {
  const auto phi = right_objective();
  EXPECT_THROW(phi->value(Vec::Zero(1), kPointY), DimensionMismatch);
  EXPECT_EQ(phi->counts().total(), 0u);
}

TEST(Objective, CountsCallsOfManyThreads) {
  const Quadratic phi("q", 1, 2, {.yy = Eigen::MatrixXd::Identity(2, 2)});
  constexpr int threads = 4, calls = 2000;
  {
    std::vector<std::jthread> pool;
    for (int k = 0; k < threads; ++k) {
      pool.emplace_back([&] {
        for (int call = 0; call < calls; ++call)
          phi.evaluate(Oracle::value | Oracle::grad_y, Vec::Ones(1), Vec::Ones(2));
      });
    }
  }
  EXPECT_EQ(phi.counts()[Oracle::value], static_cast<std::uint64_t>(threads * calls));
  EXPECT_EQ(phi.counts()[Oracle::grad_y], static_cast<std::uint64_t>(threads * calls));
}

}  // namespace
}  // namespace bilevel
