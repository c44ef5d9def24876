#include "bilevel/problem.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "bilevel/quadratic.hpp"
#include "bilevel/status.hpp"
#include "message_of.hpp"

namespace bilevel {
namespace {

using testing::message_of;

std::shared_ptr<const Objective> objective(Index dim_x, Index dim_y) {
  return std::make_shared<Quadratic>("q", dim_x, dim_y, QuadraticCoefficients{});
}

BilevelProblem right() { return {"toy", objective(2, 3), objective(2, 3), Vec::Zero(2), Vec::Zero(3), {}}; }

TEST(BilevelProblem, ARightOneIsValid) {
  const auto problem = right();
  EXPECT_NO_THROW(problem.validate());
  EXPECT_EQ(problem.dim_x(), 2);
  EXPECT_EQ(problem.dim_y(), 3);
}

TEST(BilevelProblem, NamesAllMisfitsAtOnce) {
  auto problem = right();
  problem.upper = objective(4, 5);
  problem.x0 = Vec::Zero(1);
  problem.y0 = Vec::Zero(6);
  EXPECT_EQ(
      message_of<DimensionMismatch>([&] { problem.validate(); }),
      "problem 'toy' does not fit together: the upper objective's x has 4 where the lower objective has 2; the "
      "upper objective's y has 5 where the lower objective has 3; the start x0 has 1 where the lower objective has "
      "2; the start y0 has 6 where the lower objective has 3");
}

TEST(BilevelProblem, NeedsBothObjectives) {
  auto problem = right();
  problem.lower = nullptr;
  EXPECT_EQ(message_of<DimensionMismatch>([&] { problem.validate(); }),
            "problem 'toy' needs an upper and a lower objective, but the lower is missing");
  problem = right();
  problem.upper = nullptr;
  EXPECT_EQ(message_of<DimensionMismatch>([&] { problem.validate(); }),
            "problem 'toy' needs an upper and a lower objective, but the upper is missing");
}

TEST(BilevelProblem, NeedsAFiniteStart) {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    auto problem = right();
    problem.y0[1] = bad;
    EXPECT_EQ(message_of<InvalidInput>([&] { problem.validate(); }),
              "problem 'toy' starts at a point with NaN or infinite entries");
  }
}

}  // namespace
}  // namespace bilevel
