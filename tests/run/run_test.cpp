#include "bilevel/run.hpp"

#include <gtest/gtest.h>

#include "bilevel/smbg.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

/// A method that reports what a script says: one row a step, the last one repeated. x counts the steps.
class Scripted final : public OuterMethod {
 public:
  struct State final : OuterMethod::State {
    std::unique_ptr<OuterMethod::State> clone() const override { return std::make_unique<State>(*this); }
  };
  explicit Scripted(std::vector<StepReport> script) : script_(std::move(script)) {}
  std::string_view name() const override { return "scripted"; }
  Needs needs() const override { return {Oracle::value, Oracle::grad_y}; }
  StepReport step(const BilevelProblem& problem, OuterMethod::State& state) const override {
    const auto at = std::min(static_cast<std::size_t>(state.iteration), script_.size() - 1);
    state.answered_x = state.x;
    state.x.array() += 1;
    state.y.setConstant(10 * state.x[0]);
    ++state.iteration;
    problem.upper->value(state.x, state.y);
    if (after_step) after_step();
    return script_[at];
  }
  std::function<void()> after_step;

 private:
  std::unique_ptr<OuterMethod::State> do_init(const BilevelProblem& problem) const override {
    auto state = std::make_unique<State>();
    state->x = problem.x0;
    state->y = problem.y0;
    return state;
  }
  std::vector<StepReport> script_;
};

BilevelProblem small_problem() {
  const auto one = Eigen::MatrixXd::Identity(1, 1);
  return {"small",
          std::make_shared<Quadratic>("f", 1, 1, QuadraticCoefficients{.yy = one}),
          std::make_shared<Quadratic>("g", 1, 1, QuadraticCoefficients{.yy = one}),
          vec({0}),
          vec({0}),
          {}};
}

/// Reports with these upper values and, unless given, hypergradients of norm 1.
std::vector<StepReport> rows(const std::vector<double>& upper, const std::vector<double>& norms = {}) {
  std::vector<StepReport> script;
  for (std::size_t i = 0; i < upper.size(); ++i) {
    StepReport report;
    report.upper = upper[i];
    report.hypergradient_norm = norms.empty() ? 1 : norms[i];
    script.push_back(report);
  }
  return script;
}

TEST(StopRules, ToleranceIsRelativeToTheFirstHypergradient) {
  const Scripted method(rows({5, 4, 3, 2}, {1000, 10, 1.01, 0.99}));
  StopRule stop;
  stop.tolerance = 1e-3;
  const auto result = run(small_problem(), method, stop);
  EXPECT_EQ(result.status, Status::converged);
  EXPECT_EQ(result.iterations, 4);
  EXPECT_NE(result.message.find("0.99"), std::string::npos) << result.message;
  stop.tolerance = 0;
  stop.max_iterations = 6;
  EXPECT_EQ(run(small_problem(), Scripted(rows({1}, {0})), stop).status, Status::budget_reached) << "0 means never";
}

TEST(StopRules, NothingIsJudgedByAStepThatWasNotTaken) {
  auto script = rows({5, 4, 1, 3, 2}, {1000, 10, 1e-9, 5, 1e-9});
  script[2].accepted = false;
  StopRule stop;
  stop.max_iterations = 5;
  auto result = run(small_problem(), Scripted(script), stop);
  EXPECT_EQ(result.status, Status::converged);
  EXPECT_EQ(result.iterations, 5) << "not 3, whose trial was taken back";
  EXPECT_EQ(result.best_upper, 2) << "nor is its f the best";
  script[4].solved = false;
  EXPECT_EQ(run(small_problem(), Scripted(script), stop).status, Status::budget_reached) << "the method knows better";
  script[1].solved = true;
  script[1].message = "by its own measure";
  result = run(small_problem(), Scripted(script), stop);
  EXPECT_EQ(result.status, Status::converged);
  EXPECT_EQ(result.iterations, 2);
  EXPECT_EQ(result.message, "by its own measure");
}

TEST(StopRules, ConvergedNeedsAFollowerThatHasSettled) {
  auto script = rows({5, 4, 3}, {1000, 1e-9, 1e-9});
  const double start = norm(small_problem().lower->grad_y(small_problem().x0, small_problem().y0));
  script[0].lower_residual = std::max(1.0, start);
  script[1].lower_residual = 0.5;
  script[2].lower_residual = 1e-6;
  StopRule stop;
  stop.max_iterations = 3;
  const auto result = run(small_problem(), Scripted(script), stop);
  EXPECT_EQ(result.status, Status::converged);
  EXPECT_EQ(result.iterations, 3) << "at step 2 the follower was not near its answer";
}

TEST(StopRules, ImprovementOverPatience) {
  StopRule stop;
  stop.improvement = 0.1;
  stop.patience = 3;
  // 10, 8 are improvements by a tenth; 7.9, 7.5, 7.3 are not, measured from 8.
  const auto result = run(small_problem(), Scripted(rows({10, 8, 7.9, 7.5, 7.3, 1})), stop);
  EXPECT_EQ(result.status, Status::stagnated);
  EXPECT_EQ(result.iterations, 5);
  // Slow but steady progress counts once it sums up to a tenth: 7.1 is below 0.9 * 8.
  const auto steady = run(small_problem(), Scripted(rows({10, 8, 7.7, 7.4, 7.1, 7.1, 7.1, 7.1, 7.1})), stop);
  EXPECT_EQ(steady.iterations, 8);
  // Negative values: a tenth of their size.
  const auto negative = run(small_problem(), Scripted(rows({-10, -10.5, -10.9, -11.5, -11.6, -11.7, -11.8})), stop);
  EXPECT_EQ(negative.iterations, 7) << negative.message;  // -11.5, the fourth, is the last improvement
}

TEST(StopRules, IterationsTimeAndInterrupt) {
  StopRule stop;
  stop.max_iterations = 7;
  auto result = run(small_problem(), Scripted(rows({1})), stop);
  EXPECT_EQ(result.status, Status::budget_reached);
  EXPECT_EQ(result.iterations, 7);
  EXPECT_NE(result.message.find("7 steps"), std::string::npos) << result.message;

  stop = {};
  stop.time_limit = 1e-9;
  result = run(small_problem(), Scripted(rows({1})), stop);
  EXPECT_EQ(result.status, Status::budget_reached);
  EXPECT_EQ(result.iterations, 1) << "at least one step";
  EXPECT_NE(result.message.find("time limit"), std::string::npos) << result.message;

  std::atomic<bool> flag = false;
  Scripted method(rows({1}));
  int steps = 0;
  method.after_step = [&] { flag = ++steps == 3; };
  stop = {};
  stop.interrupt = &flag;
  result = run(small_problem(), method, stop);
  EXPECT_EQ(result.status, Status::interrupted);
  EXPECT_EQ(result.iterations, 3) << "the running step is finished";
}

TEST(StopRules, OrderWhenSeveralApply) {
  StopRule stop;
  stop.tolerance = 0.5;
  stop.max_iterations = 2;
  const std::atomic<bool> flag = true;
  stop.interrupt = &flag;
  EXPECT_EQ(run(small_problem(), Scripted(rows({2, 1}, {1, 0.1})), stop).status, Status::interrupted);
  stop.interrupt = nullptr;
  EXPECT_EQ(run(small_problem(), Scripted(rows({2, 1}, {1, 0.1})), stop).status, Status::converged);
}

TEST(StopRules, OutOfRangeIsRejectedBeforeTheFirstStep) {
  const auto expect_refused = [](const std::string& option, auto change) {
    StopRule stop;
    change(stop);
    try {
      run(small_problem(), Scripted(rows({1})), stop);
      FAIL() << option << " was accepted";
    } catch (const InvalidOption& error) {
      EXPECT_NE(std::string(error.what()).find(option), std::string::npos) << error.what();
    }
  };
  expect_refused("max-iterations", [](StopRule& stop) { stop.max_iterations = 0; });
  expect_refused("tolerance", [](StopRule& stop) { stop.tolerance = -1; });
  expect_refused("tolerance", [](StopRule& stop) { stop.tolerance = std::nan(""); });
  expect_refused("improvement", [](StopRule& stop) { stop.improvement = 1.5; });
  expect_refused("patience", [](StopRule& stop) { stop.patience = 0; });
  expect_refused("time-limit", [](StopRule& stop) { stop.time_limit = 0; });
}

/// Writes down what it is told.
class Diary final : public Observer {
 public:
  Diary(std::string name, std::vector<std::string>& pages) : name_(std::move(name)), pages_(pages) {}
  void on_start(const BilevelProblem& problem, const OuterMethod::State& state) override {
    pages_.push_back(name_ + " start " + problem.name + " " + std::to_string(state.iteration));
  }
  void on_step(const TraceRow& row, const OuterMethod::State& state) override {
    pages_.push_back(name_ + " step " + std::to_string(row.iteration) + " " + std::to_string(state.iteration));
  }
  void on_finish(const RunResult& result) override {
    pages_.push_back(name_ + " finish " + std::string(to_string(result.status)));
  }

 private:
  std::string name_;
  std::vector<std::string>& pages_;
};

TEST(Observers, AreToldEverythingInOrder) {
  std::vector<std::string> pages;
  Diary a("a", pages), b("b", pages);
  StopRule stop;
  stop.max_iterations = 2;
  run(small_problem(), Scripted(rows({1})), stop, {&a, &b});
  EXPECT_EQ(pages,
            (std::vector<std::string>{"a start small 0", "b start small 0", "a step 1 1", "b step 1 1", "a step 2 2",
                                      "b step 2 2", "a finish budget_reached", "b finish budget_reached"}));
}

TEST(Observers, AreNotToldOfAFailedStepButOfTheEnd) {
  auto script = rows({1, 2});
  script[1].status = Status::nonfinite;
  std::vector<std::string> pages;
  Diary a("a", pages);
  run(small_problem(), Scripted(script), {}, {&a});
  EXPECT_EQ(pages, (std::vector<std::string>{"a start small 0", "a step 1 1", "a finish nonfinite"}));
}

TEST(Run, RollsAFailedStepBack) {
  for (const auto status : {Status::nonfinite, Status::breakdown, Status::lower_failed}) {
    auto script = rows({5, 4, 3});
    script[2].status = status;
    script[2].message = "the reason";
    const auto result = run(small_problem(), Scripted(script));
    EXPECT_EQ(result.status, status);
    EXPECT_EQ(result.iterations, 2);
    EXPECT_EQ(result.state->x[0], 2) << "the state before the failed step";
    EXPECT_EQ(result.x, result.state->answered_x) << "the last leader that was answered, and the answer to it";
    EXPECT_EQ(result.x[0], 1);
    EXPECT_EQ(result.y[0], 20);
    EXPECT_EQ(result.upper, 4);
    EXPECT_EQ(result.trace.size(), 2u);
    EXPECT_NE(result.message.find("step 3"), std::string::npos) << result.message;
    EXPECT_NE(result.message.find("the reason"), std::string::npos) << result.message;
  }
}

TEST(Run, AFailureOfTheFirstStepLeavesTheStart) {
  auto script = rows({5});
  script[0].status = Status::nonfinite;
  const auto result = run(small_problem(), Scripted(script));
  EXPECT_EQ(result.x[0], 0);
  EXPECT_EQ(result.best_x[0], 0);
  EXPECT_EQ(result.best_iteration, 0);
  EXPECT_TRUE(std::isnan(result.upper)) << "no pair was evaluated";
}

TEST(Run, BestPairIsTheOneThatWasEvaluatedNotTheLast) {
  StopRule stop;
  stop.max_iterations = 5;
  const auto result = run(small_problem(), Scripted(rows({5, 3, 4, 3, 6})), stop);
  EXPECT_EQ(result.best_upper, 3);
  EXPECT_EQ(result.best_iteration, 2) << "the first of equals";
  EXPECT_EQ(result.best_x[0], 1) << "step 2 evaluates x_1";
  EXPECT_EQ(result.best_y[0], 20) << "and its follower's answer is step 2's";
  EXPECT_EQ(result.upper, 6);
  EXPECT_EQ(result.x[0], 4) << "the leader that step 5 evaluated, not the one that it moved to";

  const auto problem = quadratic_problem();
  const auto real = run(problem, Smbg());
  EXPECT_EQ(problem.upper->value(real.best_x, real.best_y), real.best_upper);
}

TEST(Run, CountsAreThoseOfTheObjectives) {
  const auto problem = quadratic_problem();
  problem.lower->grad_y(problem.x0, problem.y0);  // what was called before is not the run's
  const auto lower = problem.lower->counts(), upper = problem.upper->counts();
  const auto result = run(problem, Smbg());
  EXPECT_EQ(result.lower_calls.calls, (problem.lower->counts() - lower).calls);
  EXPECT_EQ(result.upper_calls.calls, (problem.upper->counts() - upper).calls);
  EXPECT_EQ(result.trace.back().lower.calls, result.lower_calls.calls);
  EXPECT_EQ(result.trace.back().upper[Oracle::value], static_cast<std::uint64_t>(result.iterations));
  for (std::size_t i = 1; i < result.trace.size(); ++i) {
    EXPECT_EQ(result.trace[i].iteration, result.trace[i - 1].iteration + 1);
    EXPECT_GE(result.trace[i].seconds, result.trace[i - 1].seconds);
    EXPECT_GE(result.trace[i].lower.total(), result.trace[i - 1].lower.total());
  }
  EXPECT_GE(result.seconds, result.trace.back().seconds);
}

TEST(Run, MisfitsAreReportedBeforeTheFirstStepAllAtOnce) {
  auto problem = quadratic_problem();
  auto lower = oracles_of(problem.lower), upper = oracles_of(problem.upper);
  lower.hess_yy = nullptr;
  lower.hess_xy = nullptr;
  upper.grad_y = nullptr;
  problem.lower = objective_of("poor g", 3, 4, lower);
  problem.upper = objective_of("poor f", 3, 4, upper);
  std::vector<std::string> pages;
  Diary diary("a", pages);
  try {
    run(problem, Smbg(), {}, {&diary});
    FAIL();
  } catch (const MissingOracle& error) {
    const std::string message = error.what();
    for (const std::string part : {"grad_y of 'poor f'", "hess_yy, hess_xy of 'poor g'"}) {
      EXPECT_NE(message.find(part), std::string::npos) << message;
    }
  }
  EXPECT_TRUE(pages.empty());
  EXPECT_EQ(problem.lower->counts().total() + problem.upper->counts().total(), 0u);

  auto misshapen = quadratic_problem();
  misshapen.x0 = Vec::Zero(2);
  EXPECT_THROW(run(misshapen, Smbg()), DimensionMismatch);
}

}  // namespace
}  // namespace bilevel::testing
