// The ways between double and Real against casts one by one, for every instruction set.
#include "kernels/conversions.hpp"

#include "kernels/kernel_data.hpp"

namespace bilevel::kernels {
namespace {

template <class Real>
class ConversionsTest : public testing::Test {};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(ConversionsTest, Reals);

TYPED_TEST(ConversionsTest, AreCastsOfEveryEntryAndOfNoOther) {
  for_each_target([] {
    // Up to five of the widest vectors and a rest, from places that are aligned and places that are not.
    for (std::size_t size = 0; size <= 43; ++size) {
      for (const std::size_t offset : {0, 1}) {
        const std::vector<double> from = uniform_values(size + offset, 1);
        std::vector<TypeParam> to(size + offset + 1, TypeParam{7});
        convert(size, from.data() + offset, to.data() + offset);
        std::vector<double> back(size + offset + 1, 7);
        convert_scaled(size, 0.3, to.data() + offset, back.data() + offset);
        for (std::size_t i = offset; i < size + offset; ++i) {
          ASSERT_EQ(to[i], static_cast<TypeParam>(from[i])) << i << " of " << size;
          ASSERT_EQ(back[i], 0.3 * static_cast<double>(to[i])) << i << " of " << size;
        }
        ASSERT_EQ(to.back(), TypeParam{7});
        ASSERT_EQ(back.back(), 7);
      }
    }
  });
}

TEST(Conversions, AddScaledAddsToEveryEntryAndToNoOther) {
  for_each_target([] {
    for (std::size_t size = 0; size <= 43; ++size) {
      for (const std::size_t offset : {0, 1}) {
        const std::vector<double> from = uniform_values(size + offset, 1);
        std::vector<double> to = uniform_values(size + offset + 1, 2);
        const std::vector<double> before = to;
        add_scaled(size, 0.3, from.data() + offset, to.data() + offset);
        for (std::size_t i = 0; i < to.size(); ++i) {
          const bool inside = i >= offset && i < size + offset;
          // With or without a rounding between product and sum, of values below 1.3.
          ASSERT_NEAR(to[i], before[i] + (inside ? 0.3 * from[i] : 0), inside ? 4e-16 : 0) << i << " of " << size;
        }
      }
    }
  });
}

}  // namespace
}  // namespace bilevel::kernels
