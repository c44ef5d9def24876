// Sparse rows against dense rows with the same entries.
#include "kernels/sparse_rows.hpp"

#include <bilevel/status.hpp>
#include <utility>

#include "kernels/dense_rows.hpp"
#include "kernels/kernel_data.hpp"

namespace bilevel::kernels {
namespace {

template <class Real>
class SparseRowsTest : public testing::Test {};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(SparseRowsTest, Reals);

constexpr std::size_t kRows = 90;
constexpr std::size_t kFeatures = 53;

template <class Real>
struct SameRows {
  DenseRows<Real> dense{kRows, kFeatures};
  SparseRows<Real> sparse = fill();

  /// About one entry in five, columns falling within a row, and every eleventh row empty.
  SparseRows<Real> fill() {
    const std::vector<double> values = uniform_values(kRows * kFeatures, 5);
    std::vector<std::size_t> starts{0};
    std::vector<std::uint32_t> columns;
    std::vector<Real> entries;
    for (std::size_t i = 0; i < kRows; ++i) {
      for (std::size_t j = kFeatures; j-- > 0;) {
        const double value = values[i * kFeatures + j];
        if (i % 11 == 0 || value < 0.6) continue;
        columns.push_back(static_cast<std::uint32_t>(j));
        entries.push_back(static_cast<Real>(value));
        dense.row(i)[j] = entries.back();
      }
      starts.push_back(entries.size());
    }
    return SparseRows<Real>(kFeatures, std::move(starts), std::move(columns), std::move(entries));
  }
};

TYPED_TEST(SparseRowsTest, ProductsAreThoseOfDenseRows) {
  const SameRows<TypeParam> same;
  ASSERT_EQ(same.sparse.rows(), kRows);
  ASSERT_EQ(same.sparse.weight_stride(), same.dense.weight_stride());
  std::vector<std::uint32_t> indices;
  for (std::uint32_t r = 0; r < 29; ++r) indices.push_back((r * 29 + 3) % kRows);
  for (const std::size_t classes : {1, 2, 7, 8, 9, 20}) {
    const auto W = uniform_weights(same.dense, classes, 1);
    const auto R = uniform_buffer<TypeParam>(classes * kBlockRows, 2);
    for (const bool gathered : {false, true}) {
      auto Z = uniform_buffer<TypeParam>(classes * kBlockRows, 3);
      auto expected_Z = uniform_buffer<TypeParam>(classes * kBlockRows, 4);
      AlignedBuffer<TypeParam> G(classes * same.sparse.weight_stride());
      AlignedBuffer<TypeParam> expected_G(G.size());
      if (gathered) {
        same.sparse.scores_gathered({indices.data(), indices.size()}, W.data(), classes, Z.data());
        same.dense.scores_gathered({indices.data(), indices.size()}, W.data(), classes, expected_Z.data());
        same.sparse.accumulate_gathered({indices.data(), indices.size()}, R.data(), classes, G.data());
        same.dense.accumulate_gathered({indices.data(), indices.size()}, R.data(), classes, expected_G.data());
      } else {
        same.sparse.scores(60, 30, W.data(), classes, Z.data());
        same.dense.scores(60, 30, W.data(), classes, expected_Z.data());
        same.sparse.accumulate(60, 30, R.data(), classes, G.data());
        same.dense.accumulate(60, 30, R.data(), classes, expected_G.data());
      }
      for (std::size_t i = 0; i < Z.size(); ++i) {
        ASSERT_NEAR(Z[i], expected_Z[i], sum_tolerance<TypeParam>(kFeatures)) << "classes " << classes << " at " << i;
      }
      for (std::size_t i = 0; i < G.size(); ++i) {
        ASSERT_NEAR(G[i], expected_G[i], sum_tolerance<TypeParam>(kBlockRows)) << "classes " << classes << " at " << i;
      }
    }
  }
}

TYPED_TEST(SparseRowsTest, WeightsOfManyFeaturesAreSpread) {
  // A length at which all classes' weights of a column would share a cache set.
  constexpr std::size_t kMany = 1024;
  SparseRows<TypeParam> sparse(kMany, {0, 3, 4}, {0, 1023, 512, 7},
                               {TypeParam{1}, TypeParam{2}, TypeParam{-3}, TypeParam{0.5}});
  const std::size_t stride = sparse.weight_stride();
  ASSERT_EQ(stride, kMany + kAlignment / sizeof(TypeParam));
  for (std::size_t classes = 1; classes <= 25; ++classes) {  // every tile, alone and with others
    const auto W = uniform_weights(sparse, classes, 1);
    auto Z = uniform_buffer<TypeParam>(classes * kBlockRows, 2);
    sparse.scores(0, 2, W.data(), classes, Z.data());
    const auto R = uniform_buffer<TypeParam>(classes * kBlockRows, 3);
    AlignedBuffer<TypeParam> G(classes * stride);
    sparse.accumulate(0, 2, R.data(), classes, G.data());
    for (std::size_t c = 0; c < classes; ++c) {
      const TypeParam* w = W.data() + c * stride;
      const TypeParam* z = Z.data() + c * kBlockRows;
      const TypeParam* r = R.data() + c * kBlockRows;
      const TypeParam* g = G.data() + c * stride;
      // Numbers near 1 and a factor of at most 3: six times the bound for products of numbers up to 1.
      ASSERT_NEAR(z[0], w[0] + 2 * w[1023] - 3 * w[512], 6 * sum_tolerance<TypeParam>(3)) << c << " of " << classes;
      ASSERT_EQ(z[1], w[7] / 2) << c << " of " << classes;
      ASSERT_EQ(z[2], TypeParam{0});
      ASSERT_EQ(g[0], r[0]) << c << " of " << classes;
      ASSERT_EQ(g[1023], 2 * r[0]) << c << " of " << classes;
      ASSERT_EQ(g[512], -3 * r[0]) << c << " of " << classes;
      ASSERT_EQ(g[7], r[1] / 2) << c << " of " << classes;
      ASSERT_EQ(g[1], TypeParam{0});
    }
  }
}

TYPED_TEST(SparseRowsTest, RowsMeetWeightsFeatureByFeature) {
  const SameRows<TypeParam> same;
  for_each_target([&] {
    // Outputs for every tile of 1 to 4 vectors of 16 to 64 bytes, and for several tiles.
    for (const std::size_t outputs : {1, 17, 40, 64, 130}) {
      const std::size_t stride = padded_features<TypeParam>(outputs);
      const auto W = uniform_buffer<TypeParam>(kFeatures * stride, 6);
      const auto e = uniform_buffer<TypeParam>(stride, 7);
      for (const std::size_t i : {0, 1, 2, 3}) {  // the first is empty
        auto z = uniform_buffer<TypeParam>(stride, 8);
        auto G = uniform_buffer<TypeParam>(kFeatures * stride, 9);
        const auto before = uniform_buffer<TypeParam>(kFeatures * stride, 9);
        sparse_row_scores(same.sparse.row(i), W.data(), stride, z.data());
        sparse_row_accumulate(same.sparse.row(i), e.data(), stride, G.data());
        for (std::size_t u = 0; u < stride; ++u) {
          double expected = 0;
          for (std::size_t j = 0; j < kFeatures; ++j) {
            const auto value = static_cast<double>(same.dense.row(i)[j]);
            const std::size_t at = j * stride + u;
            expected += value * static_cast<double>(W[at]);
            ASSERT_NEAR(G[at], static_cast<double>(before[at]) + value * static_cast<double>(e[u]),
                        sum_tolerance<TypeParam>(1))
                << "row " << i << " at " << at;
          }
          ASSERT_NEAR(z[u], expected, sum_tolerance<TypeParam>(kFeatures)) << "row " << i << ", output " << u;
        }
      }
    }
  });
}

TYPED_TEST(SparseRowsTest, RefusesBrokenRows) {
  using Sparse = SparseRows<TypeParam>;
  EXPECT_THROW(Sparse(3, {}, {}, {}), InvalidInput);
  EXPECT_THROW(Sparse(3, {0, 2}, {1}, {TypeParam{1}}), InvalidInput);
  EXPECT_THROW(Sparse(3, {0, 1}, {1}, {}), InvalidInput);
  EXPECT_THROW(Sparse(3, {1, 1}, {1}, {TypeParam{1}}), InvalidInput);
  EXPECT_THROW(Sparse(3, {0, 2, 1, 2}, {1, 2}, {TypeParam{1}, TypeParam{2}}), InvalidInput);
  EXPECT_THROW(Sparse(0, {0}, {}, {}), InvalidInput);
  try {
    const Sparse rows(3, {0, 1, 2}, {1, 3}, {TypeParam{1}, TypeParam{2}});
    FAIL() << "column 3 of 3 was accepted";
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(), "sparse row 1 has an entry in column 3, but columns go from 0 to 2");
  }
}

}  // namespace
}  // namespace bilevel::kernels
