// One number that is not finite in one answer of one oracle: it ends the run with its origin named, or is a finding. It
// is never absorbed without a word.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

#include "bilevel/registry.hpp"
#include "bilevel/run.hpp"
#include "bilevel/smbg.hpp"
#include "core/altered.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// What is put into which answer, and whether it came to that.
struct Injection {
  bool upper;
  Oracle oracle;
  int call;  // 1, 2, ...
  double number;
};

struct Injected {
  BilevelProblem problem;
  std::shared_ptr<int> calls;  // of the oracle so far
};

Injected inject(BilevelProblem problem, const Injection& what) {
  auto calls = std::make_shared<int>(0);
  const auto due = [calls, call = what.call] { return ++*calls == call; };
  Alterations alterations;
  if (what.oracle == Oracle::value || what.oracle == Oracle::grad_x || what.oracle == Oracle::grad_y) {
    alterations.evaluation = [=](Evaluation& answers, const Vec&, const Vec&, Batch) {
      const auto into = [&](auto& vector) {
        if (vector && due()) (*vector)[vector->size() - 1] = what.number;
      };
      if (what.oracle == Oracle::value && answers.value && due()) answers.value = what.number;
      if (what.oracle == Oracle::grad_x) into(answers.grad_x);
      if (what.oracle == Oracle::grad_y) into(answers.grad_y);
    };
  } else {
    const auto into = [=](Vec& product, const Vec&, Batch) {
      if (due()) product[product.size() - 1] = what.number;
    };
    if (what.oracle == Oracle::hess_yy) alterations.hess_yy = into;
    if (what.oracle == Oracle::hess_xy) alterations.hess_xy = into;
  }
  auto& objective = what.upper ? problem.upper : problem.lower;
  objective = std::make_shared<Altered>(alterations, objective);
  return {std::move(problem), calls};
}

std::string name_of(const Injection& what) {
  return std::string(to_string(what.oracle)) + " of the " + (what.upper ? "upper" : "lower") + " objective 'altered'";
}

class NeverAbsorbed : public ::testing::TestWithParam<std::string> {};

TEST_P(NeverAbsorbed, OneNumberThatIsNotFinite) {
  StopRule stop;
  stop.max_iterations = 6;
  stop.tolerance = 0;
  int stopped = 0, found = 0;
  for (const auto& game : {quadratic_problem(), nonlinear_problem(), two_wells(1.2)}) {
    const auto method = make_method(GetParam());
    for (const bool upper : {true, false}) {
      for (const auto oracle : {Oracle::value, Oracle::grad_x, Oracle::grad_y, Oracle::hess_yy, Oracle::hess_xy}) {
        for (const int call : {1, 2, 5, 17}) {
          for (const double number : {kNaN, kInfinity}) {
            const Injection what{upper, oracle, call, number};
            const auto [problem, calls] = inject(game, what);
            const auto result = run(problem, *method, stop);
            if (*calls < call) continue;  // the run had no such call
            const auto where = game.name + ", " + name_of(what) + ", call " + std::to_string(call) + " answers " +
                               std::to_string(number) + ": " + std::string(to_string(result.status)) + ", " +
                               result.message;
            EXPECT_TRUE(all_finite(result.x) && all_finite(result.y)) << where;
            EXPECT_TRUE(all_finite(result.best_x) && all_finite(result.best_y)) << where;
            const auto finding = std::find_if(result.findings.begin(), result.findings.end(),
                                              [](const Finding& f) { return f.name == "nonfinite_answers"; });
            if (finding != result.findings.end()) {
              EXPECT_NE(finding->text.find(name_of(what)), std::string::npos) << where << finding->text;
              ++found;
            } else {
              EXPECT_NE(result.message.find(name_of(what)), std::string::npos) << where;
              EXPECT_TRUE(result.status != Status::converged && result.status != Status::budget_reached) << where;
              ++stopped;
            }
          }
        }
      }
    }
  }
  EXPECT_GT(stopped + found, 20);
}

INSTANTIATE_TEST_SUITE_P(Methods, NeverAbsorbed, ::testing::ValuesIn(method_names()),
                         [](const auto& method) { return method.param; });

bool has_finding(const RunResult& result) {
  return std::any_of(result.findings.begin(), result.findings.end(),
                     [](const Finding& finding) { return finding.name == "nonfinite_answers"; });
}

TEST(NonfiniteAnswers, AnUndefinedLowerValueEndsTheRun) {
  auto problem = quadratic_problem();
  auto oracles = oracles_of(problem.lower);
  oracles.value = [](const Vec&, const Vec&) { return kNaN; };
  problem.lower = objective_of("g", 3, 4, oracles);
  const auto result = run(problem, Smbg());
  EXPECT_EQ(result.status, Status::nonfinite);
  EXPECT_EQ(result.iterations, 0);
  EXPECT_NE(result.message.find("step 1 failed and was rolled back: value of the lower objective 'g' is nan"),
            std::string::npos)
      << result.message;
}

TEST(NonfiniteAnswers, FarFromTheirDomainSaySo) {
  auto problem = two_wells(1);
  problem.lower = make_objective("g", 1, 1, [](auto x, auto y) { return square(y[0] - x[0]) + log(y[0] - 5.0); });
  problem.y0 = vec({0.2});
  const auto result = run(problem, Smbg());
  EXPECT_EQ(result.status, Status::nonfinite);
  EXPECT_NE(result.message.find("of the lower objective 'g'"), std::string::npos) << result.message;
}

TEST(NonfiniteAnswers, InTrialsThatWereTakenBackAreAFinding) {
  // phi(x) = -log(1 - x) - 3 x is defined for x < 1 and least at 2/3; the first step of a leader who knows only the
  // slope of -2 at 0 goes beyond.
  const BilevelProblem problem{"edge",
                               make_objective("f", 1, 1, [](auto x, auto y) { return -log(1.0 - y[0]) - 3.0 * x[0]; }),
                               make_objective("g", 1, 1, [](auto x, auto y) { return square(y[0] - x[0]); }),
                               vec({0}),
                               vec({0}),
                               {}};
  SmbgOptions options;
  options.leader.step_size = 2.0;
  const auto fixed = run(problem, Smbg(options));
  EXPECT_EQ(fixed.status, Status::nonfinite) << "a step size that the user insists on is not shortened";
  EXPECT_NE(fixed.message.find("value of the upper objective 'f' is nan"), std::string::npos) << fixed.message;
  options.leader.step_size.reset();
  const auto automatic = run(problem, Smbg(options));
  EXPECT_EQ(automatic.status, Status::converged) << automatic.message;
  EXPECT_NEAR(automatic.x[0], 2.0 / 3, 1e-6) << "the leader's tolerance of 1e-8 on the gradient";
  EXPECT_TRUE(has_finding(automatic));
  EXPECT_FALSE(has_finding(run(quadratic_problem(), Smbg()))) << "where all is finite there is nothing to say";
}

}  // namespace
}  // namespace bilevel::testing
