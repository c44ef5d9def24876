// tanh of many numbers against the standard library, for every instruction set.
#include "kernels/tanh.hpp"

#include "kernels/kernel_data.hpp"

namespace bilevel::kernels {
namespace {

template <class Real>
class TanhTest : public testing::Test {};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(TanhTest, Reals);

TYPED_TEST(TanhTest, IsThatOfTheStandardLibrary) {
  for_each_target([] {
    // 67 numbers: whole vectors and a rest on every instruction set; from tiny ones to where tanh is 1.
    std::vector<TypeParam> values;
    for (const double u : uniform_values(67, 3)) values.push_back(static_cast<TypeParam>(u * u * u * 30));
    std::vector<TypeParam> results = values;
    tanh_in_place(results.size(), results.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double expected = std::tanh(static_cast<double>(values[i]));
      // 4 units in the last place, each up to 2^-23 or 2^-52 of the value.
      EXPECT_NEAR(results[i], expected, 4 * std::numeric_limits<TypeParam>::epsilon() * std::abs(expected))
          << "tanh " << values[i];
    }
  });
}

TYPED_TEST(TanhTest, KeepsNaNAndSaturates) {
  for_each_target([] {
    constexpr TypeParam kInfinity = std::numeric_limits<TypeParam>::infinity();
    std::vector<TypeParam> values(35, std::numeric_limits<TypeParam>::quiet_NaN());
    values[1] = kInfinity;
    values[2] = -kInfinity;
    values[3] = TypeParam{1e30F};
    values[4] = TypeParam{0};
    tanh_in_place(values.size(), values.data());
    EXPECT_EQ(values[1], 1);
    EXPECT_EQ(values[2], -1);
    EXPECT_EQ(values[3], 1);
    EXPECT_EQ(values[4], 0);
    EXPECT_TRUE(std::isnan(values[0]));
    EXPECT_TRUE(std::isnan(values[34]));
  });
}

}  // namespace
}  // namespace bilevel::kernels
