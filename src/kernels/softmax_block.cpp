#include "kernels/softmax_block.hpp"

// Before foreach_target.h.
#include "kernels/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/softmax_block.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace bilevel::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Up to kBlockRows values, one for each row, with `rest` behind `count`; null values are all ones.
template <class T>
struct RowValues {
  alignas(kAlignment) T at[kBlockRows];

  RowValues(std::size_t count, const T* values, T rest) {
    for (std::size_t r = 0; r < count; ++r) at[r] = values != nullptr ? values[r] : T{1};
    for (std::size_t r = count; r < kBlockRows; ++r) at[r] = rest;
  }
};

template <class T>
void clear_behind(std::size_t count, std::size_t classes, T* block) {
  if (count == kBlockRows) return;
  for (std::size_t c = 0; c < classes; ++c) {
    for (std::size_t r = count; r < kBlockRows; ++r) block[c * kBlockRows + r] = T{0};
  }
}

template <class T>
void softmax(std::size_t count, std::size_t classes, const std::int32_t* labels, T* HWY_RESTRICT Z, T* row_loss) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  alignas(kAlignment) T own_score[kBlockRows] = {};
  alignas(kAlignment) T loss[kBlockRows];
  if (row_loss != nullptr) {
    for (std::size_t r = 0; r < count; ++r) own_score[r] = Z[static_cast<std::size_t>(labels[r]) * kBlockRows + r];
  }
  for (std::size_t r = 0; r < count; r += hn::Lanes(d)) {
    T* HWY_RESTRICT z = Z + r;
    V greatest = hn::Load(d, z);
    for (std::size_t c = 1; c < classes; ++c) greatest = hn::Max(greatest, hn::Load(d, z + c * kBlockRows));
    V sum = hn::Zero(d);
    for (std::size_t c = 0; c < classes; ++c) {
      const V shifted = hn::Sub(hn::Load(d, z + c * kBlockRows), greatest);
      // Exp turns NaN into 0, which would hide it.
      const V p = hn::IfThenElse(hn::IsNaN(shifted), shifted, hn::Exp(d, shifted));
      sum = hn::Add(sum, p);
      hn::Store(p, d, z + c * kBlockRows);
    }
    const V scale = hn::Div(hn::Set(d, T{1}), sum);
    for (std::size_t c = 0; c < classes; ++c) {
      hn::Store(hn::Mul(scale, hn::Load(d, z + c * kBlockRows)), d, z + c * kBlockRows);
    }
    if (row_loss != nullptr) {
      const V log_sum = hn::IfThenElse(hn::IsNaN(sum), sum, hn::Log(d, sum));
      hn::Store(hn::Add(log_sum, hn::Sub(greatest, hn::Load(d, own_score + r))), d, loss + r);
    }
  }
  if (row_loss != nullptr) {
    for (std::size_t r = 0; r < count; ++r) row_loss[r] = loss[r];
  }
  clear_behind(count, classes, Z);
}

template <class T>
void residual(std::size_t count, std::size_t classes, const std::int32_t* labels, const T* P, const T* row_weight,
              T* R) {
  const hn::ScalableTag<T> d;
  const RowValues<T> weight(count, row_weight, T{0});
  for (std::size_t c = 0; c < classes; ++c) {
    for (std::size_t r = 0; r < count; r += hn::Lanes(d)) {
      const std::size_t at = c * kBlockRows + r;
      hn::Store(hn::Mul(hn::Load(d, weight.at + r), hn::Load(d, P + at)), d, R + at);
    }
  }
  for (std::size_t r = 0; r < count; ++r) R[static_cast<std::size_t>(labels[r]) * kBlockRows + r] -= weight.at[r];
  clear_behind(count, classes, R);
}

template <class T>
void product(std::size_t count, std::size_t classes, const std::int32_t* labels, const T* P, const T* Z,
             const T* row_weight, T* R, T* row_cross) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const RowValues<T> weight(count, row_weight, T{0});
  alignas(kAlignment) T means[kBlockRows];
  for (std::size_t r = 0; r < count; r += hn::Lanes(d)) {
    V mean = hn::Zero(d);
    for (std::size_t c = 0; c < classes; ++c) {
      mean = hn::MulAdd(hn::Load(d, P + c * kBlockRows + r), hn::Load(d, Z + c * kBlockRows + r), mean);
    }
    hn::Store(mean, d, means + r);
  }
  if (row_cross != nullptr) {
    for (std::size_t r = 0; r < count; ++r) {
      row_cross[r] = means[r] - Z[static_cast<std::size_t>(labels[r]) * kBlockRows + r];
    }
  }
  for (std::size_t r = 0; r < count; r += hn::Lanes(d)) {
    const V mean = hn::Load(d, means + r);
    const V w = hn::Load(d, weight.at + r);
    for (std::size_t c = 0; c < classes; ++c) {
      const std::size_t at = c * kBlockRows + r;
      hn::Store(hn::Mul(hn::Mul(w, hn::Load(d, P + at)), hn::Sub(hn::Load(d, Z + at), mean)), d, R + at);
    }
  }
  clear_behind(count, classes, R);
}

void softmax_float(std::size_t count, std::size_t classes, const std::int32_t* labels, float* Z, float* row_loss) {
  softmax(count, classes, labels, Z, row_loss);
}

void softmax_double(std::size_t count, std::size_t classes, const std::int32_t* labels, double* Z, double* row_loss) {
  softmax(count, classes, labels, Z, row_loss);
}

void residual_float(std::size_t count, std::size_t classes, const std::int32_t* labels, const float* P,
                    const float* row_weight, float* R) {
  residual(count, classes, labels, P, row_weight, R);
}

void residual_double(std::size_t count, std::size_t classes, const std::int32_t* labels, const double* P,
                     const double* row_weight, double* R) {
  residual(count, classes, labels, P, row_weight, R);
}

void product_float(std::size_t count, std::size_t classes, const std::int32_t* labels, const float* P, const float* Z,
                   const float* row_weight, float* R, float* row_cross) {
  product(count, classes, labels, P, Z, row_weight, R, row_cross);
}

void product_double(std::size_t count, std::size_t classes, const std::int32_t* labels, const double* P,
                    const double* Z, const double* row_weight, double* R, double* row_cross) {
  product(count, classes, labels, P, Z, row_weight, R, row_cross);
}

}  // namespace bilevel::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bilevel::kernels {

HWY_EXPORT(softmax_float);
HWY_EXPORT(softmax_double);
HWY_EXPORT(residual_float);
HWY_EXPORT(residual_double);
HWY_EXPORT(product_float);
HWY_EXPORT(product_double);

void softmax_block(std::size_t count, std::size_t classes, const std::int32_t* labels, float* Z, float* row_loss) {
  HWY_DYNAMIC_DISPATCH(softmax_float)(count, classes, labels, Z, row_loss);
}

void softmax_block(std::size_t count, std::size_t classes, const std::int32_t* labels, double* Z, double* row_loss) {
  HWY_DYNAMIC_DISPATCH(softmax_double)(count, classes, labels, Z, row_loss);
}

void residual_block(std::size_t count, std::size_t classes, const std::int32_t* labels, const float* P,
                    const float* row_weight, float* R) {
  HWY_DYNAMIC_DISPATCH(residual_float)(count, classes, labels, P, row_weight, R);
}

void residual_block(std::size_t count, std::size_t classes, const std::int32_t* labels, const double* P,
                    const double* row_weight, double* R) {
  HWY_DYNAMIC_DISPATCH(residual_double)(count, classes, labels, P, row_weight, R);
}

void product_block(std::size_t count, std::size_t classes, const std::int32_t* labels, const float* P, const float* Z,
                   const float* row_weight, float* R, float* row_cross) {
  HWY_DYNAMIC_DISPATCH(product_float)(count, classes, labels, P, Z, row_weight, R, row_cross);
}

void product_block(std::size_t count, std::size_t classes, const std::int32_t* labels, const double* P, const double* Z,
                   const double* row_weight, double* R, double* row_cross) {
  HWY_DYNAMIC_DISPATCH(product_double)(count, classes, labels, P, Z, row_weight, R, row_cross);
}

}  // namespace bilevel::kernels
#endif  // HWY_ONCE
