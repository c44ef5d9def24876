#include "bilevel/check.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "bilevel/quadratic.hpp"
#include "bilevel/status.hpp"
#include "core/altered.hpp"
#include "message_of.hpp"

namespace bilevel {
namespace {

using testing::Alterations;
using testing::Altered;
using testing::kPointX;
using testing::kPointY;
using testing::message_of;
using Names = std::vector<std::string>;

CheckReport check(Alterations alterations, const CheckOptions& options = {}) {
  return check_objective(Altered(std::move(alterations)), kPointX, kPointY, options);
}

const Check& find(const CheckReport& report, const std::string& name) {
  for (const auto& entry : report.checks) {
    if (entry.name == name) return entry;
  }
  throw std::logic_error("no check is named " + name);
}

TEST(CheckObjective, PassesARightNonlinearObjective) {
  const auto report = check({});
  EXPECT_TRUE(report.passed()) << report.text();
  EXPECT_EQ(report.checks.size(), 23u);
  EXPECT_TRUE(report.not_checked.empty());
  EXPECT_TRUE(report.suspects().empty());
  // The remainders of this objective are of second order: a fit at 1 % noise is good to 0.05.
  for (const auto& entry : report.checks) {
    if (entry.measure != Check::Measure::slope) continue;
    EXPECT_NEAR(entry.measured, 2, 0.05) << entry.name;
  }
}

TEST(CheckObjective, SaysTheSameForTheSameSeed) {
  EXPECT_EQ(check({}, {.seed = 5}).text(), check({}, {.seed = 5}).text());
  EXPECT_NE(check({}, {.seed = 5}).text(), check({}, {.seed = 6}).text());
}

TEST(CheckObjective, AcceptsAQuadraticWhoseGradientsAreAffine) {
  const Quadratic phi("q", 2, 2, {.yy = Eigen::MatrixXd::Identity(2, 2), .yx = Eigen::MatrixXd::Ones(2, 2)});
  const auto report = check_objective(phi, Vec::Ones(2), Vec::Constant(2, 0.3));
  EXPECT_TRUE(report.passed()) << report.text();
  EXPECT_EQ(find(report, "hess_yy: Taylor slope of grad_y").measured, std::numeric_limits<double>::infinity());
}

TEST(CheckObjective, AcceptsAPointWhereGradientAndValueVanish) {
  const Quadratic phi("q", 1, 2, {.yy = Eigen::MatrixXd::Identity(2, 2)});
  const auto report = check_objective(phi, Vec::Ones(1), Vec::Zero(2));
  EXPECT_TRUE(report.passed()) << report.text();
}

TEST(CheckObjective, AcceptsAnEmptyLeader) {
  const auto phi = make_objective(
      "rosenbrock", 0, 2, [](auto, auto y) { return square(1.0 - y[0]) + 100.0 * square(y[1] - square(y[0])); });
  const auto report = check_objective(*phi, Vec(0), (Vec(2) << -1.2, 1.0).finished());
  EXPECT_TRUE(report.passed()) << report.text();
}

TEST(CheckObjective, AcceptsLongStepsThatLeaveTheDomain) {
  const auto phi = make_objective("log", 1, 1, [](auto x, auto y) { return x[0] * y[0] - log(y[0]) - log(x[0]); });
  const auto report = check_objective(*phi, Vec::Constant(1, 0.01), Vec::Constant(1, 0.02));
  EXPECT_TRUE(report.passed()) << report.text();
}

// A constant shift leaves the derivatives of the gradient right, so only its own check may fail.
TEST(CheckObjective, FindsAWrongGradX) {
  const auto report = check({.evaluation = [](Evaluation& e, const Vec&, const Vec&, Batch) {
    if (e.grad_x) (*e.grad_x)[1] += 1e-4;
  }});
  EXPECT_EQ(report.failed(), (Names{"grad_x: Taylor slope of value"})) << report.text();
  EXPECT_EQ(report.suspects(), Oracle::grad_x);
  EXPECT_EQ(report.checks[1].explanation, "grad_x is not the derivative of value along x");
  EXPECT_NEAR(report.checks[1].measured, 1, 0.1);  // slope 1, up to the curvature at the largest fitted step
}

TEST(CheckObjective, FindsAWrongGradY) {
  const auto report = check({.evaluation = [](Evaluation& e, const Vec&, const Vec&, Batch) {
    if (e.grad_y) (*e.grad_y)[2] -= 1e-4;
  }});
  EXPECT_EQ(report.failed(), (Names{"grad_y: Taylor slope of value"})) << report.text();
  EXPECT_EQ(report.suspects(), Oracle::grad_y);
}

TEST(CheckObjective, BlamesTheGradientWhoseProductsFailWithIt) {
  const auto report = check({.evaluation = [](Evaluation& e, const Vec&, const Vec&, Batch) {
    if (e.grad_y) *e.grad_y *= 1.01;
  }});
  EXPECT_EQ(report.failed(), (Names{"grad_y: Taylor slope of value", "hess_yy: Taylor slope of grad_y",
                                    "hess_yx: slope of grad_y along x"}));
  EXPECT_EQ(report.suspects(), Oracle::grad_y) << report.text();
  EXPECT_EQ(find(report, "hess_yy: Taylor slope of grad_y").explanation,
            "hess_yy is not the derivative of grad_y along y, but grad_y failed its own check: correct grad_y first");
}

TEST(CheckObjective, SuspectsTheValueIfBothGradientsFail) {
  const auto report = check({.evaluation = [](Evaluation& e, const Vec&, const Vec&, Batch) {
    if (e.value) *e.value *= 2;
  }});
  EXPECT_EQ(report.failed(), (Names{"grad_x: Taylor slope of value", "grad_y: Taylor slope of value"}));
  EXPECT_TRUE(report.suspects().has(Oracle::value)) << report.text();
}

TEST(CheckObjective, FindsAWrongHessYY) {
  const auto report = check({.hess_yy = [](Vec& Hv, const Vec& v, Batch) { Hv += 1e-4 * v; }});
  EXPECT_EQ(report.failed(), (Names{"hess_yy: Taylor slope of grad_y"})) << report.text();
  EXPECT_EQ(report.suspects(), Oracle::hess_yy);
}

TEST(CheckObjective, FindsAnAsymmetricHessYY) {
  const auto report = check({.hess_yy = [](Vec& Hv, const Vec& v, Batch) { Hv[0] += 1e-4 * v[2]; }});
  EXPECT_EQ(report.failed(), (Names{"hess_yy: Taylor slope of grad_y", "hess_yy symmetric"})) << report.text();
  EXPECT_EQ(report.suspects(), Oracle::hess_yy);
}

TEST(CheckObjective, FindsAWrongHessXY) {
  const auto report = check({.hess_xy = [](Vec& Bv, const Vec& v, Batch) { Bv[0] += 1e-4 * v[1]; }});
  EXPECT_EQ(report.failed(), (Names{"hess_xy: slope of grad_x along y", "hess_xy and hess_yx adjoint"}));
  EXPECT_EQ(report.suspects(), Oracle::hess_xy) << report.text();
}

TEST(CheckObjective, FindsAWrongHessYX) {
  const auto report = check({.hess_yx = [](Vec& Btu, const Vec& u, Batch) { Btu[2] += 1e-4 * u[0]; }});
  EXPECT_EQ(report.failed(), (Names{"hess_yx: slope of grad_y along x", "hess_xy and hess_yx adjoint"}));
  EXPECT_EQ(report.suspects(), Oracle::hess_yx) << report.text();
}

TEST(CheckObjective, FindsBothThatDisagrees) {
  const auto report = check({.both = [](Products& products) { products.hess_xy *= 1 + 1e-9; }});
  EXPECT_EQ(report.failed(), (Names{"both agrees with single products"})) << report.text();
  EXPECT_EQ(report.suspects(), Oracle::hess_xy);
}

TEST(CheckObjective, FindsLinearizeThatDisagrees) {
  const auto report = check({.linearize_only = [](Evaluation& e) {
    if (e.grad_y) *e.grad_y *= 1 + 1e-9;
  }});
  EXPECT_EQ(report.failed(), (Names{"linearize agrees with evaluate"})) << report.text();
  EXPECT_EQ(report.suspects(), Oracle::grad_y);
}

TEST(CheckObjective, FindsEvaluateThatDisagreesWithItsSingleCalls) {
  const auto report = check({.evaluate_only = [](Evaluation& e) {
    if (e.value && e.grad_x && e.grad_y) *e.value += 1e-6;
  }});
  // The value at the point itself is taken from the fused call, so its slopes break down too.
  EXPECT_FALSE(find(report, "evaluate agrees with single calls").passed) << report.text();
  EXPECT_FALSE(find(report, "linearize agrees with evaluate").passed);
  EXPECT_TRUE(report.suspects().has(Oracle::value));
}

TEST(CheckObjective, FindsAnswersThatChangeFromCallToCall) {
  auto calls = std::make_shared<int>(0);
  const auto report = check({.hess_yx = [calls](Vec& Btu, const Vec&, Batch) { Btu *= 1 + 1e-15 * ++*calls; }});
  EXPECT_EQ(report.failed(), (Names{"same call, same answer"})) << report.text();
  EXPECT_EQ(report.suspects(), Oracle::hess_yx);
}

// Each oracle in turn sums over the batch but divides by all samples, as a forgotten factor does.
TEST(CheckObjective, FindsABiasedBatch) {
  const auto share = [](Batch batch) {
    return batch.is_full() ? 1.0 : static_cast<double>(batch.indices().size()) / 7;
  };
  const auto biased_product = [&](Vec& product, const Vec&, Batch batch) { product *= share(batch); };
  const auto expect_only = [](const CheckReport& report, Oracle oracle) {
    const auto name = std::string(to_string(oracle));
    EXPECT_EQ(report.failed(), (Names{"batches unbiased: " + name, "batches with repeated samples"})) << report.text();
    EXPECT_EQ(report.suspects(), oracle);
  };
  expect_only(check({.evaluation =
                         [&](Evaluation& e, const Vec&, const Vec&, Batch batch) {
                           if (e.value) *e.value *= share(batch);
                         }}),
              Oracle::value);
  expect_only(check({.evaluation =
                         [&](Evaluation& e, const Vec&, const Vec&, Batch batch) {
                           if (e.grad_x) *e.grad_x *= share(batch);
                         }}),
              Oracle::grad_x);
  expect_only(check({.evaluation =
                         [&](Evaluation& e, const Vec&, const Vec&, Batch batch) {
                           if (e.grad_y) *e.grad_y *= share(batch);
                         }}),
              Oracle::grad_y);
  expect_only(check({.hess_yy = biased_product}), Oracle::hess_yy);
  expect_only(check({.hess_xy = biased_product}), Oracle::hess_xy);
  expect_only(check({.hess_yx = biased_product}), Oracle::hess_yx);
}

TEST(CheckObjective, FindsABatchThatDropsRepetitions) {
  const auto report = check({.evaluation = [](Evaluation& e, const Vec&, const Vec&, Batch batch) {
    const auto indices = batch.indices();
    const bool repeats = std::ranges::count(indices, indices.empty() ? 0 : indices.front()) > 1;
    if (e.value && repeats) *e.value /= 2;
  }});
  EXPECT_EQ(report.failed(), (Names{"batches with repeated samples"})) << report.text();
}

TEST(CheckObjective, FindsAnswersOfTheWrongLength) {
  const auto report = check({.hess_xy = [](Vec& Bv, const Vec&, Batch) { Bv = Vec::Zero(3); }});
  ASSERT_EQ(report.checks.size(), 1u) << report.text();
  EXPECT_FALSE(report.passed());
  EXPECT_EQ(report.suspects(), Oracle::hess_xy);
  EXPECT_EQ(report.checks[0].explanation,
            "objective 'altered' must answer hess_xy with length 2, but its answer has length 3");
}

TEST(CheckObjective, FindsAnswersThatAreMissingOrNotFinite) {
  const auto missing = check({.linearize_only = [](Evaluation& e) { e.grad_x.reset(); }});
  EXPECT_EQ(missing.checks.back().explanation,
            "objective 'altered' was asked for value, grad_x, grad_y but left some of it empty");
  const auto infinite = check({.evaluation = [](Evaluation& e, const Vec&, const Vec&, Batch) {
    if (e.value) e.value = std::numeric_limits<double>::infinity();
  }});
  EXPECT_EQ(infinite.checks.back().explanation,
            "value of evaluate is not finite at this point; value of linearize is not finite at this point");
}

TEST(CheckObjective, TellsNoiseFromAWrongDerivative) {
  const auto rounded = [](Evaluation& e, const Vec&, const Vec&, Batch) {
    if (e.value) *e.value = static_cast<float>(*e.value);
  };
  const auto report = check({.evaluation = rounded});
  EXPECT_FALSE(report.passed());
  EXPECT_NE(report.text().find("value is less exact than noise = 1e-13 says"), std::string::npos) << report.text();
  const auto wrong = check({.hess_yy = [](Vec& Hv, const Vec& v, Batch) { Hv += 1e-4 * v; }});
  EXPECT_EQ(wrong.text().find("less exact"), std::string::npos) << wrong.text();
  EXPECT_TRUE(check({.evaluation = rounded}, {.noise = 1e-6}).passed());
}

TEST(CheckObjective, ChecksOnlyWhatIsProvidedAndSaysSo) {
  const auto report = check({.hidden = Oracle::grad_x | Oracle::hess_xy | Oracle::hess_yx});
  EXPECT_TRUE(report.passed()) << report.text();
  EXPECT_EQ(report.not_checked, (Names{"grad_x, which needs grad_x", "hess_xy, which needs grad_x, hess_xy",
                                       "hess_yx, which needs hess_yx"}));
  const auto wrong = check({.hess_yy = [](Vec& Hv, const Vec&, Batch) { Hv *= 2; }, .hidden = Oracle::value});
  // Without a value nothing tells which of the two is wrong.
  EXPECT_EQ(wrong.suspects(), Oracle::grad_y | Oracle::hess_yy) << wrong.text();
}

TEST(CheckObjective, WritesALineForEachCheckAndAVerdict) {
  const auto text = check({.hess_yy = [](Vec& Hv, const Vec& v, Batch) { Hv += v; }}).text();
  EXPECT_NE(text.find("ok     grad_x: Taylor slope of value"), std::string::npos) << text;
  EXPECT_NE(text.find("slope 1.00; hess_yy is not the derivative of grad_y along y\n"), std::string::npos) << text;
  EXPECT_NE(text.find("1 of 23 checks failed: look at hess_yy first\n"), std::string::npos) << text;
  EXPECT_NE(check({}).text().find("all 23 checks passed\n"), std::string::npos);
}

TEST(CheckObjective, RefusesWhatItCannotCheck) {
  const auto phi = testing::right_objective();
  EXPECT_EQ(message_of<DimensionMismatch>([&] { check_objective(*phi, Vec::Zero(1), kPointY); }),
            "objective 'right' needs x of length 2, but the check was given length 1");
  const Vec bad = Vec::Constant(3, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(message_of<InvalidInput>([&] { check_objective(*phi, kPointX, bad); }),
            "the check of objective 'right' needs a point y without NaN or infinite entries");
  EXPECT_EQ(message_of<InvalidOption>([] { check({}, {.directions = 0}); }),
            "the check's directions is 0, but it must be in 1..1000");
  EXPECT_EQ(message_of<InvalidOption>([] { check({}, {.noise = 0}); }),
            "the check's noise is 0, but it must be in (0, 0.01]");
  EXPECT_EQ(message_of<InvalidOption>([] { check({}, {.batch_size = 8}); }),
            "the check's batch_size is 8, but objective 'altered' has 7 samples");
}

}  // namespace
}  // namespace bilevel
