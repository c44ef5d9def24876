// Bias and variance of every minibatch method's direction on a nonlinear finite sum, x held and the follower, the
// adjoint and memories going on: against the exact hypergradient, and against what the headers say of the difference.
#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <Eigen/LU>

#include "bilevel/lower.hpp"
#include "diagnostics/dense_hessian.hpp"
#include "held_leader.hpp"
#include "nonlinear_sum.hpp"

namespace bilevel::testing {
namespace {

/// What there is to know about the follower's answer to one x.
struct Answer {
  BilevelProblem problem = nonlinear_sum_problem();
  Vec x, y;
  Eigen::MatrixXd H, B;  // m x m, n x m
  Vec f_x, f_y;
  Vec exact;     // f_x - B H^-1 f_y
  double L = 0;  // largest eigenvalue of H; the least one is a sixth of it

  Answer() {
    Random random(7);
    x = problem.x0;
    for (double& entry : x) entry = 0.5 * random.normal();
    y = NewtonCg().solve(*problem.lower, x, problem.y0, {.tolerance = 1e-13}).y;
    const auto g = problem.lower->linearize(x, y);
    H = dense_hessian(g, y.size());
    B.resize(x.size(), y.size());
    for (Index j = 0; j < y.size(); ++j) B.col(j) = g.hess_xy(Vec::Unit(y.size(), j));
    f_x = problem.upper->grad_x(x, y);
    f_y = problem.upper->grad_y(x, y);
    exact = f_x - B * H.ldlt().solve(f_y);
    L = measure_curvature(g, y.size(), {}, 1e-10, 1000).largest;
  }

  /// f_x - B v with v the Neumann series' first `terms` terms, steps of s / L.
  Vec of_series(Index terms, double s) const {
    Vec term = s / L * f_y, v = Vec::Zero(y.size());
    for (Index q = 0; q < terms; ++q) v += term, term -= s / L * (H * term);
    return f_x - B * v;
  }

  /// F2SA's where y and z rest: y minimises f + l g.
  Vec of_penalty(double l) const {
    const auto &f = *problem.upper, &g = *problem.lower;
    Vec penalised = y;
    for (int i = 0; i < 20; ++i) {
      const Eigen::MatrixXd curvature =
          dense_hessian(f.linearize(x, penalised), y.size()) + l * dense_hessian(g.linearize(x, penalised), y.size());
      penalised -= curvature.ldlt().solve(f.grad_y(x, penalised) + l * g.grad_y(x, penalised));
    }
    return f.grad_x(x, penalised) + l * (g.grad_x(x, penalised) - g.grad_x(x, y));
  }

  /// MEHA's where y and theta rest.
  Vec of_envelope(double c, double g1) const {
    const auto &f = *problem.upper, &g = *problem.lower;
    const Index m = y.size();
    Vec at(2 * m);  // theta, y
    at << y, y;
    for (int i = 0; i < 20; ++i) {
      const Vec theta = at.head(m), u = at.tail(m);
      Vec residual(2 * m);
      residual << g.grad_y(x, theta) + g1 * (theta - u), f.grad_y(x, u) / c + g.grad_y(x, u) - g1 * (u - theta);
      const Eigen::MatrixXd unit = g1 * Eigen::MatrixXd::Identity(m, m);
      Eigen::MatrixXd slope(2 * m, 2 * m);
      slope << dense_hessian(g.linearize(x, theta), m) + unit, -unit, unit,
          dense_hessian(f.linearize(x, u), m) / c + dense_hessian(g.linearize(x, u), m) - unit;
      at -= slope.lu().solve(residual);
    }
    const Vec theta = at.head(m), u = at.tail(m);
    return f.grad_x(x, u) + c * (g.grad_x(x, u) - g.grad_x(x, theta));
  }
};

const Answer& answer() {
  static const Answer answer;
  return answer;
}

/// What the bias of a method is due to, beside the noise of y and v.
enum class Cause { none, series, random_series, penalty, envelope, barrier };

struct Estimator {
  std::string name;
  Cause cause;
  Settings coarse, fine;  // with more of the cause and with less; steps in units of 1 / L
  double falls_to;        // share of the coarse bias that the fine one stays below
  bool settles = false;   // no noise is left where x rests
};

/// Steps of a table are in units of 1 / L.
Settings in_steps(Settings settings) {
  for (const std::string step : {"inner-step-size", "adjoint-step-size", "outer-step-size"}) {
    if (settings.contains(step)) settings[step] = std::to_string(std::stod(settings[step]) / answer().L);
  }
  if (settings.contains("proximal-weight")) {
    settings["proximal-weight"] = std::to_string(std::stod(settings["proximal-weight"]) * answer().L);
  }
  return settings;
}

Settings operator+(Settings a, const Settings& b) {
  a.insert(b.begin(), b.end());
  return a;
}

std::vector<Estimator> estimators() {
  const auto steps = [](const char* size) { return Settings{{"inner-step-size", size}, {"adjoint-step-size", size}}; };
  const auto series = [](const char* terms) {
    return Settings{{"inner-step-size", "0.125"}, {"adjoint-step-size", "0.5"}, {"neumann-terms", terms}};
  };
  const auto penalty = [](const char* weight) { return Settings{{"inner-step-size", "0.125"}, {"penalty", weight}}; };
  const auto envelope = [&](const char* weight) { return penalty(weight) + Settings{{"proximal-weight", "0.1"}}; };
  const auto power = [](const char* terms) {
    return Settings{
        {"inner-step-size", "0.5"}, {"power-solver", "neumann"}, {"adjoint-step-size", "0.5"}, {"series-terms", terms}};
  };
  const auto barrier = [](const char* eta, const char* T, const char* gamma) {
    return Settings{{"inner-step-size", "0.5"}, {"outer-step-size", gamma}, {"barrier", eta}, {"inner-steps", T}};
  };
  // The mean of y is off by a times the variance of its gradients and g's third derivatives: a quarter of a, a quarter
  // of the bias. Of the slowest part of v a series of 4 terms leaves (1 - 0.5 / 6)^4 = 0.7, one of 20 leaves 0.18, one
  // of 31 leaves 0.07. Penalties are linear in 1 / l, for l beyond f's curvature over g's, ten times less at ten times
  // l. BOME's follower stays off by H^-1 f_y / l with l above eta: ten times less. The shares leave room for the higher
  // powers and for the noise.
  return {
      {"soba", Cause::none, steps("0.5"), steps("0.125"), 0.5},
      {"saba", Cause::none, steps("0.5"), steps("0.125"), 1, true},
      {"ma_soba", Cause::none, steps("0.5"), steps("0.125"), 0.5},
      {"srba", Cause::none, steps("0.5"), steps("0.125"), 1, true},
      {"amigo", Cause::none, steps("0.5"), steps("0.125"), 0.5},
      {"stocbio", Cause::series, series("3"), series("30"), 0.25},
      {"mrbo", Cause::series, series("3"), series("30"), 0.25},
      {"vrbo", Cause::series, series("3"), series("30"), 0.25, true},
      {"unibio", Cause::series, power("3"), power("30"), 0.25},
      {"ttsa", Cause::random_series, series("4"), series("20"), 0.25},
      {"sustain", Cause::random_series, series("4"), series("20"), 0.25},
      {"f2sa", Cause::penalty, penalty("2"), penalty("20"), 0.25},
      {"meha", Cause::envelope, envelope("4"), envelope("40"), 0.33},
      {"bome", Cause::barrier, barrier("0.5", "10", "0.125"), barrier("5", "40", "0.01"), 0.25},
  };
}

/// The mean direction without noise, by the header of the method; settings with steps as they are.
Vec admitted(const Estimator& estimator, const Settings& settings) {
  const auto number = [&](const char* option) { return std::stod(settings.at(option)); };
  constexpr double kSeriesStep = 0.5;  // of all series in the table, in units of 1 / L
  switch (estimator.cause) {
    case Cause::series: {
      const char* terms = estimator.name == "unibio" ? "series-terms" : "neumann-terms";
      return answer().of_series(static_cast<Index>(number(terms)) + 1, kSeriesStep);
    }
    case Cause::random_series: return answer().of_series(static_cast<Index>(number("neumann-terms")), kSeriesStep);
    case Cause::penalty: return answer().of_penalty(number("penalty"));
    case Cause::envelope: return answer().of_envelope(number("penalty"), number("proximal-weight"));
    case Cause::none:
    case Cause::barrier: break;
  }
  return answer().exact;
}

class Estimators : public ::testing::TestWithParam<Estimator> {
 protected:
  /// Relative to |exact|.
  struct Measured {
    double bias;        // of the mean against exact
    double unadmitted;  // of the mean against the header's
    double error, deviation;
  };
  static Measured measure(Settings settings, const char* batch) {
    const auto& [name, cause, coarse, fine, falls_to, settles] = GetParam();
    settings = in_steps(std::move(settings));
    if (find_method(name).options()->find("adjoint-step-size") == nullptr) settings.erase("adjoint-step-size");
    settings["batch-size"] = batch;
    HeldLeader held(answer().problem, name, settings, answer().x, answer().y);
    // Errors of y and v fall by 1 - (1 / 8) (1 / 6) an iteration at least: 240 of them are five times that memory, and
    // thirty passes over g's rows, sixty over f's. What settles needs no average, BOME's y needs longer.
    constexpr Index kMemory = 240;
    const Index blocks = settles ? 2 : 20, length = settles ? 10 : kMemory;
    for (Index i = 0; i < (cause == Cause::barrier ? 8 : 4) * kMemory; ++i) held();
    const auto statistics = direction_statistics(held, blocks, length);
    const double size = norm(answer().exact);
    return {norm(statistics.mean - answer().exact) / size,
            norm(statistics.mean - admitted(GetParam(), settings)) / size, statistics.error / size,
            statistics.deviation / size};
  }
};

/// Those whose bias has a formula: all but BOME.
class AdmittedBiases : public Estimators {};

constexpr double kErrors = 3;  // standard errors that a mean may be off

bool has_random_length(const Estimator& estimator) { return estimator.cause == Cause::random_series; }

TEST_P(AdmittedBiases, MeansOnBatchesAreWhatTheHeadersSay) {
  // Batches of 8 of 64 rows. What noise is left in y with a = 1 / (8 L) bends the mean by a percent.
  constexpr double kNoise = 0.02;
  if (GetParam().cause != Cause::none) {
    const auto coarse = measure(GetParam().coarse, "8");
    EXPECT_LE(coarse.unadmitted, kNoise + kErrors * coarse.error);
  }
  const auto fine = measure(GetParam().fine, "8");
  EXPECT_LE(fine.unadmitted, (GetParam().settles ? 1e-6 : kNoise) + kErrors * fine.error);
}

TEST_P(AdmittedBiases, MeansOnAllSamplesAreWhatTheHeadersSayToSixDigits) {
  const auto all = measure(GetParam().coarse, "64");
  // x moves by 1e-6 within an iteration, and sums of ten digits are divided by it.
  EXPECT_LE(all.unadmitted, 1e-6 + (has_random_length(GetParam()) ? kErrors * all.error : 0));
}

TEST_P(Estimators, TheBiasFallsWithItsCause) {
  // BOME's noise of batches makes l, and with it a bias of its own, which hides the one that is looked for here.
  const char* batch = GetParam().cause == Cause::barrier ? "64" : "8";
  const auto coarse = measure(GetParam().coarse, batch), fine = measure(GetParam().fine, batch);
  if (GetParam().cause == Cause::none && GetParam().settles) {
    EXPECT_LE(std::max(coarse.bias, fine.bias), 1e-6) << "there is no cause";
    return;
  }
  EXPECT_GT(coarse.bias, kErrors * coarse.error) << "the bias is there to be seen";
  EXPECT_LE(fine.bias, GetParam().falls_to * coarse.bias + kErrors * fine.error);
}

TEST_P(Estimators, LargerBatchesHaveLessNoiseAndLessOfItsBias) {
  const auto few = measure(GetParam().coarse, "8"), many = measure(GetParam().coarse, "32");
  if (GetParam().settles) {
    EXPECT_LE(std::max(few.deviation, many.deviation), 1e-6) << "there is no noise where x rests";
    return;
  }
  // Means of 8 and of 32 of 64 samples have variances like 1/8 - 1/64 and 1/32 - 1/64: a seventh, so 0.38 of the
  // deviation. The random length of a series keeps its own noise.
  EXPECT_LE(many.deviation, (has_random_length(GetParam()) ? 0.6 : 0.4) * few.deviation);
  // The bias of noise goes with the variance. That of BOME's coarse barrier stays.
  const double stays = GetParam().cause == Cause::barrier ? 0.9 : 0.5;
  EXPECT_LE(many.unadmitted, stays * few.unadmitted + kErrors * many.error);
}

std::vector<Estimator> with_formula() {
  auto all = estimators();
  std::erase_if(all, [](const auto& estimator) { return estimator.cause == Cause::barrier; });
  return all;
}

const auto name_of = [](const auto& estimator) { return estimator.param.name; };
INSTANTIATE_TEST_SUITE_P(All, Estimators, ::testing::ValuesIn(estimators()), name_of);
INSTANTIATE_TEST_SUITE_P(All, AdmittedBiases, ::testing::ValuesIn(with_formula()), name_of);

}  // namespace
}  // namespace bilevel::testing
