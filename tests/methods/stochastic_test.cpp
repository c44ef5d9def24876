// What the minibatch methods share: step sizes, rounds that are taken back, batches and the estimators' averages.
#include "bilevel/stochastic.hpp"

#include <gtest/gtest.h>

#include "bilevel/hypergradient.hpp"
#include "bilevel/run.hpp"
#include "bilevel/soba.hpp"
#include "bilevel/spider.hpp"
#include "finite_sum.hpp"
#include "message_of.hpp"
#include "rivals.hpp"

namespace bilevel::testing {
namespace {

/// One iteration of a round, with steps that are given.
std::map<std::string, std::string> one_iteration(std::map<std::string, std::string> more = {}) {
  more.insert({{"iterations-per-round", "1"},
               {"inner-step-size", "0.1"},
               {"adjoint-step-size", "0.2"},
               {"outer-step-size", "1"},
               {"batch-size", "16"}});
  return more;
}

/// Mean and standard error of what `draw` gives.
struct Average {
  Vec mean, error;
};
template <class Draw>
Average average(int count, Draw&& draw) {
  Vec sum, squares;
  for (int i = 0; i < count; ++i) {
    const Vec drawn = draw();
    if (i == 0) sum = squares = Vec::Zero(drawn.size());
    sum += drawn;
    squares += drawn.cwiseAbs2();
  }
  const Vec mean = sum / count;
  return {mean, ((squares / count - mean.cwiseAbs2()) / count).cwiseMax(0).cwiseSqrt()};
}

/// The largest deviation in standard errors.
double deviation(const Average& average, const Vec& expected) {
  return ((average.mean - expected).array().abs() / (average.error.array() + 1e-14)).maxCoeff();
}

/// The leader's direction of one iteration from (x, y, v), again and again with fresh batches.
class AtOnePoint {
 public:
  /// `at_the_start`: schedules stand at their first value.
  AtOnePoint(const BilevelProblem& problem, std::unique_ptr<OuterMethod> method, bool at_the_start = false)
      : problem_(problem), method_(std::move(method)), state_(method_->init(problem)), at_the_start_(at_the_start) {
    x_ = vec({0.3, -0.2, 0.5});
    y_ = vec({0.4, 0.1, -0.6, 0.2});
    v_ = vec({-0.3, 0.7, 0.2, 0.5});
  }
  Vec operator()() {
    auto& state = dynamic_cast<StochasticMethod::State&>(*state_);
    state.x = x_;
    state.y = y_;
    state.v = v_;
    if (at_the_start_) state.k = 0;
    method_->step(problem_, state);
    return x_ - state.x;  // outer-step-size is 1
  }
  const OuterMethod& method() const { return *method_; }
  OuterMethod::State& state() { return *state_; }
  const Vec& x() const { return x_; }
  const Vec& y() const { return y_; }
  const Vec& v() const { return v_; }

 private:
  const BilevelProblem& problem_;
  std::unique_ptr<OuterMethod> method_;
  std::unique_ptr<OuterMethod::State> state_;
  bool at_the_start_;
  Vec x_, y_, v_;
};

constexpr int kDraws = 4000;
constexpr double kErrors = 4;  // standard errors, for a handful of numbers: one in some thousand tests by chance

Vec full_batch_direction(const BilevelProblem& problem, const AtOnePoint& at) {
  return problem.upper->grad_x(at.x(), at.y()) - problem.lower->hess_xy(at.x(), at.y(), at.v());
}

TEST(Estimators, SobaIsUnbiasedGivenYAndV) {
  const auto problem = finite_sum_problem();
  AtOnePoint draw(problem, make_method("soba", one_iteration()));
  EXPECT_LE(deviation(average(kDraws, draw), full_batch_direction(problem, draw)), kErrors);
}

TEST(Estimators, SabaIsUnbiasedWithAMemoryOfElsewhere) {
  // 512 samples in blocks of 100: the last block is a short one, and weighted.
  const auto problem = finite_sum_problem();
  AtOnePoint draw(problem, make_method("saba", one_iteration({{"batch-size", "100"}})));
  auto& state = dynamic_cast<Saba::State&>(draw.state());
  draw.method().step(problem, state);  // fills the memory at the problem's start
  const auto old = state;
  const auto drawn = average(kDraws, [&] {
    state.lower_gradient = old.lower_gradient;
    state.lower_hessian = old.lower_hessian;
    state.lower_cross = old.lower_cross;
    state.upper_y = old.upper_y;
    state.upper_x = old.upper_x;
    return draw();
  });
  EXPECT_GT(drawn.error.maxCoeff(), 1e-4) << "there is noise to average";
  EXPECT_LE(deviation(drawn, full_batch_direction(problem, draw)), kErrors);
}

TEST(Estimators, SagaHasNoNoiseWhereTheIteratesRest) {
  const auto problem = finite_sum_problem();
  AtOnePoint saba(problem, make_method("saba", one_iteration())), soba(problem, make_method("soba", one_iteration()));
  EXPECT_GT(average(100, soba).error.maxCoeff(), 1e-3);
  // The memory is of this very point; the difference of squares that the error is made of is good to 1e-8 only.
  EXPECT_LE(average(100, saba).error.maxCoeff(), 1e-8);
}

TEST(Estimators, MovingAveragesHaveLessVariance) {
  // The average of directions drawn with weights t (1 - t)^j has t / (2 - t) of their variance: 1/19 at t = 0.1.
  // Batches without replacement are a little better than independent ones, so only the upper side is tested, with a
  // quarter more.
  const auto problem = finite_sum_problem();
  AtOnePoint soba(problem, make_method("soba", one_iteration())),
      averaged(problem, make_method("ma_soba", one_iteration()));
  average(100, averaged);  // forget the start
  const Vec ratio = average(kDraws, averaged).error.cwiseQuotient(average(kDraws, soba).error);
  EXPECT_LE(ratio.cwiseAbs2().maxCoeff(), 1.25 / 19);
}

/// H, B and f_y of the whole at the point of `at`.
struct Exact {
  Eigen::MatrixXd H, B;
  Vec f_x, f_y;
};
Exact exact_at(const BilevelProblem& problem, const AtOnePoint& at) {
  const Index n = problem.dim_x(), m = problem.dim_y();
  Exact exact{Eigen::MatrixXd(m, m), Eigen::MatrixXd(n, m), problem.upper->grad_x(at.x(), at.y()),
              problem.upper->grad_y(at.x(), at.y())};
  for (Index j = 0; j < m; ++j) {
    exact.H.col(j) = problem.lower->hess_yy(at.x(), at.y(), Vec::Unit(m, j));
    exact.B.col(j) = problem.lower->hess_xy(at.x(), at.y(), Vec::Unit(m, j));
  }
  return exact;
}

/// Series with b = 0.2 whose mean has 4 terms; y is held, so that the exact answer is known. More terms would show that
/// batches of one pass are not independent, by about b^2 |H - H(xi)|^2 for each pair of them over their number, 32.
TEST(Estimators, NeumannSeriesFallShortAsTheHeadersSay) {
  const auto problem = finite_sum_problem();
  const std::map<std::string, std::map<std::string, std::string>> settings{
      {"stocbio", {{"neumann-terms", "3"}, {"inner-steps", "1"}, {"inner-step-size", "1e-12"}}},
      {"mrbo", {{"neumann-terms", "3"}, {"momentum", "1"}, {"inner-step-size", "1e-12"}}},
      {"ttsa", {{"neumann-terms", "4"}, {"inner-step-size", "1e-12"}}},
      {"sustain", {{"neumann-terms", "4"}, {"momentum", "1"}, {"inner-step-size", "1e-12"}}},
  };
  for (const auto& [name, options] : settings) {
    AtOnePoint draw(problem, make_method(name, one_iteration(options)), true);
    const auto [H, B, f_x, f_y] = exact_at(problem, draw);
    const Eigen::MatrixXd contraction = Eigen::MatrixXd::Identity(4, 4) - 0.2 * H;
    const Vec v = H.ldlt().solve(f_y);
    const Vec shortfall = B * contraction * contraction * contraction * contraction * v;
    const Vec exact = f_x - B * v;
    const auto drawn = average(kDraws, draw);
    EXPECT_LE(deviation(drawn, exact + shortfall), kErrors) << name;
    EXPECT_GT(deviation(drawn, exact), 2 * kErrors) << name << ": the bias is there to be seen";
  }
}

TEST(Estimators, FollowedDifferencesHaveNoNoiseWhereTheIteratesRest) {
  const auto problem = finite_sum_problem();
  // Steps that are too short to move anything: the directions stay those of the refresh on the full batch.
  const std::map<std::string, std::string> rest{
      {"period", "1000000"}, {"inner-step-size", "1e-14"}, {"outer-step-size", "1e-14"}};
  auto still = rest;
  still["adjoint-step-size"] = "1e-14";
  AtOnePoint srba(problem, make_method("srba", one_iteration(still)));
  auto series = rest;
  series.insert({{"inner-steps", "2"}, {"neumann-terms", "3"}});
  AtOnePoint vrbo(problem, make_method("vrbo", one_iteration(series)));
  for (int i = 0; i < 50; ++i) srba(), vrbo();
  const auto [H, B, f_x, f_y] = exact_at(problem, vrbo);
  const Eigen::MatrixXd C = Eigen::MatrixXd::Identity(4, 4) - 0.2 * H;
  const Vec v = 0.2 * (f_y + C * f_y + C * C * f_y + C * C * C * f_y);
  // Fifty iterations of differences between points 1e-14 apart.
  EXPECT_LE(norm(dynamic_cast<const Srba::State&>(srba.state()).d_x - full_batch_direction(problem, srba)), 1e-10);
  EXPECT_LE(norm(dynamic_cast<const Vrbo::State&>(vrbo.state()).d_x - (f_x - B * v)), 1e-10);
}

TEST(Stochastic, TheFirstRoundOnlyWarmsUp) {
  const auto problem = quadratic_problem();
  const Soba method;
  const auto state = method.init(problem);
  const auto report = method.step(problem, *state);
  EXPECT_EQ(state->x, problem.x0);
  const Vec answer = -dynamic_cast<const Quadratic&>(*problem.lower)
                          .coefficients()
                          .yy.ldlt()
                          .solve(dynamic_cast<const Quadratic&>(*problem.lower).coefficients().y);
  // 50 steps at a mu = 1/8: (7/8)^50 = 0.0013 of the start's distance is left.
  EXPECT_LE(norm(state->y - answer), 0.002 * norm(answer));
  EXPECT_GT(report.hypergradient_norm, 0);
}

TEST(Stochastic, AGivenStepIsUsedFromTheFirstRound) {
  const auto problem = quadratic_problem();
  StochasticOptions options;
  options.outer_step_size = 0.01;
  const Soba method(options);
  const auto state = method.init(problem);
  method.step(problem, *state);
  EXPECT_NE(state->x, problem.x0);
  EXPECT_EQ(dynamic_cast<const StochasticMethod::State&>(*state).gamma, 0.01);
}

TEST(Stochastic, TheStepIsHalfAnInverseCurvatureAndNoted) {
  const auto problem = quadratic_problem();
  const auto result = run(problem, Soba(), {.max_iterations = 2});
  double a = 0;
  for (const auto& choice : result.choices) {
    if (choice.option == "inner-step-size") a = std::stod(choice.used);
  }
  EXPECT_NEAR(a, 0.25, 0.01) << "L = 2, to the two percent of the power iteration";
}

TEST(Stochastic, AFollowerThatGrowsSteeperOnTheWayIsMeasuredAgain) {
  // y* solves y^3 + y = x: curvature 1 at the start, 28 at the first answer, where a step of 0.5 / 1 would diverge.
  const BilevelProblem problem{
      "quartic",
      make_objective("target", 1, 1, [](auto, auto y) { return 0.5 * square(y[0] - 1.0); }),
      make_objective("quartic", 1, 1,
                     [](auto x, auto y) { return 0.25 * square(square(y[0])) + 0.5 * square(y[0]) - x[0] * y[0]; }),
      vec({30}),
      vec({0}),
      KnownSolution{vec({2}), vec({1}), 0}};
  const auto result = run(problem, Soba(), {.max_iterations = 300});
  EXPECT_EQ(result.status, Status::converged) << result.message;
  EXPECT_NEAR(result.x[0], 2, 1e-5) << result.message;
}

TEST(Stochastic, ARunThatLeavesTheNumbersIsTakenBack) {
  // f is log(1 - x) beyond the follower's answer y = x: not a number from x = 1 on.
  auto problem =
      BilevelProblem{"edge",
                     make_objective("f", 1, 1, [](auto x, auto y) { return -1.0 * log(1.0 - x[0]) - 3.0 * y[0]; }),
                     make_objective("g", 1, 1, [](auto x, auto y) { return 0.5 * square(y[0] - x[0]); }),
                     vec({-2}),
                     vec({0}),
                     {}};
  const auto result = run(problem, Soba(), {.max_iterations = 300});
  EXPECT_NEAR(result.x[0], 2.0 / 3, 1e-5) << result.message;
}

TEST(Stochastic, AGivenStepThatIsTooLongEndsNonfiniteWithItsOrigin) {
  StochasticOptions options;
  options.inner_step_size = 1e6;
  options.outer_step_size = 0.1;
  const auto result = run(quadratic_problem(), Soba(options), {.max_iterations = 100});
  EXPECT_EQ(result.status, Status::nonfinite);
  EXPECT_NE(result.message.find("inner-step-size 1e+06"), std::string::npos) << result.message;
}

TEST(Stochastic, ARoundIsAPassWithinItsBounds) {
  const auto rounds = [](std::size_t samples, std::optional<Index> batch) {
    auto problem = quadratic_problem();
    problem.lower = spread(*problem.lower, samples, 0.1, 1);
    StochasticOptions options;
    options.batch_size = batch;
    const Soba method(options);
    return method.iterations_per_round(dynamic_cast<const StochasticMethod::State&>(*method.init(problem)));
  };
  EXPECT_EQ(rounds(2, std::nullopt), 50) << "the least";
  EXPECT_EQ(rounds(500, 5), 100) << "one pass";
  EXPECT_EQ(rounds(502, 5), 101) << "the last batch is a short one";
  EXPECT_EQ(rounds(4000, 1), 1000) << "the most";
}

TEST(Saba, AMemoryBeyondReasonIsRefusedWithAWayOut) {
  auto problem = quadratic_problem();
  std::vector<QuadraticCoefficients> samples(40000, QuadraticCoefficients{});
  problem.lower = std::make_shared<QuadraticSum>("many", 4000, 4, samples);
  problem.upper = std::make_shared<QuadraticSum>("f", 4000, 4, std::vector<QuadraticCoefficients>(1));
  problem.x0 = Vec::Zero(4000);
  const auto message = message_of<InvalidOption>([&] { make_method("saba", {{"batch-size", "1"}})->init(problem); });
  EXPECT_NE(message.find("larger batch-size"), std::string::npos) << message;
  EXPECT_NO_THROW(make_method("saba", {{"batch-size", "10"}})->init(problem));
}

}  // namespace
}  // namespace bilevel::testing
