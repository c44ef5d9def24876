#include "bilevel/vec.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "probes.hpp"

namespace bilevel::testing {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Norm, IsRightWhereSquaresAreNotNumbers) {
  for (const double scale : {1e-320, 1e-308, 1e-200, 1e-160, 1e-140, 1e-100, 1.0, 1e100, 1e154, 1e200, 1e307}) {
    // Scaling rounds, and a denormal 5e-320 has four digits.
    EXPECT_NEAR(norm(vec({3 * scale, -4 * scale})) / (5 * scale), 1, scale < 1e-300 ? 1e-3 : 1e-15) << scale;
  }
  EXPECT_EQ(norm(vec({1e-170, 1e-320})), 1e-170) << "not 0";
  EXPECT_EQ(norm(Vec()), 0);
  EXPECT_EQ(norm(vec({0, -0.0, 0})), 0);
  const double largest = std::numeric_limits<double>::max();
  EXPECT_EQ(norm(vec({0, largest})), largest);
  EXPECT_EQ(norm(vec({largest, largest})), kInfinity) << "|a| itself is beyond all numbers";
}

TEST(Norm, IsEigensInTheOrdinaryRangeBitForBit) {
  Random random(1);
  for (Index size = 1; size < 70; ++size) {
    const Vec a = Vec::NullaryExpr(size, [&] { return random.normal(); });
    EXPECT_EQ(norm(a), a.norm());
  }
}

TEST(Norm, HandsOnWhatIsNotFinite) {
  EXPECT_EQ(norm(vec({1, -kInfinity})), kInfinity);
  EXPECT_TRUE(std::isnan(norm(vec({1, kNaN}))));
  EXPECT_TRUE(std::isnan(norm(vec({kInfinity, kNaN}))));
  EXPECT_TRUE(std::isnan(norm(vec({1e300, kNaN, 1e-300}))));
}

TEST(AllFinite, FindsOneNumberWhereverItStands) {
  EXPECT_TRUE(all_finite(Vec()));
  for (const Index size : {1, 2, 3, 4, 5, 8, 17, 100}) {
    for (Index i = 0; i < size; ++i) {
      for (const double number : {kNaN, kInfinity, -kInfinity}) {
        Vec a = Vec::Constant(size, std::numeric_limits<double>::max());
        EXPECT_TRUE(all_finite(a));
        a[i] = number;
        EXPECT_FALSE(all_finite(a)) << size << ", " << i;
      }
    }
  }
}

}  // namespace
}  // namespace bilevel::testing
