// The mixture of sources: its oracles, and a game whose weights are known in closed form.
#include "bilevel/mixture.hpp"

#include <gtest/gtest.h>

#include "bilevel/check.hpp"
#include "bilevel/hoag.hpp"
#include "bilevel/linear_models.hpp"
#include "bilevel/run.hpp"
#include "bilevel/status.hpp"
#include "message_of.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

using Sources = std::vector<std::shared_ptr<const Objective>>;

/// l(y) = |y - centre|^2 / 2.
std::shared_ptr<const Objective> paraboloid(const Vec& centre) {
  return objective_of("paraboloid", 0, centre.size(),
                      {.value = [=](const Vec&, const Vec& y) { return 0.5 * (y - centre).squaredNorm(); },
                       .grad_x = [](const Vec&, const Vec&) -> Vec { return Vec(); },
                       .grad_y = [=](const Vec&, const Vec& y) -> Vec { return y - centre; },
                       .hess_yy = [](const Vec&, const Vec&, const Vec& v) -> Vec { return v; },
                       .hess_xy = [](const Vec&, const Vec&, const Vec&) -> Vec { return Vec(); },
                       .hess_yx = [](const Vec&, const Vec& y, const Vec&) -> Vec { return Vec::Zero(y.size()); }});
}

/// Rows of one class more often than the other, from three seeds.
Sources softmax_sources() {
  Sources sources;
  for (const std::uint64_t seed : {1, 2, 3}) {
    Random random(seed);
    std::vector<double> values;
    std::vector<std::int32_t> labels;
    for (std::size_t i = 0; i < 20; ++i) {
      for (int j = 0; j < 4; ++j) values.push_back(random.normal());
      labels.push_back(static_cast<std::int32_t>(random.below(3)));
    }
    const LinearModelOptions model{.loss = LinearLoss::softmax, .classes = 3, .intercept = true};
    sources.push_back(validation_objective(FeatureMatrix::dense(20, 4, values), labels, model, 0));
  }
  return sources;
}

Vec random_vec(Index length, std::uint64_t seed) {
  Random random(seed);
  Vec v(length);
  for (auto& entry : v) entry = random.normal();
  return v;
}

TEST(Mixture, ItsOraclesAgreeWithEachOther) {
  for (const bool learn : {false, true}) {
    const auto g = mixture(softmax_sources(), {.regularization = 0.1, .learn_regularization = learn});
    ASSERT_EQ(g->dim_x(), learn ? 4 : 3);
    const auto report = check_objective(*g, random_vec(g->dim_x(), 5), random_vec(g->dim_y(), 6));
    EXPECT_TRUE(report.passed()) << report.text();
  }
}

TEST(Mixture, IsTheWeightedSumAndLeavesShiftedLogitsAlone) {
  const auto sources = softmax_sources();
  const auto g = mixture(sources, {.regularization = 0.1});
  const Vec x = random_vec(3, 1), y = random_vec(15, 2), weights = source_weights(x, 3);
  double expected = 0.1 * y.squaredNorm();
  for (Index k = 0; k < 3; ++k) expected += weights[k] * sources[static_cast<std::size_t>(k)]->value(Vec(), y);
  // Sums of a few terms of order one.
  EXPECT_NEAR(g->value(x, y), expected, 1e-14);
  EXPECT_NEAR(g->value(x + Vec::Constant(3, 800), y), expected, 1e-13) << "no overflow either";
  EXPECT_NEAR(g->grad_x(x, y).sum(), 0, 1e-15);
}

TEST(Mixture, TheWeightsOfABarycentreAreFound) {
  // y*(x) = sum_k p_k a_k without a penalty: the triangle's point (.5, .3) has weights .2, .5, .3.
  const auto g = mixture({paraboloid(vec({0, 0})), paraboloid(vec({1, 0})), paraboloid(vec({0, 1}))}, {});
  const auto f =
      make_objective("target", 3, 2, [](auto, auto y) { return 0.5 * square(y[0] - 0.5) + 0.5 * square(y[1] - 0.3); });
  const auto result = run({"barycentre", f, g, vec({0, 0, 0}), vec({0, 0}), {}}, Hoag(), {.tolerance = 1e-9});
  EXPECT_EQ(result.status, Status::converged) << result.message;
  // |gradient of F| <= 1e-9 of the first, and F's Hessian in p is the identity on the plane of the triangle.
  EXPECT_LE(norm(source_weights(result.x, 3) - vec({0.2, 0.5, 0.3})), 1e-7);
}

TEST(Mixture, ALearnedPenaltyShrinksTheAnswerAsInClosedForm) {
  // y* = p-mean / (1 + 2 c e^s) with a single centre 1: the target 1/2 wants 2 c e^s = 1, s = -log(2 c).
  const auto g =
      mixture({paraboloid(vec({1})), paraboloid(vec({1}))}, {.regularization = 0.05, .learn_regularization = true});
  const auto f = make_objective("half", 3, 1, [](auto, auto y) { return 0.5 * square(y[0] - 0.5); });
  const auto result = run({"shrink", f, g, vec({0, 0, 0}), vec({0}), {}}, Hoag(), {.tolerance = 1e-9});
  EXPECT_NEAR(result.x[2], -std::log(0.1), 1e-6) << result.message;
  EXPECT_EQ(result.x[0], 0) << "equal sources pull in no direction";
}

TEST(Mixture, NamesWhatDoesNotFit) {
  const auto message = [](Sources sources, const MixtureOptions& options) {
    return message_of<Error>([&] { mixture(std::move(sources), options); });
  };
  EXPECT_NE(message({}, {}).find("at least one source"), std::string::npos);
  EXPECT_NE(message({paraboloid(vec({1})), paraboloid(vec({1, 2}))}, {}).find("source 2"), std::string::npos);
  EXPECT_NE(message({paraboloid(vec({1}))}, {.regularization = -1}).find("-1"), std::string::npos);
  EXPECT_NE(message({paraboloid(vec({1}))}, {.learn_regularization = true}).find("to be learned"), std::string::npos);
  auto lacking = oracles_of(paraboloid(vec({1})));
  lacking.hess_yy = nullptr;
  EXPECT_NE(message({objective_of("flat", 0, 1, lacking)}, {}).find("hess_yy"), std::string::npos);
}

}  // namespace
}  // namespace bilevel::testing
