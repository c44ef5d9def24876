#include "dpbg_bench.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "bilevel/autodiff.hpp"
#include "bilevel/dpbg.hpp"
#include "bilevel/formula.hpp"
#include "bilevel/run.hpp"
#include "oracle_timings.hpp"

namespace {

using namespace bilevel;

constexpr Index kInnerSteps = 9, kLeaderSteps = 2000;
constexpr double kInnerStepSize = 0.09, kOuterStepSize = 1.0, kTarget = 0.1, kStart = 1.2;
constexpr int kRepetitions = 25;

/// g = h(y^2 - 1) with Huber's h and f = (y - target)^2 as a user would write them: value, first and second derivative.
struct Derivatives {
  double value, first, second;
};
Derivatives wells(double y) {
  const double w = y * y - 1;
  if (std::abs(w) < 1) return {0.5 * w * w, 2 * y * w, 6 * y * y - 2};
  return {std::abs(w) - 0.5, w > 0 ? 2 * y : -2 * y, w > 0 ? 2.0 : -2.0};
}
Derivatives distance(double y) { return {(y - kTarget) * (y - kTarget), 2 * (y - kTarget), 2}; }

class OwnObjective final : public Objective {
 public:
  OwnObjective(std::string name, Derivatives (*function)(double)) : Objective(std::move(name), 1, 1), at_(function) {}

 private:
  class Products final : public Linearization::Implementation {
   public:
    explicit Products(double second) : second_(second) {}
    Vec hess_yy(const Vec& v) const override { return second_ * v; }
    Vec hess_xy(const Vec&) const override { return Vec::Zero(1); }
    Vec hess_yx(const Vec&) const override { return Vec::Zero(1); }

   private:
    double second_;
  };

  OracleSet do_provides() const override { return OracleSet::all(); }
  static void fill(OracleSet want, const Derivatives& d, Evaluation& answers) {
    if (want.has(Oracle::value)) answers.value = d.value;
    if (want.has(Oracle::grad_x)) answers.grad_x = Vec::Zero(1);
    if (want.has(Oracle::grad_y)) answers.grad_y = Vec::Constant(1, d.first);
  }
  Evaluation do_evaluate(OracleSet want, const Vec&, const Vec& y, Batch) const override {
    Evaluation answers;
    fill(want, at_(y[0]), answers);
    return answers;
  }
  std::unique_ptr<const Linearization::Implementation> do_linearize(const Vec&, const Vec& y, Batch, OracleSet also,
                                                                    Evaluation& answers) const override {
    const auto d = at_(y[0]);
    fill(also, d, answers);
    return std::make_unique<Products>(d.second);
  }

  Derivatives (*at_)(double);
};

BilevelProblem lambda_game() {
  auto lower = make_objective("wells", 1, 1, [](auto, auto y) { return huber(square(y[0]) - 1.0); });
  auto upper = make_objective("distance", 1, 1, [](auto, auto y) { return square(y[0] - kTarget); });
  return {"lambdas", upper, lower, Vec::Zero(1), Vec::Constant(1, kStart), {}};
}

BilevelProblem own_game() {
  return {"own objectives",
          std::make_shared<OwnObjective>("distance", distance),
          std::make_shared<OwnObjective>("wells", wells),
          Vec::Zero(1),
          Vec::Constant(1, kStart),
          {}};
}

BilevelProblem formula_game() {
  const auto upper = make_formula_objective("distance", Formula::parse("(y - 0.1)^2"), 1, 1);
  const auto lower = make_formula_objective("wells", Formula::parse("huber(y^2 - 1)"), 1, 1);
  return {"formulas", upper, lower, Vec::Zero(1), Vec::Constant(1, kStart), {}};
}

double by_hand(Index steps) {
  double z = kStart;
  std::array<double, kInnerSteps> second;
  for (Index step = 0; step < steps; ++step) {
    double y = z;
    for (auto& curvature : second) {
      const auto d = wells(y);
      curvature = d.second;
      y -= kInnerStepSize * d.first;
    }
    double v = distance(y).first;
    for (std::size_t j = second.size(); j-- > 0;) v -= kInnerStepSize * second[j] * v;
    z -= kOuterStepSize * v;
  }
  return z;
}

/// Seconds of one leader step, over `kRepetitions` runs.
template <class Run>
BenchRow time_run(std::string name, Run&& run_once) {
  std::vector<double> seconds;
  for (int i = 0; i < kRepetitions; ++i) {
    const double start = thread_seconds();
    run_once();
    seconds.push_back((thread_seconds() - start) / static_cast<double>(kLeaderSteps));
  }
  std::sort(seconds.begin(), seconds.end());
  BenchRow row{std::move(name), seconds[kRepetitions / 2]};
  row.best_seconds = seconds.front();
  return row;
}

/// The first plateau's steps, where nothing magnifies rounding.
void expect_the_same_steps(const BilevelProblem& problem, const Dpbg& method) {
  StopRule stop;
  stop.tolerance = 0;
  stop.max_iterations = 10;
  const auto result = run(problem, method, stop);
  const double z = dynamic_cast<const Dpbg::State&>(*result.state).z[0], expected = by_hand(stop.max_iterations);
  if (!(std::abs(z - expected) <= 1e-12)) throw std::runtime_error("DPBG and the loop by hand take different steps");
}

}  // namespace

std::vector<BenchRow> bench_dpbg() {
  volatile double sink = 0;
  const auto hand = time_run("", [&] { sink = by_hand(kLeaderSteps); });
  std::vector<BenchRow> rows;
  for (const auto& problem : {lambda_game(), own_game(), formula_game()}) {
    for (const bool given : {true, false}) {
      DpbgOptions options{.inner_steps = kInnerSteps, .inner_step_size = kInnerStepSize};
      if (given) options.leader.step_size = kOuterStepSize;
      StopRule stop;
      stop.tolerance = 0;
      stop.max_iterations = kLeaderSteps;
      const Dpbg method(options);
      if (given) expect_the_same_steps(problem, method);
      auto row = time_run("DPBG leader step, k=9, " + problem.name + (given ? ", a_f given" : ", a_f automatic"), [&] {
        const auto result = run(problem, method, stop);
        if (result.iterations != kLeaderSteps) throw std::runtime_error(result.message);
        sink = result.upper;
      });
      row.bound_seconds = hand.seconds;
      row.share = row.bound_seconds / row.seconds;
      rows.push_back(row);
    }
  }
  return rows;
}
