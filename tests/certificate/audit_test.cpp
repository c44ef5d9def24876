#include "bilevel/audit.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "bilevel/status.hpp"
#include "core/altered.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

/// nonlinear_problem() with one of its objectives altered.
BilevelProblem altered(bool upper, Alterations alterations) {
  auto problem = nonlinear_problem();
  auto& which = upper ? problem.upper : problem.lower;
  which = std::make_shared<Altered>(std::move(alterations), which);
  return problem;
}

Audit audit_of(const BilevelProblem& problem) { return audit(problem, problem.x0, problem.y0); }

Alterations wrong(Oracle oracle) {
  Alterations alterations;
  switch (oracle) {
    case Oracle::value:
      alterations.evaluation = [](Evaluation& e, const Vec& x, const Vec& y, Batch) {
        if (e.value) *e.value += 0.1 * x[0] * y[0];
      };
      break;
    case Oracle::grad_x:
      alterations.evaluation = [](Evaluation& e, const Vec&, const Vec& y, Batch) {
        if (e.grad_x) (*e.grad_x)[0] += 0.1 * y[1];
      };
      break;
    case Oracle::grad_y:
      alterations.evaluation = [](Evaluation& e, const Vec& x, const Vec&, Batch) {
        if (e.grad_y) (*e.grad_y)[2] += 0.1 * x[1];
      };
      break;
    case Oracle::hess_yy: alterations.hess_yy = [](Vec& p, const Vec& v, Batch) { p[1] += 0.1 * v[1]; }; break;
    case Oracle::hess_xy: alterations.hess_xy = [](Vec& p, const Vec& v, Batch) { p[0] += 0.1 * v[2]; }; break;
    case Oracle::hess_yx: alterations.hess_yx = [](Vec& p, const Vec& u, Batch) { p[2] += 0.1 * u[0]; }; break;
  }
  return alterations;
}

constexpr std::array kAll{Oracle::value,   Oracle::grad_x,  Oracle::grad_y,
                          Oracle::hess_yy, Oracle::hess_xy, Oracle::hess_yx};

TEST(Audit, PassesRightProblems) {
  for (const auto& problem : {nonlinear_problem(), quadratic_problem(), two_wells(0.9)}) {
    const auto report = audit_of(problem);
    EXPECT_TRUE(report.passed()) << report.text();
    EXPECT_TRUE(report.hypergradient.not_checked.empty()) << report.text();
    // Two unrolled lines and one of the implicit derivative a direction.
    EXPECT_EQ(report.hypergradient.checks.size(), 15u);
    EXPECT_NE(report.text().find("the audit passed"), std::string::npos);
  }
}

TEST(Audit, CentralDifferencesFallAsTheThirdPower) {
  const auto report = audit_of(nonlinear_problem());
  int measured = 0;
  for (const auto& check : report.hypergradient.checks) {
    if (!check.name.starts_with("hypergradient")) continue;
    EXPECT_GT(check.measured, 2.7) << check.name;  // 3, fitted over steps where terms of fifth order are still at work
    ++measured;
  }
  EXPECT_EQ(measured, 5);
}

TEST(Audit, CatchesAndNamesEveryWrongOracleOfBothObjectives) {
  for (const bool upper : {true, false}) {
    for (const auto oracle : kAll) {
      const auto report = audit_of(altered(upper, wrong(oracle)));
      EXPECT_FALSE(report.passed()) << upper << ' ' << to_string(oracle);
      const auto& guilty = upper ? report.upper : report.lower;
      const auto& innocent = upper ? report.lower : report.upper;
      EXPECT_TRUE(guilty.suspects().has(oracle)) << to_string(oracle) << '\n' << report.text();
      EXPECT_TRUE(innocent.passed()) << to_string(oracle) << '\n' << report.text();
      EXPECT_NE(report.text().find(upper ? "look at the upper objective" : "look at the lower objective"),
                std::string::npos)
          << report.text();
    }
  }
}

TEST(Audit, CatchesWrongHypergradientsWhereTheOraclesAloneCannotBeCompared) {
  // Without grad_x and hess_yx of g nothing contradicts its hess_xy but the hypergradient.
  Alterations sign{.hess_xy = [](Vec& p, const Vec&, Batch) { p = -p; }, .hidden = Oracle::grad_x | Oracle::hess_yx};
  const auto report = audit_of(altered(false, std::move(sign)));
  EXPECT_TRUE(report.lower.passed()) << report.text();
  EXPECT_FALSE(report.hypergradient.passed());
  int implicit_failures = 0;
  for (const auto& name : report.hypergradient.failed()) implicit_failures += name.starts_with("hypergradient");
  EXPECT_EQ(implicit_failures, 5);
  EXPECT_TRUE(report.hypergradient.suspects().has(Oracle::hess_xy));

  const auto right = audit_of(altered(false, {.hidden = Oracle::grad_x | Oracle::hess_yx}));
  EXPECT_TRUE(right.passed()) << right.text();
}

TEST(Audit, CatchesAMixedDerivativeOfTheWrongSignInBothProducts) {
  Alterations sign{.hess_xy = [](Vec& p, const Vec&, Batch) { p = -p; },
                   .hess_yx = [](Vec& p, const Vec&, Batch) { p = -p; }};
  const auto report = audit_of(altered(false, std::move(sign)));
  EXPECT_FALSE(report.lower.passed());
  EXPECT_FALSE(report.hypergradient.passed());
  EXPECT_TRUE(report.lower.suspects().has(Oracle::hess_xy));
  EXPECT_TRUE(report.lower.suspects().has(Oracle::hess_yx));
}

TEST(Audit, LeavesOpenWhatCannotBeChecked) {
  // No minimiser: g falls without bound.
  const auto upper = make_objective("f", 1, 1, [](auto x, auto y) { return square(x[0]) + square(y[0] - 1.0); });
  const auto endless = make_objective("endless", 1, 1, [](auto x, auto y) { return x[0] * y[0] - y[0]; });
  const BilevelProblem unbounded{"unbounded", upper, endless, vec({0.5}), vec({0.5}), {}};
  const auto open = audit_of(unbounded);
  EXPECT_TRUE(open.passed()) << open.text();
  ASSERT_EQ(open.hypergradient.not_checked.size(), 1u);
  EXPECT_NE(open.hypergradient.not_checked[0].find("no minimiser"), std::string::npos);

  // A flat minimiser: H vanishes there.
  const auto quartic = make_objective("quartic", 1, 1, [](auto x, auto y) { return square(square(y[0] - x[0])); });
  const BilevelProblem flat{"flat", upper, quartic, vec({0.5}), vec({0.7}), {}};
  const auto degenerate = audit_of(flat);
  EXPECT_TRUE(degenerate.passed()) << degenerate.text();
  EXPECT_EQ(degenerate.hypergradient.not_checked.size(), 1u) << degenerate.text();

  const auto first_order = altered(false, {.hidden = Oracle::hess_yy});
  const auto hidden = audit_of(first_order);
  ASSERT_EQ(hidden.hypergradient.not_checked.size(), 1u);
  EXPECT_NE(hidden.hypergradient.not_checked[0].find("hess_yy"), std::string::npos);
  EXPECT_TRUE(hidden.hypergradient.checks.empty());
}

TEST(Audit, StaysInsideTheDomain) {
  // log is not a number for y <= 0, and the move by the seed may cross 0.
  const auto lower = make_objective("g", 1, 1, [](auto x, auto y) { return y[0] * exp(x[0]) - log(y[0]); });
  const auto upper = make_objective("f", 1, 1, [](auto x, auto y) { return square(x[0] - 1.0) + square(log(y[0])); });
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const BilevelProblem problem{"domain", upper, lower, vec({0.1}), vec({1e-3}), {}};
    const auto report = audit(problem, problem.x0, vec({0.7}), {.derivatives = {.seed = seed}});
    EXPECT_TRUE(report.passed()) << report.text();
  }
}

TEST(Audit, SaysTheSameForTheSameSeed) {
  EXPECT_EQ(audit_of(nonlinear_problem()).text(), audit_of(nonlinear_problem()).text());
}

TEST(Audit, RefusesMisuse) {
  const auto problem = nonlinear_problem();
  EXPECT_THROW(audit(problem, problem.y0, problem.y0), DimensionMismatch);
  EXPECT_THROW(audit(problem, Vec::Constant(2, std::numeric_limits<double>::quiet_NaN()), problem.y0), InvalidInput);
  EXPECT_THROW(audit(problem, problem.x0, problem.y0, {.directions = 0}), InvalidOption);
  EXPECT_THROW(audit(problem, problem.x0, problem.y0, {.inner_steps = 0}), InvalidOption);
  EXPECT_THROW(audit(problem, problem.x0, problem.y0, {.derivatives = {.noise = 1}}), InvalidOption);
}

}  // namespace
}  // namespace bilevel::testing
