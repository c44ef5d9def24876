// Exceptions of oracles and observers, requests to stop, and misuse: nothing that was computed is lost.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "bilevel/hoag.hpp"
#include "bilevel/registry.hpp"
#include "bilevel/run.hpp"
#include "bilevel/smbg.hpp"
#include "bilevel/soba.hpp"
#include "message_of.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

/// Of a type that the library does not know.
struct UsersError {
  int code;
};

StopRule steps(Index most) {
  StopRule stop;
  stop.max_iterations = most;
  stop.tolerance = 0;
  return stop;
}

/// The quadratic problem whose upper grad_x, which a method calls once a step, throws at call number `at`.
template <class Exception>
BilevelProblem throwing_problem(int at, Exception exception) {
  auto problem = quadratic_problem();
  auto oracles = oracles_of(problem.upper);
  oracles.grad_x = [inner = oracles.grad_x, calls = std::make_shared<int>(0), at, exception](const Vec& x,
                                                                                             const Vec& y) {
    if (++*calls == at) throw exception;
    return inner(x, y);
  };
  problem.upper = objective_of("moody f", 3, 4, oracles);
  return problem;
}

TEST(OracleExceptions, RollBackToTheLastStepAndAreHandedOn) {
  const auto result = run(throwing_problem(4, std::runtime_error("the simulator is down")), Smbg(), steps(9));
  const auto before = run(quadratic_problem(), Smbg(), steps(3));
  EXPECT_EQ(result.status, Status::exception);
  EXPECT_EQ(result.iterations, 3);
  EXPECT_EQ(result.x, before.x);
  EXPECT_EQ(result.y, before.y);
  EXPECT_EQ(result.best_upper, before.best_upper);
  EXPECT_EQ(result.trace.size(), 3u);
  EXPECT_EQ(result.message,
            "step 4 failed and was rolled back: the upper objective 'moody f' threw in value, grad_x, grad_y: the "
            "simulator is down");
  EXPECT_THROW(std::rethrow_exception(result.error), std::runtime_error);
}

TEST(OracleExceptions, TheRunGoesOnFromThereAsAnUnbrokenOne) {
  const auto problem = throwing_problem(4, std::runtime_error("once"));
  auto broken = run(problem, Smbg(), steps(9));
  ASSERT_EQ(broken.status, Status::exception);
  const auto second = run(problem, Smbg(), steps(9), {}, std::move(broken.state));
  EXPECT_EQ(second.status, Status::budget_reached) << second.message;
  EXPECT_EQ(second.x, run(quadratic_problem(), Smbg(), steps(9)).x);
  EXPECT_EQ(second.error, nullptr);
}

TEST(OracleExceptions, OfAnyTypeAndAtTheFirstStep) {
  const auto result = run(throwing_problem(1, UsersError{7}), Smbg(), steps(9));
  EXPECT_EQ(result.status, Status::exception);
  EXPECT_EQ(result.iterations, 0);
  EXPECT_EQ(result.x, quadratic_problem().x0);
  EXPECT_NE(result.message.find("no std::exception"), std::string::npos) << result.message;
  try {
    std::rethrow_exception(result.error);
  } catch (const UsersError& error) {
    EXPECT_EQ(error.code, 7);
  }
  const auto memory = run(throwing_problem(2, std::bad_alloc()), Smbg(), steps(9));
  EXPECT_NE(memory.message.find("not enough memory"), std::string::npos) << memory.message;
}

TEST(OracleExceptions, OfEveryMethodAndEveryOracle) {
  const auto inner = quadratic_problem();
  for (const auto& name : method_names()) {
    const auto method = make_method(name);
    for (const bool upper : {true, false}) {
      const auto needs = upper ? method->needs().upper : method->needs().lower;
      for (const auto oracle : {Oracle::value, Oracle::grad_x, Oracle::grad_y, Oracle::hess_yy, Oracle::hess_xy}) {
        if (!needs.has(oracle)) continue;
        auto problem = inner;
        auto oracles = oracles_of(upper ? problem.upper : problem.lower);
        const auto fail = [] { throw std::runtime_error("out of order"); };
        const auto broken = [=](const Vec&, const Vec&) -> Vec { return fail(), Vec(); };
        const auto broken_product = [=](const Vec&, const Vec&, const Vec&) -> Vec { return fail(), Vec(); };
        if (oracle == Oracle::value) oracles.value = [=](const Vec&, const Vec&) { return fail(), 0.0; };
        if (oracle == Oracle::grad_x) oracles.grad_x = broken;
        if (oracle == Oracle::grad_y) oracles.grad_y = broken;
        if (oracle == Oracle::hess_yy) oracles.hess_yy = broken_product;
        if (oracle == Oracle::hess_xy) oracles.hess_xy = broken_product;
        (upper ? problem.upper : problem.lower) = objective_of("broken", 3, 4, oracles);
        const auto result = run(problem, *method, steps(5));
        if (result.status == Status::budget_reached) continue;  // needed only in some cases
        EXPECT_EQ(result.status, Status::exception) << name << ": " << result.message;
        EXPECT_NE(result.message.find(std::string(upper ? "upper" : "lower") + " objective 'broken' threw in"),
                  std::string::npos)
            << name << ", " << to_string(oracle) << ": " << result.message;
        EXPECT_EQ(result.x, inner.x0) << name;
      }
    }
  }
}

TEST(OracleExceptions, AWrongLengthIsOneToo) {
  auto problem = quadratic_problem();
  auto oracles = oracles_of(problem.lower);
  oracles.grad_y = [](const Vec&, const Vec&) { return Vec(vec({1, 2})); };
  problem.lower = objective_of("g", 3, 4, oracles);
  const auto result = run(problem, Smbg(), steps(5));
  EXPECT_EQ(result.status, Status::exception);
  EXPECT_NE(result.message.find("objective 'g' must answer grad_y with length 4, but its answer has length 2"),
            std::string::npos)
      << result.message;
  EXPECT_THROW(std::rethrow_exception(result.error), DimensionMismatch);
}

/// Throws where it is told to, asks to stop where it is told to, and remembers what it heard.
class Listener final : public Observer {
 public:
  std::string throws_in;
  Index stops_at = -1;
  std::vector<std::string> heard;

  void on_start(const BilevelProblem&, const OuterMethod::State& state) override {
    at_ = state.iteration;
    hear("start");
  }
  void on_step(const TraceRow& row, const OuterMethod::State&) override {
    at_ = row.iteration;
    hear("step " + std::to_string(row.iteration));
  }
  void on_finish(const RunResult& result) override { hear("finish " + std::string(to_string(result.status))); }
  bool wants_stop() const override { return at_ == stops_at; }

 private:
  void hear(const std::string& event) {
    heard.push_back(event);
    if (event == throws_in) throw std::logic_error("I am out at " + event);
  }
  Index at_ = -1;
};

using Heard = std::vector<std::string>;

TEST(ObserverExceptions, EndTheRunAfterTheStepAndAreToldToTheOthers) {
  Listener first, second, third;
  second.throws_in = "step 2";
  const auto result = run(quadratic_problem(), Smbg(), steps(9), {&first, &second, &third});
  EXPECT_EQ(result.status, Status::exception);
  EXPECT_EQ(result.message, "after 2 steps an observer threw in on_step: I am out at step 2");
  EXPECT_THROW(std::rethrow_exception(result.error), std::logic_error);
  EXPECT_EQ(result.iterations, 2);
  EXPECT_EQ(result.trace.size(), 2u);
  EXPECT_EQ(result.x, run(quadratic_problem(), Smbg(), steps(2)).x) << "the step itself was in order";
  EXPECT_EQ(first.heard, (Heard{"start", "step 1", "step 2", "finish exception"}));
  EXPECT_EQ(third.heard, first.heard);
  EXPECT_EQ(second.heard, (Heard{"start", "step 1", "step 2"}));
}

TEST(ObserverExceptions, AtTheStartAndAtTheEnd) {
  Listener early, other;
  early.throws_in = "start";
  auto result = run(quadratic_problem(), Smbg(), steps(9), {&early, &other});
  EXPECT_EQ(result.status, Status::exception);
  EXPECT_EQ(result.iterations, 0);
  EXPECT_EQ(other.heard, (Heard{"start", "finish exception"}));

  Listener late, last;
  late.throws_in = "finish budget_reached";
  result = run(quadratic_problem(), Smbg(), steps(2), {&late, &last});
  EXPECT_EQ(result.status, Status::budget_reached) << "the run had come to its end";
  EXPECT_EQ(result.iterations, 2);
  EXPECT_NE(result.message.find("; an observer threw in on_finish: I am out"), std::string::npos) << result.message;
  EXPECT_NE(result.error, nullptr);
  EXPECT_EQ(last.heard, (Heard{"start", "step 1", "step 2", "finish budget_reached"}));

  Listener at_the_end;
  at_the_end.throws_in = "step 2";
  result = run(quadratic_problem(), Smbg(), steps(2), {&at_the_end});
  EXPECT_EQ(result.status, Status::budget_reached);
  EXPECT_NE(result.error, nullptr);
}

TEST(Observers, StopTheRunAtOnce) {
  Listener asks, other;
  asks.stops_at = 3;
  auto result = run(quadratic_problem(), Smbg(), steps(9), {&asks, &other});
  EXPECT_EQ(result.status, Status::interrupted);
  EXPECT_EQ(result.message, "after 3 steps an observer asked to stop");
  EXPECT_EQ(result.iterations, 3);
  EXPECT_EQ(other.heard, (Heard{"start", "step 1", "step 2", "step 3", "finish interrupted"}));

  Listener at_once;
  at_once.stops_at = 0;
  result = run(quadratic_problem(), Smbg(), steps(9), {&at_once});
  EXPECT_EQ(result.status, Status::interrupted);
  EXPECT_EQ(result.iterations, 0);
}

TEST(Observers, ThatRaiseTheInterruptFlagStopTheRunAtOnceToo) {
  struct Raises final : Observer {
    void on_step(const TraceRow& row, const OuterMethod::State&) override { flag = row.iteration == 3; }
    std::atomic<bool> flag = false;
  } raises;
  auto stop = steps(9);
  stop.interrupt = &raises.flag;
  const auto result = run(quadratic_problem(), Smbg(), stop, {&raises});
  EXPECT_EQ(result.status, Status::interrupted);
  EXPECT_EQ(result.iterations, 3);
}

TEST(Misuse, OfObserversAndStatesIsRefusedBeforeTheFirstStep) {
  const auto problem = quadratic_problem();
  Listener listener;
  EXPECT_EQ(message_of<InvalidArgument>([&] {
              run(problem, Smbg(), {}, {&listener, nullptr});
            }),
            "observer 2 of the 2 given to run() is null: leave it out");
  EXPECT_TRUE(listener.heard.empty());

  EXPECT_EQ(message_of<InvalidArgument>([&] { run(problem, Hoag(), {}, {}, run(problem, Smbg(), steps(2)).state); }),
            "the state to resume from belongs to method smbg, but the method is hoag");
  EXPECT_EQ(message_of<InvalidArgument>([&] { run(problem, Hoag(), {}, {}, Smbg().init(problem)); }),
            "the state to resume from belongs to another method, but the method is hoag")
      << "a state that no run has seen";
  // Two methods whose states are of one type.
  EXPECT_EQ(message_of<InvalidArgument>([&] {
              run(problem, *make_method("stocbio"), {}, {}, run(problem, *make_method("soba"), steps(2)).state);
            }),
            "the state to resume from belongs to method soba, but the method is stocbio");

  EXPECT_EQ(message_of<DimensionMismatch>(
                [&] { run(problem, Smbg(), {}, {}, run(nonlinear_problem(), Smbg(), steps(2)).state); }),
            "the state to resume from has x of length 2 and y of length 3, but problem 'quadratic' has 3 and 4");
  EXPECT_NO_THROW(run(problem, Smbg(), steps(2), {}, Smbg().init(problem)));
}

}  // namespace
}  // namespace bilevel::testing
