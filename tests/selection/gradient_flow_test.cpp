// The limit of the flow and its derivative, against closed forms.
#include "bilevel/gradient_flow.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "bilevel/check_selection.hpp"
#include "morse_bott_examples.hpp"
#include "selection/dense_answers.hpp"
#include "taylor.hpp"

namespace bilevel {
namespace {

using testing::vec;

TEST(GradientFlow, AtCriticalPairsTheDerivativeIsMinusBTimesThePseudoInverse) {
  for (const auto& follower : testing::morse_bott_followers()) {
    SCOPED_TRACE(follower.name);
    const GradientFlow flow(follower.lower);
    const Index n = follower.x.size(), m = follower.y.size();
    const Eigen::MatrixXd expected = testing::answers_derivative(*follower.lower, follower.x, follower.y);
    const auto found = flow.sensitivity(follower.x, follower.y, Eigen::MatrixXd::Identity(n, n));
    ASSERT_EQ(found.status, Status::converged) << found.message;
    std::printf("%s: fwd %.2e steps %ld products %llu\n", follower.name.c_str(),
                (found.moves.transpose() - expected).norm() / expected.norm(), long(found.answer.iterations),
                static_cast<unsigned long long>(found.answer.work.calls[3]));
    // Asked for: 1e-6; the sensitivities are accurate to some 1e-9 over the smallest nonzero eigenvalue of H.
    EXPECT_LE((found.moves.transpose() - expected).norm(), 1e-6 * expected.norm());

    const auto point = flow.record(follower.x, follower.y);
    EXPECT_EQ(point->answer().y, follower.y);
    for (Index j = 0; j < m; ++j) {
      const auto pulled = point->pull_back(Vec::Unit(m, j));
      ASSERT_EQ(pulled.status, Status::converged) << pulled.message;
      EXPECT_LE((pulled.value - expected.col(j)).norm(), 1e-6 * expected.norm()) << "column " << j;
    }
  }
}

TEST(GradientFlow, FromStartsOffTheManifoldTheDerivativeIsThatOfTheAnswer) {
  for (const auto& follower : testing::morse_bott_followers()) {
    SCOPED_TRACE(follower.name);
    const GradientFlow flow(follower.lower);
    const Index n = follower.x.size(), m = follower.y.size();
    Random random(3);
    const Vec start = follower.y + testing::random_vec(m, random, follower.spread / std::sqrt(double(m)));
    const auto found = flow.sensitivity(follower.x, start, Eigen::MatrixXd::Identity(n, n));
    ASSERT_EQ(found.status, Status::converged) << found.message;
    const auto dense = testing::dense_curvature(*follower.lower, follower.x, found.answer.y);
    const Eigen::MatrixXd U = found.moves.transpose();
    std::printf("%s: time %g steps %ld products %llu; |B+UH| %.2e; |U| %.3g\n", follower.name.c_str(), found.time,
                long(found.answer.iterations), static_cast<unsigned long long>(found.answer.work.calls[3]),
                (dense.B + U * dense.H).norm(), U.norm());
    const auto point = flow.record(follower.x, start);
    Eigen::MatrixXd adjoint(n, m);
    for (Index j = 0; j < m; ++j) {
      const auto pulled = point->pull_back(Vec::Unit(m, j));
      ASSERT_EQ(pulled.status, Status::converged) << pulled.message;
      adjoint.col(j) = pulled.value;
    }
    std::printf("   adjoint differs %.2e\n", (adjoint - U).norm() / U.norm());
    for (Index i = 0; i < n; ++i) {
      const double t = 1e-4;
      const Vec dx = Vec::Unit(n, i);
      const Vec up = flow.select(follower.x + t * dx, start).y, down = flow.select(follower.x - t * dx, start).y;
      std::printf("   fd differs %.2e\n", ((up - down) / (2 * t) - U.row(i).transpose()).norm() / U.norm());
    }
  }
}

}  // namespace
}  // namespace bilevel
