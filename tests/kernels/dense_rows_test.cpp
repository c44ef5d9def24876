// The thin products against plain double loops, for every instruction set.
#include "kernels/dense_rows.hpp"

#include <bilevel/status.hpp>
#include <numeric>
#include <utility>

#include "kernels/kernel_data.hpp"

namespace bilevel::kernels {
namespace {

template <class Real>
class DenseRowsTest : public testing::Test {};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(DenseRowsTest, Reals);

template <class Real>
DenseRows<Real> uniform_rows(std::size_t rows, std::size_t features) {
  DenseRows<Real> data(rows, features);
  const std::vector<double> values = uniform_values(rows * features, 7);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < features; ++j) data.row(i)[j] = static_cast<Real>(values[i * features + j]);
  }
  return data;
}

template <class Real>
std::vector<std::uint32_t> some_indices(std::size_t rows, std::size_t count) {
  std::vector<std::uint32_t> indices(count);
  for (std::size_t r = 0; r < count; ++r) indices[r] = static_cast<std::uint32_t>((r * 37 + 11) % rows);
  return indices;
}

/// Checks both products for the rows indices[0 .. count); contiguous if begin is one of data's rows, else gathered.
template <class Real>
void check_products(const DenseRows<Real>& data, std::size_t begin, const std::vector<std::uint32_t>& indices,
                    std::size_t classes) {
  const std::size_t count = indices.size();
  const std::size_t d = data.features();
  const std::size_t stride = data.weight_stride();
  const bool contiguous = begin < data.rows();
  const AlignedBuffer<Real> W = uniform_weights(data, classes, 1);
  AlignedBuffer<Real> Z = uniform_buffer<Real>(classes * kBlockRows, 2);
  if (contiguous) {
    data.scores(begin, count, W.data(), classes, Z.data());
  } else {
    data.scores_gathered({indices.data(), count}, W.data(), classes, Z.data());
  }
  for (std::size_t c = 0; c < classes; ++c) {
    for (std::size_t r = 0; r < kBlockRows; ++r) {
      double expected = 0.0;
      for (std::size_t j = 0; r < count && j < d; ++j) {
        expected += static_cast<double>(data.row(indices[r])[j]) * static_cast<double>(W[c * stride + j]);
      }
      ASSERT_NEAR(Z[c * kBlockRows + r], expected, r < count ? sum_tolerance<Real>(d) : 0.0)
          << "score of class " << c << " row " << r << " of " << count << ", " << d << " features";
    }
  }
  const AlignedBuffer<Real> R = uniform_buffer<Real>(classes * kBlockRows, 3);
  AlignedBuffer<Real> G = uniform_weights(data, classes, 4);
  const AlignedBuffer<Real> before = uniform_weights(data, classes, 4);
  if (contiguous) {
    data.accumulate(begin, count, R.data(), classes, G.data());
  } else {
    data.accumulate_gathered({indices.data(), count}, R.data(), classes, G.data());
  }
  for (std::size_t c = 0; c < classes; ++c) {
    for (std::size_t j = 0; j < stride; ++j) {
      double expected = static_cast<double>(before[c * stride + j]);
      for (std::size_t r = 0; j < d && r < count; ++r) {
        expected += static_cast<double>(R[c * kBlockRows + r]) * static_cast<double>(data.row(indices[r])[j]);
      }
      ASSERT_NEAR(G[c * stride + j], expected, j < d ? sum_tolerance<Real>(count) : 0.0)
          << "gradient of class " << c << " feature " << j << " of " << d << ", " << count << " rows";
    }
  }
}

template <class Real>
void check_block(const DenseRows<Real>& data, std::size_t begin, std::size_t count, std::size_t classes) {
  std::vector<std::uint32_t> indices(count);
  std::iota(indices.begin(), indices.end(), static_cast<std::uint32_t>(begin));
  check_products(data, begin, indices, classes);
}

TYPED_TEST(DenseRowsTest, EveryFeatureCount) {
  for_each_target([] {
    for (std::size_t features = 1; features <= 130; ++features) {
      check_block(uniform_rows<TypeParam>(21, features), 3, 17, 10);
    }
  });
}

TYPED_TEST(DenseRowsTest, EveryClassCount) {
  const auto data = uniform_rows<TypeParam>(70, 37);
  for_each_target([&] {
    for (std::size_t classes = 1; classes <= 37; ++classes) check_block(data, 0, kBlockRows, classes);
    check_block(data, 1, 9, 1000);
  });
}

TYPED_TEST(DenseRowsTest, EveryBlockSizeAndTheLastBlock) {
  const auto data = uniform_rows<TypeParam>(131, 29);
  for_each_target([&] {
    for (std::size_t count = 1; count <= kBlockRows; ++count) {
      check_block(data, 0, count, 7);
      check_block(data, 131 - count, count, 3);
    }
  });
}

TYPED_TEST(DenseRowsTest, LongRowsWhoseLengthIsAPowerOfTwo) {
  const auto data = uniform_rows<TypeParam>(128, 1024);
  for_each_target([&] { check_block(data, 0, kBlockRows, 10); });
}

TYPED_TEST(DenseRowsTest, GatheredRowsMayRepeat) {
  const auto data = uniform_rows<TypeParam>(23, 45);
  for_each_target([&] {
    for (const std::size_t count : {std::size_t{1}, std::size_t{5}, kBlockRows}) {
      check_products(data, data.rows(), some_indices<TypeParam>(data.rows(), count), 11);
    }
  });
}

TYPED_TEST(DenseRowsTest, GatheredRowsMeetAnyNumberOfClasses) {
  // Every number of tiles shares the fetching of later rows in its own way.
  const auto data = uniform_rows<TypeParam>(70, 37);
  for_each_target([&] {
    for (std::size_t classes = 1; classes <= 37; ++classes) {
      check_products(data, data.rows(), some_indices<TypeParam>(data.rows(), 13), classes);
    }
  });
}

TYPED_TEST(DenseRowsTest, GatheredGivesTheBitsOfContiguous) {
  const auto data = uniform_rows<TypeParam>(80, 45);
  const auto W = uniform_weights(data, 10, 1);
  std::vector<std::uint32_t> indices(30);
  std::iota(indices.begin(), indices.end(), 20U);
  AlignedBuffer<TypeParam> Z(10 * kBlockRows), gathered_Z(10 * kBlockRows);
  AlignedBuffer<TypeParam> G(10 * data.weight_stride()), gathered_G(10 * data.weight_stride());
  data.scores(20, 30, W.data(), 10, Z.data());
  data.scores_gathered({indices.data(), 30}, W.data(), 10, gathered_Z.data());
  data.accumulate(20, 30, Z.data(), 10, G.data());
  data.accumulate_gathered({indices.data(), 30}, Z.data(), 10, gathered_G.data());
  for (std::size_t i = 0; i < Z.size(); ++i) ASSERT_EQ(Z[i], gathered_Z[i]);
  for (std::size_t i = 0; i < G.size(); ++i) ASSERT_EQ(G[i], gathered_G[i]);
}

TYPED_TEST(DenseRowsTest, RowsAheadAreOnlyFetched) {
  const auto data = uniform_rows<TypeParam>(70, 45);
  const auto indices = some_indices<TypeParam>(data.rows(), kBlockRows + kGroupRows);
  for_each_target([&] {
    for (const std::size_t classes : {1, 2, 10, 11, 20, 37}) {
      const auto W = uniform_weights(data, classes, 1);
      const auto R = uniform_buffer<TypeParam>(classes * kBlockRows, 2);
      for (const std::size_t count : {std::size_t{1}, std::size_t{5}, kGroupRows, kGroupRows + 3, kBlockRows}) {
        const auto products = [&](std::size_t ahead) {
          data.expect_gathered(indices.data(), count + ahead);
          AlignedBuffer<TypeParam> Z(classes * kBlockRows), G(classes * data.weight_stride());
          data.scores_gathered({indices.data(), count, ahead}, W.data(), classes, Z.data());
          data.accumulate_gathered({indices.data(), count, ahead}, R.data(), classes, G.data());
          std::vector<TypeParam> both(Z.begin(), Z.end());
          both.insert(both.end(), G.begin(), G.end());
          return both;
        };
        const auto alone = products(0);
        for (const std::size_t ahead : {std::size_t{1}, std::size_t{7}, kGroupRows}) {
          ASSERT_EQ(products(ahead), alone) << classes << " classes, " << count << " rows, then " << ahead;
        }
      }
    }
  });
}

TYPED_TEST(DenseRowsTest, MovesWithoutCopyingTheRows) {
  auto data = uniform_rows<TypeParam>(5, 3);
  const TypeParam* const first = data.row(0);
  const DenseRows<TypeParam> moved = std::move(data);
  EXPECT_EQ(moved.row(0), first);
  EXPECT_EQ(moved.rows(), 5U);
  EXPECT_EQ(moved.features(), 3U);
}

TYPED_TEST(DenseRowsTest, RowsAreAlignedAndZero) {
  const DenseRows<TypeParam> data(3, 1000);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data.row(i)) % kAlignment, 0U);
    for (std::size_t j = 0; j < data.weight_stride(); ++j) ASSERT_EQ(data.row(i)[j], TypeParam{0});
  }
}

TYPED_TEST(DenseRowsTest, RefusesShapesItCannotHold) {
  EXPECT_THROW(DenseRows<TypeParam>(10, 0), InvalidInput);
  EXPECT_THROW(DenseRows<TypeParam>(std::size_t{1} << 33, 1), InvalidInput);
  EXPECT_THROW(DenseRows<TypeParam>(2000000000, std::size_t{1} << 40), InvalidInput);
  EXPECT_THROW(DenseRows<TypeParam>(2, std::size_t{1} << 62), InvalidInput);
  EXPECT_EQ(DenseRows<TypeParam>(0, 4).rows(), 0U);
}

}  // namespace
}  // namespace bilevel::kernels
