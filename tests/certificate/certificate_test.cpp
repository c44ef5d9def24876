#include "bilevel/certificate.hpp"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>

#include <limits>

#include "bilevel/hypergradient.hpp"
#include "bilevel/status.hpp"
#include "message_of.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

/// Both objectives multiplied by constants: the game is the same one.
BilevelProblem scaled(const BilevelProblem& problem, double upper, double lower) {
  const auto times = [](std::shared_ptr<const Objective> inner, double c) {
    Oracles oracles;
    oracles.value = [inner, c](const Vec& x, const Vec& y) { return c * inner->value(x, y); };
    oracles.grad_x = [inner, c](const Vec& x, const Vec& y) { return Vec(c * inner->grad_x(x, y)); };
    oracles.grad_y = [inner, c](const Vec& x, const Vec& y) { return Vec(c * inner->grad_y(x, y)); };
    oracles.hess_yy = [inner, c](const Vec& x, const Vec& y, const Vec& v) { return Vec(c * inner->hess_yy(x, y, v)); };
    oracles.hess_xy = [inner, c](const Vec& x, const Vec& y, const Vec& v) { return Vec(c * inner->hess_xy(x, y, v)); };
    oracles.hess_yx = [inner, c](const Vec& x, const Vec& y, const Vec& u) { return Vec(c * inner->hess_yx(x, y, u)); };
    return objective_of("scaled", inner->dim_x(), inner->dim_y(), std::move(oracles));
  };
  BilevelProblem result = problem;
  result.upper = times(problem.upper, upper);
  result.lower = times(problem.lower, lower);
  return result;
}

BilevelProblem game(Index n, Index m, std::shared_ptr<const Objective> upper, std::shared_ptr<const Objective> lower) {
  return {"game", std::move(upper), std::move(lower), Vec::Zero(n), Vec::Zero(m), {}};
}

std::string all_of(const Certificate& c) {
  return std::string(to_string(c.verdict)) + ": " + c.reason + " | " + c.advice;
}

TEST(Certificate, CertifiesTheClosedFormSolutionOfQuadraticGames) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto problem = quadratic_problem(seed, 1e3);
    const auto c = certify(problem, problem.known->x, problem.known->y);
    EXPECT_EQ(c.verdict, Verdict::local_solution) << all_of(c);
    EXPECT_TRUE(c.is_solution());
    EXPECT_EQ(c.follower, FollowerKind::local_minimiser);
    EXPECT_EQ(c.kernel_dimension, 0);
    EXPECT_TRUE(c.dense);
    // H = A has the eigenvalues 0.002 .. 2; an eigenvalue solver's error is a few epsilon of |A|.
    EXPECT_NEAR(c.smallest_eigenvalue, 0.002, 1e-14);
    EXPECT_NEAR(c.largest_eigenvalue, 2, 1e-13);
    EXPECT_FALSE(c.fake);
  }
}

TEST(Certificate, MeasuresTheLeadersCurvature) {
  const auto problem = quadratic_problem();
  const auto& lower = dynamic_cast<const Quadratic&>(*problem.lower).coefficients();
  const auto& upper = dynamic_cast<const Quadratic&>(*problem.upper).coefficients();
  const Eigen::MatrixXd M = -lower.yy.ldlt().solve(lower.yx);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> expected(upper.xx + M.transpose() * M);
  const auto c = certify(problem, problem.known->x, problem.known->y);
  ASSERT_TRUE(c.leader_curvature) << all_of(c);
  // Differences over steps of 6e-6 of answers with rounding 1e-15.
  EXPECT_NEAR(*c.leader_curvature, expected.eigenvalues()[0], 1e-8);

  const auto unmeasured = certify(problem, problem.known->x, problem.known->y, {.leader_curvature_limit = 2});
  EXPECT_EQ(unmeasured.verdict, Verdict::local_solution);
  EXPECT_FALSE(unmeasured.leader_curvature);
  EXPECT_NE(unmeasured.reason.find("curvature was not examined"), std::string::npos) << unmeasured.reason;
}

TEST(Certificate, GivesTheSameVerdictAtEveryScale) {
  const auto problem = quadratic_problem();
  const Vec off_x = problem.known->x + vec({1e-3, 0, 0});
  const Vec answer = problem.lower->dim_y() * problem.known->y;  // no minimiser
  for (const double upper : {1e-6, 1.0, 1e6}) {
    for (const double lower : {1e-6, 1.0, 1e6}) {
      const auto same = scaled(problem, upper, lower);
      EXPECT_EQ(certify(same, problem.known->x, problem.known->y).verdict, Verdict::local_solution);
      EXPECT_EQ(certify(same, off_x, problem.known->y).verdict, Verdict::not_converged);
      EXPECT_EQ(certify(same, problem.known->x, answer).follower, FollowerKind::not_critical);
    }
  }
}

TEST(Certificate, MeasuresWhatSeparatesAMovedLeaderFromTheSolution) {
  const auto problem = quadratic_problem();
  const auto& lower = dynamic_cast<const Quadratic&>(*problem.lower).coefficients();
  const auto& upper = dynamic_cast<const Quadratic&>(*problem.upper).coefficients();
  const Eigen::MatrixXd M = -lower.yy.ldlt().solve(lower.yx);
  const Vec moved = vec({0.01, -0.02, 0.005});
  const auto c = certify(problem, problem.known->x + moved, problem.known->y + M * moved);
  EXPECT_EQ(c.verdict, Verdict::not_converged) << all_of(c);
  EXPECT_EQ(c.follower, FollowerKind::local_minimiser);
  // grad phi is affine, zero at the solution; rounding of some ten terms of size 1.
  EXPECT_NEAR(c.leader_residual, norm(Vec((upper.xx + M.transpose() * M) * moved)), 1e-13);
  EXPECT_LE(c.leader_residual_error, 1e-12);
  EXPECT_NE(c.advice.find("--max-iterations"), std::string::npos);
}

TEST(Certificate, BoundsWhatAnInexactFollowerContributes) {
  const auto problem = quadratic_problem();
  const Vec shift = vec({1e-5, -2e-5, 1e-5, 3e-5});
  const auto c = certify(problem, problem.known->x, problem.known->y + shift);
  EXPECT_EQ(c.verdict, Verdict::not_converged) << all_of(c);
  EXPECT_GT(c.leader_residual, 0);
  // The exact residual is 0, so that the whole of it is the follower's; the last term is rounding.
  EXPECT_LE(std::abs(c.leader_residual - c.leader_residual_error), 1e-12);
  EXPECT_NE(c.advice.find("inner steps"), std::string::npos) << c.advice;
}

TEST(Certificate, CertifiesANonlinearGameThatWasSolvedByOtherMeans) {
  const auto problem = nonlinear_problem();
  Vec x = problem.x0, y = problem.y0;
  // Gradient descent on the value function: its curvature here is about 1, so that 400 steps of 0.3 reach rounding.
  for (int i = 0; i < 400; ++i) {
    y = NewtonCg().solve(*problem.lower, x, y, {.tolerance = 1e-14}).y;
    x -= 0.3 * implicit(problem, x, y, {.tolerance = 1e-13}).gradient;
  }
  y = NewtonCg().solve(*problem.lower, x, y, {.tolerance = 1e-14}).y;
  const auto c = certify(problem, x, y);
  EXPECT_EQ(c.verdict, Verdict::local_solution) << all_of(c);
  EXPECT_GT(c.leader_curvature.value_or(0), 0);
  // The error's bound holds for a y that is off, to the second order in the shift (1e-8).
  const auto off = certify(problem, x, Vec(y + 1e-4 * vec({1, -1, 2})));
  EXPECT_FALSE(off.is_solution());
  EXPECT_LE(off.leader_residual, off.leader_residual_error + 1e-7);
}

TEST(Certificate, CorrectsAFollowerThatIsAlmostSolvedWhereTheLeaderDoesNotCare) {
  const auto lower =
      make_objective("g", 1, 1, [](auto x, auto y) { return square(y[0] - 1.0) + exp(y[0] - 1.0) - x[0]; });
  const auto upper = make_objective("f", 1, 1, [](auto x, auto) { return square(x[0]); });
  const auto problem = game(1, 1, upper, lower);
  const Vec exact = NewtonCg().solve(*lower, vec({0}), vec({1}), {.tolerance = 1e-14}).y;
  const auto c = certify(problem, vec({0}), Vec(exact + vec({1e-4})));
  EXPECT_EQ(c.verdict, Verdict::local_solution) << all_of(c);
  EXPECT_NE(c.reason.find("one Newton correction"), std::string::npos) << c.reason;
  const auto far = certify(problem, vec({0}), Vec(exact + vec({0.1})));
  EXPECT_EQ(far.follower, FollowerKind::not_critical) << all_of(far);
}

TEST(Certificate, NamesAFollowerThatIsNotSolved) {
  const auto problem = quadratic_problem();
  const auto c = certify(problem, problem.known->x, Vec(problem.known->y + vec({1, 0, 0, 0})));
  EXPECT_EQ(c.verdict, Verdict::not_converged);
  EXPECT_EQ(c.follower, FollowerKind::not_critical);
  EXPECT_NE(c.advice.find("--inner-steps"), std::string::npos);
}

TEST(Certificate, TellsSaddlesAndMaximisersFromMinimisers) {
  // f's gradient does not vanish, so that neither is a fake.
  const auto upper = make_objective("f", 1, 2, [](auto x, auto y) { return square(x[0]) + y[0] + 2.0 * y[1]; });
  for (const double second : {-1.0, -3.0, 0.5}) {
    for (const double first : {2.0, -0.5}) {
      const auto lower = std::make_shared<Quadratic>(
          "g", 1, 2, QuadraticCoefficients{.yy = vec({first, second}).asDiagonal().toDenseMatrix()});
      const auto c = certify(game(1, 2, upper, lower), vec({0}), vec({0, 0}));
      const bool minimum = first > 0 && second > 0;
      EXPECT_EQ(c.follower, minimum ? FollowerKind::local_minimiser : FollowerKind::saddle) << all_of(c);
      EXPECT_EQ(c.verdict, minimum ? Verdict::local_solution : Verdict::follower_saddle) << all_of(c);
      EXPECT_DOUBLE_EQ(c.smallest_eigenvalue, std::min(first, second));
    }
  }
}

TEST(Certificate, ExposesAFakeStationaryPoint) {
  // f is least at (0, 0), where g has a maximum, or which is no critical point of g.
  const auto upper = make_objective("f", 1, 1, [](auto x, auto y) { return square(x[0]) + square(y[0]); });
  const auto wells = make_objective(
      "wells", 1, 1, [](auto x, auto y) { return 0.25 * square(square(y[0]) - 1.0) + 0.1 * x[0] * y[0]; });
  const auto at_maximum = certify(game(1, 1, upper, wells), vec({0}), vec({0}));
  EXPECT_EQ(at_maximum.verdict, Verdict::fake_stationary_point) << all_of(at_maximum);
  EXPECT_TRUE(at_maximum.fake);
  EXPECT_EQ(at_maximum.follower, FollowerKind::saddle);

  const auto bowl = make_objective("bowl", 1, 1, [](auto x, auto y) { return square(y[0] - 1.0 - x[0]); });
  const auto off = certify(game(1, 1, upper, bowl), vec({0}), vec({0}));
  EXPECT_EQ(off.verdict, Verdict::fake_stationary_point) << all_of(off);
  EXPECT_EQ(off.follower, FollowerKind::not_critical);

  // The same f with a follower whose minimiser is 0: a true solution.
  const auto right = make_objective("right", 1, 1, [](auto x, auto y) { return square(y[0] - x[0]); });
  EXPECT_EQ(certify(game(1, 1, upper, right), vec({0}), vec({0})).verdict, Verdict::local_solution);
}

TEST(Certificate, TellsAMaximumOfTheValueFunction) {
  // y(x) = sin x, phi = -x^2 + y^2/4 with phi''(0) = -2 + 1/2.
  const auto lower = make_objective("g", 1, 1, [](auto x, auto y) { return 0.5 * square(y[0] - sin(x[0])); });
  const auto upper = make_objective("f", 1, 1, [](auto x, auto y) { return 0.25 * square(y[0]) - square(x[0]); });
  const auto c = certify(game(1, 1, upper, lower), vec({0}), vec({0}));
  EXPECT_EQ(c.verdict, Verdict::leader_saddle) << all_of(c);
  ASSERT_TRUE(c.leader_curvature);
  EXPECT_NEAR(*c.leader_curvature, -1.5, 1e-8);  // differences of 6e-6 of answers with rounding 1e-16
}

TEST(Certificate, SaysThatAFlatLeaderIsNotDecidedBySecondOrder) {
  const auto lower = make_objective("g", 1, 1, [](auto x, auto y) { return 0.5 * square(y[0] - x[0]); });
  const auto upper = make_objective("f", 1, 1, [](auto, auto y) { return square(square(y[0])); });
  const auto c = certify(game(1, 1, upper, lower), vec({0}), vec({0}));
  EXPECT_EQ(c.verdict, Verdict::local_solution) << all_of(c);
  EXPECT_NE(c.reason.find("second order does not decide"), std::string::npos) << c.reason;
}

TEST(Certificate, AllowsALeaderWithoutVariables) {
  const auto lower = make_objective("g", 0, 2, [](auto, auto y) { return square(y[0] - 1.0) + square(y[1]); });
  const auto upper = make_objective("f", 0, 2, [](auto, auto y) { return y[0] * y[1]; });
  const auto c = certify(game(0, 2, upper, lower), Vec(0), vec({1, 0}));
  EXPECT_EQ(c.verdict, Verdict::local_solution) << all_of(c);
  EXPECT_EQ(c.leader_residual, 0);
}

TEST(Certificate, NamesWhatIsNotFinite) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const auto problem = quadratic_problem();
  const Vec& x = problem.known->x;
  const Vec& y = problem.known->y;
  for (const double bad : {nan, infinity}) {
    auto c = certify(problem, x, Vec::Constant(4, bad));
    EXPECT_EQ(c.verdict, Verdict::undecided);
    EXPECT_NE(c.reason.find("y is not finite"), std::string::npos) << c.reason;
    EXPECT_TRUE(std::isnan(c.leader_residual) && std::isnan(c.follower_residual));

    const auto with = [&](bool upper, auto alter) {
      auto oracles = oracles_of(upper ? problem.upper : problem.lower);
      alter(oracles);
      auto broken = problem;
      (upper ? broken.upper : broken.lower) = objective_of("broken", 3, 4, std::move(oracles));
      const auto result = certify(broken, x, y);
      EXPECT_EQ(result.verdict, Verdict::undecided) << all_of(result);
      EXPECT_NE(result.reason.find("not finite"), std::string::npos) << result.reason;
      return result.reason;
    };
    const auto bad_product = [bad](Index size) {
      return [bad, size](const Vec&, const Vec&, const Vec&) { return Vec(Vec::Constant(size, bad)); };
    };
    EXPECT_NE(with(false, [&](Oracles& o) { o.hess_yy = bad_product(4); }).find("with H"), std::string::npos);
    with(false, [&](Oracles& o) { o.hess_xy = bad_product(3); });
    with(false, [&](Oracles& o) { o.grad_y = [bad](const Vec&, const Vec&) { return Vec(Vec::Constant(4, bad)); }; });
    with(true, [&](Oracles& o) { o.grad_x = [bad](const Vec&, const Vec&) { return Vec(Vec::Constant(3, bad)); }; });
    with(true, [&](Oracles& o) { o.grad_y = [bad](const Vec&, const Vec&) { return Vec(Vec::Constant(4, bad)); }; });
  }
}

TEST(Certificate, RefusesHessiansThatAreNone) {
  const auto problem = quadratic_problem();
  auto oracles = oracles_of(problem.lower);
  oracles.hess_yy = [inner = problem.lower](const Vec& x, const Vec& y, const Vec& v) {
    Vec product = inner->hess_yy(x, y, v);
    product[0] += 0.3 * v[1];
    return product;
  };
  auto wrong = problem;
  wrong.lower = objective_of("wrong", 3, 4, std::move(oracles));
  const auto c = certify(wrong, problem.known->x, problem.known->y);
  EXPECT_EQ(c.verdict, Verdict::undecided) << all_of(c);
  EXPECT_NE(c.reason.find("symmetric"), std::string::npos) << c.reason;
}

TEST(Certificate, RefusesMisuse) {
  const auto problem = quadratic_problem();
  const Vec& x = problem.known->x;
  const Vec& y = problem.known->y;
  EXPECT_THROW(certify(problem, y, y), DimensionMismatch);
  EXPECT_THROW(certify(problem, x, x), DimensionMismatch);
  EXPECT_THROW(certify(problem, x, y, {.tolerance = 0}), InvalidOption);
  EXPECT_THROW(certify(problem, x, y, {.dense_limit = 501}), InvalidOption);
  EXPECT_THROW(certify(problem, x, y, {.tolerance = std::numeric_limits<double>::quiet_NaN()}), InvalidOption);
  auto first_order = problem;
  auto oracles = oracles_of(problem.lower);
  oracles.hess_yy = nullptr;
  first_order.lower = objective_of("first order", 3, 4, std::move(oracles));
  const auto message = message_of<MissingOracle>([&] { certify(first_order, x, y); });
  EXPECT_NE(message.find("hess_yy"), std::string::npos) << message;
}

}  // namespace
}  // namespace bilevel::testing
