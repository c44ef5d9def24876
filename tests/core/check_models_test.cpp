// The library's own objectives pass the check that users run on theirs.
#include <gtest/gtest.h>

#include "bilevel/autodiff.hpp"
#include "bilevel/check.hpp"
#include "bilevel/linear_models.hpp"
#include "probes.hpp"
#include "sources/linear_data.hpp"

namespace bilevel {
namespace {

using testing::LinearData;
using testing::random_vec;

void expect_passes(const Objective& phi, const CheckOptions& options) {
  Random random(11);
  const Vec x = random_vec(phi.dim_x(), random, 0.5), y = random_vec(phi.dim_y(), random, 0.5);
  const auto report = check_objective(phi, x, y, options);
  EXPECT_TRUE(report.passed()) << report.text();
}

TrainingOptions training(LinearLoss loss, double penalty_norm) {
  return {.model = {.loss = loss, .classes = loss == LinearLoss::softmax ? 3u : 2u, .intercept = true},
          .row_weights = true,
          .regularization = 0.05,
          .penalty_norm = penalty_norm,
          .penalty_scale = PenaltyScale::per_feature};
}

class CheckLinearModel : public ::testing::TestWithParam<LinearLoss> {};

TEST_P(CheckLinearModel, TrainingInFloat64Passes) {
  const LinearData data(200, 20, GetParam() == LinearLoss::softmax ? 3 : 2, 21, 0.3);
  for (const double penalty_norm : {2.0, 4.0}) {
    const auto options = training(GetParam(), penalty_norm);
    expect_passes(*training_objective(data.dense(), data.targets_for(GetParam()), options), {});
    expect_passes(*training_objective(data.sparse(), data.targets_for(GetParam()), options), {.batch_size = 17});
  }
}

TEST_P(CheckLinearModel, TrainingInFloat32PassesByItsOwnRounding) {
  const LinearData data(200, 20, GetParam() == LinearLoss::softmax ? 3 : 2, 22);
  const auto options = training(GetParam(), 2);
  const auto phi = training_objective(data.dense(Precision::float32), data.targets_for(GetParam()), options);
  expect_passes(*phi, {});

  Random random(11);
  const Vec x = random_vec(phi->dim_x(), random, 0.5), y = random_vec(phi->dim_y(), random, 0.5);
  auto silent = testing::oracles_of(phi);
  silent.rounding = std::numeric_limits<double>::epsilon();
  const auto report =
      check_objective(*testing::objective_of("silent", phi->dim_x(), phi->dim_y(), std::move(silent)), x, y);
  EXPECT_FALSE(report.passed()) << "float32 that passes for double";
  EXPECT_NE(report.text().find("grad_y is less exact than noise = 1e-13 says"), std::string::npos) << report.text();
}

INSTANTIATE_TEST_SUITE_P(Losses, CheckLinearModel,
                         ::testing::Values(LinearLoss::softmax, LinearLoss::logistic, LinearLoss::squared),
                         [](const auto& loss) { return std::string(to_string(loss.param)); });

// Many features make the scores leave the loss's linear range at long steps: the fit must wait for short ones.
TEST(CheckLinearModel, WideSoftmaxPassesInBothPrecisions) {
  const LinearData data(60, 400, 4, 23);
  const TrainingOptions options{
      .model = {.loss = LinearLoss::softmax, .classes = 4}, .row_weights = true, .regularization = 1e-3};
  expect_passes(*training_objective(data.dense(), data.labels, options), {});
  expect_passes(*training_objective(data.dense(Precision::float32), data.labels, options), {});
}

TEST(CheckLinearModel, ValidationPassesAtTheOrigin) {
  const LinearData data(50, 6, 3, 24);
  const auto phi = validation_objective(data.dense(), data.labels, {.loss = LinearLoss::softmax, .classes = 3}, 4);
  const auto report = check_objective(*phi, Vec::Zero(4), Vec::Zero(phi->dim_y()));
  EXPECT_TRUE(report.passed()) << report.text();
}

TEST(CheckAutodiff, ALambdaPasses) {
  const auto phi = make_objective("tuned ridge", 2, 4, 9, [](auto x, auto y, std::size_t i) {
    const double a = 0.5 + 0.1 * static_cast<double>(i);
    return square(a * y[0] + tanh(y[1]) - y[2] * y[3]) + exp(x[0]) * squared_norm(y) + x[1] * sin(a * y[0] * y[3]) +
           log1p(square(x[1]));
  });
  expect_passes(*phi, {});
  expect_passes(*phi, {.batch_size = 1});
}

}  // namespace
}  // namespace bilevel
