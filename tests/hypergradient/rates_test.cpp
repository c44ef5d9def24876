// [BLPV25, Lemma 3.11] as an experiment: near a non-degenerate minimum |A^k - y*|, |d_z phi^k| and |d_x phi^k - grad
// phi| decay like rho^k, rho = max(|1 - a lambda_min|, |1 - a lambda_max|), the last one times k where H varies along
// the path.
#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <vector>

#include "bilevel/hypergradient.hpp"
#include "probes.hpp"
#include "taylor.hpp"
#include "theory/experiments.hpp"

namespace bilevel::testing {
namespace {

using theory::log_slope;

struct Rates : ::testing::TestWithParam<double> {
  BilevelProblem problem = nonlinear_problem();
  double step_size = GetParam();
  Vec x = problem.x0;
  Vec y_star;
  double rho = 0;
  Vec gradient;  // of phi, at x
  std::vector<double> k, distance, start_derivative;
  std::vector<Vec> errors;

  void SetUp() override {
    const GradientDescentMap map(*problem.lower, step_size);
    y_star = problem.y0;
    for (int i = 0; i < 3000; ++i) y_star = map.apply(x, y_star);
    const auto at = problem.lower->linearize(x, y_star);
    Eigen::MatrixXd hessian(3, 3);
    for (Index j = 0; j < 3; ++j) hessian.col(j) = at.hess_yy(Vec::Unit(3, j));
    const Vec eigenvalues = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(hessian).eigenvalues();
    rho = (1 - step_size * eigenvalues.array()).abs().maxCoeff();
    gradient = implicit(problem, x, y_star, {.tolerance = 1e-14}).gradient;

    // From where the slowest mode dominates to where rounding would show (errors above 1e-11).
    const auto last = static_cast<Index>(std::log(1e-10) / std::log(rho));
    for (Index steps = last / 2; steps <= last; ++steps) {
      const auto result = unrolled(problem, map, x, problem.y0, {.steps = steps});
      k.push_back(static_cast<double>(steps));
      distance.push_back(norm(result.y - y_star));
      start_derivative.push_back(norm(result.adjoint));
      errors.push_back(result.gradient - gradient);
    }
  }
};

TEST_P(Rates, IteratesAndStartDerivativeDecayLikeRho) {
  // What the other modes add has died out by the first k: three percent is left to them.
  EXPECT_NEAR(log_slope(k, distance) / std::log(rho), 1, 0.03);
  EXPECT_NEAR(log_slope(k, start_derivative) / std::log(rho), 1, 0.03);
}

TEST_P(Rates, HypergradientErrorDecaysLikeAtMostKTimesRho) {
  std::vector<double> size, divided;
  for (std::size_t i = 0; i < k.size(); ++i) {
    size.push_back(norm(errors[i]));
    divided.push_back(norm(errors[i]) / k[i]);
  }
  // Along the path H(y_j) - H(y*) is of order rho^j, and d_x phi^k sums k products of k - 1 contractions with one such
  // term each: k rho^k. So the slope lies between those of rho^k and of k rho^k over this range.
  const double plain = log_slope(k, size), without_k = log_slope(k, divided);
  EXPECT_GE(plain, 1.03 * std::log(rho)) << "not faster than rho^k";
  EXPECT_LE(without_k, 0.97 * std::log(rho)) << "not slower than k rho^k";

  // Sharper: error / rho^k is affine in k, component by component (an even k, where the mode's sign does not
  // alternate).
  const Index count = static_cast<Index>(k.size());
  for (Index component = 0; component < 2; ++component) {
    Eigen::MatrixXd design(count, 2);
    Vec scaled(count);
    for (Index i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      design.row(i) << 1, k[at];
      scaled[i] = errors[at][component] / std::pow(rho, k[at]);
    }
    const Vec coefficients = design.colPivHouseholderQr().solve(scaled);
    EXPECT_LE(norm(design * coefficients - scaled), 0.03 * norm(scaled)) << "component " << component;
    EXPECT_GT(std::abs(coefficients[1]) * k.back(), 0.05 * std::abs(scaled[count - 1]))
        << "the extra factor k is there: this follower's H is not constant";
  }
}

TEST_P(Rates, ContractionIsUniformNearTheMinimum) {
  // One rho for a neighbourhood: the largest |I - a H| over points of it. The first inequality then holds for every
  // start and every k, without a constant.
  constexpr double kRadius = 0.3;
  Random random(5);
  const auto near = [&](const Vec& centre) {
    const Vec away = random_vec(centre.size(), random);
    return Vec(centre + kRadius * random.uniform() / norm(away) * away);
  };
  double uniform_rho = 0;
  for (int i = 0; i < 200; ++i) {
    const auto at = problem.lower->linearize(near(x), near(y_star));
    Eigen::MatrixXd step(3, 3);
    for (Index j = 0; j < 3; ++j) step.col(j) = Vec::Unit(3, j) - step_size * at.hess_yy(Vec::Unit(3, j));
    uniform_rho = std::max(uniform_rho, step.operatorNorm());
  }
  EXPECT_GE(uniform_rho, rho);
  ASSERT_LT(uniform_rho, 1);
  const GradientDescentMap map(*problem.lower, step_size);
  for (int start = 0; start < 20; ++start) {
    const Vec x_near = near(x), z = near(y_star);
    Vec answer = z;
    for (int i = 0; i < 2000; ++i) answer = map.apply(x_near, answer);
    Vec y = z;
    for (int steps = 1; steps <= 60; ++steps) {
      y = map.apply(x_near, y);
      // The sampled supremum misses the true one by a little: one percent of 1 - rho is granted.
      const double bound = std::pow(uniform_rho + 0.01 * (1 - uniform_rho), steps) * norm(z - answer);
      EXPECT_LE(norm(y - answer), bound + 1e-14) << "start " << start << ", k = " << steps;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(StepSizes, Rates, ::testing::Values(0.1, 0.2, 0.35));

}  // namespace
}  // namespace bilevel::testing
