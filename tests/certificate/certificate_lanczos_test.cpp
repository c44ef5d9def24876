// The matrix-free path: H is never formed.
#include <gtest/gtest.h>

#include "bilevel/certificate.hpp"
#include "probes.hpp"

namespace bilevel::testing {
namespace {

std::string all_of(const Certificate& c) {
  return std::string(to_string(c.verdict)) + ": " + c.reason + " | " + c.advice;
}

struct Game {
  BilevelProblem problem;
  Vec x, y;
};

/// g = y'Ay/2 + y'Cx with A diagonal (Lanczos does not care for the basis), f = |y - t|^2/2 + |x|^2/2 + s'x: at x = 0
/// the answer is 0, and s = -C' A^-1 t makes it the solution.
Game diagonal_game(const Vec& eigenvalues, std::uint64_t seed, double float_noise = 0) {
  constexpr Index n = 3;
  const Index m = eigenvalues.size();
  Random random(seed);
  Eigen::MatrixXd C(m, n);
  for (auto& entry : C.reshaped()) entry = eigenvalues.maxCoeff() * random.normal() / std::sqrt(static_cast<double>(m));
  Vec t(m);
  for (Index i = 0; i < m; ++i) t[i] = eigenvalues[i] * random.normal();  // so that A^-1 t is no larger than 1
  const Vec s = -C.transpose() * t.cwiseQuotient(eigenvalues);
  Oracles g;
  const auto rounded = [float_noise](Vec v) { return float_noise == 0 ? v : Vec(v.cast<float>().cast<double>()); };
  g.value = [=](const Vec& x, const Vec& y) { return 0.5 * y.dot(eigenvalues.cwiseProduct(y)) + y.dot(C * x); };
  g.grad_x = [=](const Vec&, const Vec& y) { return Vec(C.transpose() * y); };
  g.grad_y = [=](const Vec& x, const Vec& y) { return rounded(eigenvalues.cwiseProduct(y) + C * x); };
  g.hess_yy = [=](const Vec&, const Vec&, const Vec& v) { return rounded(eigenvalues.cwiseProduct(v)); };
  g.hess_xy = [=](const Vec&, const Vec&, const Vec& v) { return rounded(C.transpose() * v); };
  g.hess_yx = [=](const Vec&, const Vec&, const Vec& u) { return rounded(C * u); };
  Oracles f;
  f.value = [=](const Vec& x, const Vec& y) { return 0.5 * (y - t).squaredNorm() + 0.5 * x.squaredNorm() + s.dot(x); };
  f.grad_x = [=](const Vec& x, const Vec&) { return Vec(x + s); };
  f.grad_y = [=](const Vec&, const Vec& y) { return Vec(y - t); };
  return {{"diagonal",
           objective_of("f", n, m, std::move(f)),
           objective_of("g", n, m, std::move(g)),
           Vec::Zero(n),
           Vec::Zero(m),
           {}},
          Vec::Zero(n),
          Vec::Zero(m)};
}

TEST(LanczosCertificate, AgreesWithTheDensePathOnRandomSpectra) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Random random(seed);
    Vec eigenvalues(80);
    const bool saddle = seed % 2 == 0;
    for (auto& entry : eigenvalues) entry = 0.05 + random.uniform();
    if (saddle) eigenvalues[11] = -0.1 * random.uniform() - 0.01;
    const auto [problem, x, y] = diagonal_game(eigenvalues, seed);
    const auto dense = certify(problem, x, y);
    const auto lanczos = certify(problem, x, y, {.dense_limit = 0});
    EXPECT_TRUE(dense.dense);
    EXPECT_FALSE(lanczos.dense);
    EXPECT_EQ(dense.verdict, saddle ? Verdict::follower_saddle : Verdict::local_solution) << all_of(dense);
    EXPECT_EQ(lanczos.verdict, dense.verdict) << all_of(lanczos);
    EXPECT_NE(lanczos.reason.find("Lanczos"), std::string::npos) << lanczos.reason;
    EXPECT_NE(lanczos.reason.find("cannot exclude"), std::string::npos) << lanczos.reason;
    // Lanczos stops at a residual of 1e-10 |H|, the eigenvalue's error is of its square.
    EXPECT_NEAR(lanczos.smallest_eigenvalue, dense.smallest_eigenvalue, 1e-10);
    EXPECT_LE(lanczos.products, 300 + 500 + 3);
    EXPECT_EQ(lanczos.kernel_dimension.has_value(), !saddle);
  }
}

TEST(LanczosCertificate, NeverContradictsTheDensePathOnHardSpectra) {
  int decided = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    Vec eigenvalues(40 + static_cast<Index>(random.below(60)));
    const double decades = 1 + 8 * random.uniform();
    for (auto& entry : eigenvalues) entry = std::pow(10.0, -decades * random.uniform());
    if (seed % 3 == 0) eigenvalues[3] = -std::pow(10.0, -7 * random.uniform());
    const auto [problem, x, y] = diagonal_game(eigenvalues, seed);
    const auto dense = certify(problem, x, y);
    const auto lanczos = certify(problem, x, y, {.dense_limit = 0});
    if (lanczos.follower == FollowerKind::undecided) continue;
    ++decided;
    EXPECT_EQ(lanczos.follower, dense.follower) << "seed " << seed << ": " << all_of(lanczos);
  }
  EXPECT_GE(decided, 20);  // half of them: silence would be no answer either
}

TEST(LanczosCertificate, CertifiesAFollowerOfTwoThousandVariables) {
  const auto [problem, x, y] = diagonal_game(Vec::LinSpaced(2000, 0.02, 1), 5);
  const auto c = certify(problem, x, y);
  EXPECT_EQ(c.verdict, Verdict::local_solution) << all_of(c);
  EXPECT_FALSE(c.leader_curvature);
  EXPECT_NE(c.reason.find("curvature was not examined"), std::string::npos);
  EXPECT_LE(c.products, 803);
}

TEST(LanczosCertificate, IsUndecidedRatherThanWrongAboutClusteredSmallEigenvalues) {
  Vec eigenvalues(1000);
  for (Index i = 0; i < 1000; ++i) eigenvalues[i] = std::pow(10.0, -9.0 * static_cast<double>(i) / 999.0);
  const auto [problem, x, y] = diagonal_game(eigenvalues, 6);
  const auto c = certify(problem, x, y);
  EXPECT_EQ(c.verdict, Verdict::undecided) << all_of(c);
  EXPECT_FALSE(c.kernel_dimension);
  EXPECT_NE(c.advice.find("eigenvalue products"), std::string::npos) << c.advice;
  // A lone negative eigenvalue among them is hidden; nothing may be certified.
  eigenvalues[999] = -1e-9;
  const auto hidden = diagonal_game(eigenvalues, 6);
  EXPECT_FALSE(certify(hidden.problem, hidden.x, hidden.y).is_solution());
}

TEST(LanczosCertificate, ProvesASaddleByOneNegativeRitzValue) {
  Vec eigenvalues = Vec::LinSpaced(1500, 0.01, 1);
  eigenvalues[700] = -0.05;
  const auto [problem, x, y] = diagonal_game(eigenvalues, 7);
  const auto c = certify(problem, x, y);
  EXPECT_EQ(c.verdict, Verdict::follower_saddle) << all_of(c);
  EXPECT_LT(c.smallest_eigenvalue + c.smallest_eigenvalue_error, 0);
}

TEST(LanczosCertificate, DeflatesAKernel) {
  constexpr Index m = 300, n = 1;
  // g = sum_{i >= 2} a_i y_i^2/2 - x y_5: y_0 and y_1 are free; f = |y|^2/2 + x^2/2, solution 0.
  Vec a = Vec::LinSpaced(m, 0.5, 1.5);
  a[0] = a[1] = 0;
  Eigen::MatrixXd C = Eigen::MatrixXd::Zero(m, n);
  C(5, 0) = -1;
  const BilevelProblem problem{
      "kernel",
      std::make_shared<Quadratic>(
          "f", n, m,
          QuadraticCoefficients{.yy = Eigen::MatrixXd::Identity(m, m), .xx = Eigen::MatrixXd::Identity(n, n)}),
      std::make_shared<Quadratic>("g", n, m, QuadraticCoefficients{.yy = a.asDiagonal().toDenseMatrix(), .yx = C}),
      Vec::Zero(n),
      Vec::Zero(m),
      {}};
  const auto c = certify(problem, problem.x0, problem.y0, {.eigenvalue_products = 500});
  EXPECT_EQ(c.kernel_dimension, 2) << all_of(c);
  EXPECT_EQ(c.follower, FollowerKind::degenerate_local_minimiser);
  EXPECT_EQ(c.verdict, Verdict::degenerate_equilibrium) << all_of(c);
  // Half way along the free directions f falls: the selection is not optimistic.
  const auto off = certify(problem, problem.x0, Vec(0.5 * Vec::Unit(m, 1)), {.eigenvalue_products = 500});
  EXPECT_EQ(off.verdict, Verdict::not_converged) << all_of(off);
  EXPECT_NEAR(off.selection_residual, 0.5, 1e-9);  // kernel vectors to a residual of 1e-10
  const auto poor = certify(problem, problem.x0, problem.y0, {.eigenvalue_products = 40});
  EXPECT_EQ(poor.verdict, Verdict::undecided) << all_of(poor);
}

TEST(LanczosCertificate, CopesWithProductsInSinglePrecision) {
  const auto [problem, x, y] = diagonal_game(Vec::LinSpaced(1000, 0.05, 1), 8, 1);
  // Rounding of 3e-8 becomes 2e-5 or so of the adjoint (|B| / lambda_min = 20): that much can be certified, no more.
  for (const double tolerance : {1e-10, 1e-4}) {
    const auto c = certify(problem, x, y, {.tolerance = tolerance});
    EXPECT_EQ(c.follower, FollowerKind::local_minimiser) << all_of(c);
    EXPECT_EQ(c.verdict, tolerance < 1e-6 ? Verdict::not_converged : Verdict::local_solution) << all_of(c);
    EXPECT_NE(c.reason.find("relative error"), std::string::npos) << c.reason;
    EXPECT_LE(c.leader_residual, c.leader_residual_error);  // the exact residual is 0
  }
}

TEST(LanczosCertificate, ClaimsNothingWithoutABudgetForSolves) {
  const auto [problem, x, y] = diagonal_game(Vec::LinSpaced(400, 0.05, 1), 10);
  for (const Index products : {0, 4, 8}) {
    const auto c = certify(problem, x, Vec(y + 1e-8 * Vec::Ones(400)), {.solve_products = products});
    EXPECT_FALSE(c.is_solution()) << all_of(c);
    EXPECT_GT(c.leader_residual_error, 1e-6 * c.leader_scale);
  }
}

TEST(LanczosCertificate, GivesTheSameAnswerForTheSameSeed) {
  const auto [problem, x, y] = diagonal_game(Vec::LinSpaced(400, 0.05, 1), 9);
  EXPECT_EQ(certify(problem, x, y).reason, certify(problem, x, y).reason);
}

/// 300 eigenvalues from 0.01 to 10, a hundred of them within 1 % of the smallest: a cluster that Lanczos is slow on.
Vec clustered() {
  Vec eigenvalues(300);
  for (Index i = 0; i < 100; ++i) eigenvalues[i] = 0.01 * (1 + 1e-4 * static_cast<double>(i));
  for (Index i = 100; i < 300; ++i) eigenvalues[i] = 0.02 * std::pow(500.0, static_cast<double>(i - 100) / 199);
  return eigenvalues;
}

TEST(LanczosCertificate, AKnownConvexityTakesThePlaceOfTheSearch) {
  const auto [problem, x, y] = diagonal_game(clustered(), 3);
  const auto searched = certify(problem, x, y);
  const auto known = certify(problem, x, y, {.convexity = 0.01});
  EXPECT_EQ(known.verdict, Verdict::local_solution) << all_of(known);
  EXPECT_EQ(known.kernel_dimension, 0);
  EXPECT_NE(known.reason.find("known to be at least 0.01"), std::string::npos) << known.reason;
  EXPECT_NEAR(known.largest_eigenvalue, 10, 0.1) << "20 products of Lanczos find an isolated end to a percent";
  // Its interval is where the eigenvalue lies.
  EXPECT_LE(known.smallest_eigenvalue - known.smallest_eigenvalue_error, 0.01 * (1 + 1e-12));
  EXPECT_GE(known.smallest_eigenvalue, 0.01 * (1 - 1e-12));
  EXPECT_LT(known.products, searched.products - 100) << all_of(searched);

  const Vec elsewhere = x + Vec::Constant(x.size(), 0.5);
  const Vec answer = -clustered().cwiseInverse().cwiseProduct(problem.lower->grad_y(elsewhere, Vec::Zero(300)));
  const auto moved = certify(problem, elsewhere, answer, {.convexity = 0.01});
  EXPECT_EQ(moved.verdict, Verdict::not_converged) << all_of(moved);
}

TEST(LanczosCertificate, AConvexityThatIsNotTrueIsNotBelieved) {
  auto eigenvalues = clustered();
  eigenvalues[7] = -0.5;
  const auto [problem, x, y] = diagonal_game(eigenvalues, 3);
  const auto saddle = certify(problem, x, y, {.convexity = 0.01});
  EXPECT_EQ(saddle.verdict, Verdict::follower_saddle) << all_of(saddle);
  const auto [convex, at, answer] = diagonal_game(clustered(), 3);
  const auto exaggerated = certify(convex, at, answer, {.convexity = 1});
  EXPECT_EQ(exaggerated.reason.find("known"), std::string::npos) << all_of(exaggerated);
  EXPECT_NE(exaggerated.verdict, Verdict::follower_saddle) << all_of(exaggerated);
}

}  // namespace
}  // namespace bilevel::testing
