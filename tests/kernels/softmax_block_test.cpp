// The block epilogues against plain double loops, for every instruction set.
#include "kernels/softmax_block.hpp"

#include <algorithm>

#include "kernels/kernel_data.hpp"

namespace bilevel::kernels {
namespace {

template <class Real>
class SoftmaxBlockTest : public testing::Test {};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(SoftmaxBlockTest, Reals);

/// 20 roundings' worth: exp and log are within 4 units in the last place, the rest is a handful of operations on values
/// of size `scale`.
template <class Real>
double tolerance(double scale = 1.0) {
  return 20.0 * scale * std::numeric_limits<Real>::epsilon();
}

/// The same block in double, by the definitions.
struct Expected {
  std::vector<double> p;
  std::vector<double> loss;

  template <class Real>
  Expected(const AlignedBuffer<Real>& Z, std::size_t count, std::size_t classes,
           const std::vector<std::int32_t>& labels)
      : p(classes * kBlockRows, 0.0), loss(count) {
    for (std::size_t r = 0; r < count; ++r) {
      double greatest = static_cast<double>(Z[r]);
      for (std::size_t c = 0; c < classes; ++c)
        greatest = std::max(greatest, static_cast<double>(Z[c * kBlockRows + r]));
      double sum = 0.0;
      for (std::size_t c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(Z[c * kBlockRows + r]) - greatest);
      for (std::size_t c = 0; c < classes; ++c) {
        p[c * kBlockRows + r] = std::exp(static_cast<double>(Z[c * kBlockRows + r]) - greatest) / sum;
      }
      const auto label = static_cast<std::size_t>(labels[r]);
      loss[r] = std::log(sum) + greatest - static_cast<double>(Z[label * kBlockRows + r]);
    }
  }
};

std::vector<std::int32_t> some_labels(std::size_t count, std::size_t classes) {
  std::vector<std::int32_t> labels(count);
  for (std::size_t r = 0; r < count; ++r) labels[r] = static_cast<std::int32_t>((r * 13 + 5) % classes);
  return labels;
}

template <class Real>
void check_block(std::size_t count, std::size_t classes) {
  SCOPED_TRACE(testing::Message() << count << " rows, " << classes << " classes");
  const std::vector<std::int32_t> labels = some_labels(count, classes);
  AlignedBuffer<Real> P = uniform_buffer<Real>(classes * kBlockRows, 1);
  for (Real& z : P) z *= Real{8};
  const Expected expected(P, count, classes, labels);
  std::vector<Real> loss(count);
  softmax_block(count, classes, labels.data(), P.data(), loss.data());
  for (std::size_t i = 0; i < P.size(); ++i) ASSERT_NEAR(P[i], expected.p[i], tolerance<Real>()) << i;
  for (std::size_t r = 0; r < count; ++r) ASSERT_NEAR(loss[r], expected.loss[r], tolerance<Real>(16.0)) << r;

  const std::vector<double> w = uniform_values(count, 2);
  const std::vector<Real> weight(w.begin(), w.end());
  AlignedBuffer<Real> R = uniform_buffer<Real>(classes * kBlockRows, 3);
  residual_block(count, classes, labels.data(), P.data(), weight.data(), R.data());
  const AlignedBuffer<Real> Z = uniform_buffer<Real>(classes * kBlockRows, 4);
  AlignedBuffer<Real> H = uniform_buffer<Real>(classes * kBlockRows, 5);
  std::vector<Real> cross(count);
  product_block(count, classes, labels.data(), P.data(), Z.data(), weight.data(), H.data(), cross.data());
  for (std::size_t r = 0; r < kBlockRows; ++r) {
    const bool inside = r < count;
    double mean = 0.0;
    for (std::size_t c = 0; c < classes; ++c)
      mean += expected.p[c * kBlockRows + r] * static_cast<double>(Z[c * kBlockRows + r]);
    for (std::size_t c = 0; c < classes; ++c) {
      const std::size_t at = c * kBlockRows + r;
      const double indicator = inside && static_cast<std::size_t>(labels[r]) == c ? 1.0 : 0.0;
      const double residual = inside ? w[r] * (expected.p[at] - indicator) : 0.0;
      const double product = inside ? w[r] * expected.p[at] * (static_cast<double>(Z[at]) - mean) : 0.0;
      ASSERT_NEAR(R[at], residual, inside ? tolerance<Real>() : 0.0) << c << ", " << r;
      ASSERT_NEAR(H[at], product, inside ? tolerance<Real>() : 0.0) << c << ", " << r;
    }
    if (inside) {
      const double own = static_cast<double>(Z[static_cast<std::size_t>(labels[r]) * kBlockRows + r]);
      ASSERT_NEAR(cross[r], mean - own, tolerance<Real>(2.0)) << r;
    }
  }
}

TYPED_TEST(SoftmaxBlockTest, AnyShape) {
  for_each_target([] {
    for (const std::size_t classes : {2, 3, 10, 37, 1000}) {
      for (const std::size_t count : {std::size_t{1}, std::size_t{7}, std::size_t{16}, kBlockRows - 1, kBlockRows})
        check_block<TypeParam>(count, classes);
    }
  });
}

TYPED_TEST(SoftmaxBlockTest, HugeScoresStayFinite) {
  for_each_target([] {
    const std::vector<std::int32_t> labels = some_labels(kBlockRows, 5);
    AlignedBuffer<TypeParam> P = uniform_buffer<TypeParam>(5 * kBlockRows, 6);
    for (TypeParam& z : P) z = z < TypeParam{0} ? TypeParam{-10000} : TypeParam{10000};
    const Expected expected(P, kBlockRows, 5, labels);
    std::vector<TypeParam> loss(kBlockRows);
    softmax_block(kBlockRows, 5, labels.data(), P.data(), loss.data());
    for (std::size_t i = 0; i < P.size(); ++i) ASSERT_NEAR(P[i], expected.p[i], tolerance<TypeParam>());
    for (std::size_t r = 0; r < kBlockRows; ++r) ASSERT_NEAR(loss[r], expected.loss[r], tolerance<TypeParam>(20000.0));
    EXPECT_GT(*std::max_element(loss.begin(), loss.end()), TypeParam{10000});
  });
}

TYPED_TEST(SoftmaxBlockTest, NonfiniteScoresAreNotHidden) {
  for_each_target([] {
    const std::vector<std::int32_t> labels(kBlockRows, 0);
    for (const TypeParam bad :
         {std::numeric_limits<TypeParam>::quiet_NaN(), std::numeric_limits<TypeParam>::infinity()}) {
      for (std::size_t c = 0; c < 3; ++c) {
        AlignedBuffer<TypeParam> P = uniform_buffer<TypeParam>(3 * kBlockRows, 6);
        P[c * kBlockRows + 9] = bad;
        std::vector<TypeParam> loss(kBlockRows);
        softmax_block(kBlockRows, 3, labels.data(), P.data(), loss.data());
        for (std::size_t r = 0; r < kBlockRows; ++r) {
          EXPECT_EQ(std::isnan(loss[r]), r == 9) << r;
          EXPECT_EQ(std::isnan(P[r]), r == 9) << r;
        }
      }
    }
  });
}

TYPED_TEST(SoftmaxBlockTest, PaddingIsClearedWhateverItHeld) {
  for_each_target([] {
    const std::vector<std::int32_t> labels{0, 1, 2};
    AlignedBuffer<TypeParam> P = uniform_buffer<TypeParam>(3 * kBlockRows, 6);
    AlignedBuffer<TypeParam> Z = uniform_buffer<TypeParam>(3 * kBlockRows, 7);
    for (std::size_t i = 0; i < P.size(); ++i) {
      if (i % kBlockRows >= 3) P[i] = Z[i] = std::numeric_limits<TypeParam>::quiet_NaN();
    }
    const auto expect_clear = [](const AlignedBuffer<TypeParam>& block) {
      for (std::size_t i = 0; i < block.size(); ++i) {
        if (i % kBlockRows >= 3) {
          ASSERT_EQ(block[i], TypeParam{0}) << i;
        }
      }
    };
    AlignedBuffer<TypeParam> R(P.size());
    softmax_block(3, 3, nullptr, P.data(), nullptr);
    expect_clear(P);
    residual_block(3, 3, labels.data(), P.data(), nullptr, R.data());
    expect_clear(R);
    product_block(3, 3, nullptr, P.data(), Z.data(), nullptr, Z.data(), nullptr);
    expect_clear(Z);
  });
}

TYPED_TEST(SoftmaxBlockTest, ResultsMayOverwriteTheirInputs) {
  const std::vector<std::int32_t> labels = some_labels(30, 6);
  const auto fresh = [] { return uniform_buffer<TypeParam>(6 * kBlockRows, 8); };
  const AlignedBuffer<TypeParam> Z = uniform_buffer<TypeParam>(6 * kBlockRows, 9);
  AlignedBuffer<TypeParam> R(Z.size());
  AlignedBuffer<TypeParam> P = fresh();
  residual_block(30, 6, labels.data(), P.data(), nullptr, R.data());
  residual_block(30, 6, labels.data(), P.data(), nullptr, P.data());
  for (std::size_t i = 0; i < R.size(); ++i) ASSERT_EQ(R[i], P[i]);
  P = fresh();
  product_block(30, 6, labels.data(), P.data(), Z.data(), nullptr, R.data(), nullptr);
  product_block(30, 6, labels.data(), P.data(), Z.data(), nullptr, P.data(), nullptr);
  for (std::size_t i = 0; i < R.size(); ++i) ASSERT_EQ(R[i], P[i]);
}

}  // namespace
}  // namespace bilevel::kernels
