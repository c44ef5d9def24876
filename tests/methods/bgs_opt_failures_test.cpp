// What BGS-Opt refuses, and how it ends where numbers fail.
#include <gtest/gtest.h>

#include "bgs_opt_games.hpp"
#include "bilevel/registry.hpp"
#include "bilevel/run.hpp"

namespace bilevel::testing {
namespace {

TEST(BgsOptFailures, AProductThatIsNotFiniteIsRolledBackAndNamed) {
  for (const auto solver : {AdjointSolver::automatic, AdjointSolver::normal_gradient}) {
    auto problem = quadratic_problem();
    auto lower = oracles_of(problem.lower);
    auto calls = std::make_shared<int>(0);
    lower.hess_yy = [inner = problem.lower, calls](const Vec& x, const Vec& y, const Vec& v) -> Vec {
      return ++*calls > 30 ? Vec(v * std::nan("")) : inner->hess_yy(x, y, v);
    };
    problem.lower = objective_of("g with a hole", 3, 4, lower);
    auto options = fixed_steps(2, 0, true, 0.3, 0.01);
    options.adjoint_solver = solver;
    options.adjoint_iterations = 8;
    const auto result = run(problem, BgsOpt(options));
    EXPECT_EQ(result.status, Status::nonfinite);
    EXPECT_NE(result.message.find("adjoint system"), std::string::npos) << result.message;
    EXPECT_GE(result.iterations, 1);
    EXPECT_TRUE(all_finite(result.x) && all_finite(result.y));
    EXPECT_EQ(result.x, result.state->answered_x);
    EXPECT_TRUE(all_finite(bgs(*result.state).adjoint));
  }
}

TEST(BgsOptFailures, AnAutomaticLeaderComesBackFromWhereNothingIsFinite) {
  auto problem = quadratic_problem();
  auto upper = oracles_of(problem.upper);
  const Vec x0 = problem.x0;
  upper.value = [inner = problem.upper, x0](const Vec& x, const Vec& y) {
    return norm(x - x0) > 0.15 ? std::nan("") : inner->value(x, y);  // the first move has length 0.1 sqrt(3)
  };
  problem.upper = objective_of("f in a small ball", 3, 4, upper);
  StopRule stop;
  stop.max_iterations = 2;
  const auto result = run(problem, BgsOpt(), stop);
  EXPECT_EQ(result.status, Status::budget_reached) << result.message;
  EXPECT_EQ(result.iterations, 2);
}

TEST(BgsOptFailures, AFollowerThatRunsAwayIsNamed) {
  for (const Index T : {0, 5}) {
    const auto result = run(quadratic_problem(), BgsOpt(fixed_steps(400, T, true, 4, 0.1)));
    EXPECT_TRUE(result.status == Status::diverged || result.status == Status::nonfinite) << result.message;
    EXPECT_NE(result.message.find('4'), std::string::npos) << "names the step: " << result.message;
    EXPECT_EQ(result.x, quadratic_problem().x0) << "rolled back";
  }
}

TEST(BgsOptFailures, MissingOraclesAreAllNamedBeforeTheFirstStep) {
  auto problem = quadratic_problem();
  auto lower = oracles_of(problem.lower), upper = oracles_of(problem.upper);
  lower.hess_xy = nullptr;
  lower.hess_yx = nullptr;
  upper.grad_x = nullptr;
  problem.lower = objective_of("poor g", 3, 4, lower);
  problem.upper = objective_of("poor f", 3, 4, upper);
  try {
    BgsOpt().init(problem);
    FAIL() << "two oracles are missing";
  } catch (const MissingOracle& error) {
    const std::string message = error.what();
    for (const std::string part : {"bgs_opt", "grad_x of 'poor f'", "hess_xy of 'poor g'"}) {
      EXPECT_NE(message.find(part), std::string::npos) << message << " lacks " << part;
    }
    EXPECT_EQ(message.find("hess_yx of"), std::string::npos) << "not needed: " << message;
  }
}

TEST(BgsOptOptionsCheck, ValuesThatMakeNoSenseAreRefusedByName) {
  const auto expect_refused = [](const std::string& part, auto change) {
    BgsOptOptions options;
    change(options);
    try {
      const BgsOpt method(options);
      FAIL() << part << " was accepted";
    } catch (const InvalidOption& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  expect_refused("would never answer", [](BgsOptOptions& o) { o.warm_start_steps = o.unrolled_steps = 0; });
  expect_refused("would be ignored", [](BgsOptOptions& o) {
    o.unrolled_steps = 0;
    o.correction = false;
  });
  expect_refused("warm-start-steps", [](BgsOptOptions& o) { o.warm_start_steps = -1; });
  expect_refused("unrolled-steps", [](BgsOptOptions& o) { o.unrolled_steps = -1; });
  expect_refused("max-inner-steps", [](BgsOptOptions& o) { o.max_inner_steps = 0; });
  expect_refused("inner-step-size", [](BgsOptOptions& o) { o.inner_step_size = 0; });
  expect_refused("adjoint-tolerance", [](BgsOptOptions& o) { o.adjoint_tolerance = 0; });
  expect_refused("adjoint-tolerance", [](BgsOptOptions& o) { o.adjoint_tolerance = std::nan(""); });
  expect_refused("adjoint-iterations", [](BgsOptOptions& o) { o.adjoint_iterations = 0; });
  expect_refused("checkpoints", [](BgsOptOptions& o) { o.checkpoints = 0; });
  expect_refused("outer-step-size", [](BgsOptOptions& o) { o.leader.step_size = -1; });
  expect_refused("second-decay", [](BgsOptOptions& o) { o.leader.second_decay = 2; });
}

TEST(BgsOptOptionsCheck, TheRegistryMakesItWithSettings) {
  const auto method = make_method("bgs_opt", {{"unrolled-steps", "0"},
                                              {"warm-start-steps", "7"},
                                              {"adjoint-solver", "normal_gradient"},
                                              {"adjoint-iterations", "5"}});
  ASSERT_EQ(method->name(), "bgs_opt");
  const auto& options = dynamic_cast<const BgsOpt&>(*method).options();
  EXPECT_EQ(options.unrolled_steps, 0);
  EXPECT_EQ(options.warm_start_steps, 7);
  EXPECT_EQ(options.adjoint_solver, AdjointSolver::normal_gradient);
  EXPECT_EQ(options.adjoint_iterations, 5);
  EXPECT_THROW(make_method("bgs_opt", {{"unrolled-steps", "0"}, {"correction", "false"}}), InvalidOption);
}

}  // namespace
}  // namespace bilevel::testing
