#include "kernels/conversions.hpp"

#include <algorithm>

// Before foreach_target.h.
#include "kernels/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conversions.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace bilevel::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

void convert_float(std::size_t size, const double* HWY_RESTRICT from, float* HWY_RESTRICT to) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> half;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) hn::StoreU(hn::DemoteTo(half, hn::LoadU(d, from + i)), half, to + i);
  for (; i < size; ++i) to[i] = static_cast<float>(from[i]);
}

void scaled_float(std::size_t size, double scale, const float* HWY_RESTRICT from, double* HWY_RESTRICT to) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> half;
  const std::size_t lanes = hn::Lanes(d);
  const auto factor = hn::Set(d, scale);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    hn::StoreU(hn::Mul(factor, hn::PromoteTo(d, hn::LoadU(half, from + i))), d, to + i);
  }
  for (; i < size; ++i) to[i] = scale * static_cast<double>(from[i]);
}

void scaled_double(std::size_t size, double scale, const double* HWY_RESTRICT from, double* HWY_RESTRICT to) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto factor = hn::Set(d, scale);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) hn::StoreU(hn::Mul(factor, hn::LoadU(d, from + i)), d, to + i);
  for (; i < size; ++i) to[i] = scale * from[i];
}

void add_scaled_double(std::size_t size, double scale, const double* HWY_RESTRICT from, double* HWY_RESTRICT to) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto factor = hn::Set(d, scale);
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    hn::StoreU(hn::MulAdd(factor, hn::LoadU(d, from + i), hn::LoadU(d, to + i)), d, to + i);
  }
  for (; i < size; ++i) to[i] += scale * from[i];
}

}  // namespace bilevel::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bilevel::kernels {

HWY_EXPORT(convert_float);
HWY_EXPORT(scaled_float);
HWY_EXPORT(scaled_double);
HWY_EXPORT(add_scaled_double);

void convert(std::size_t size, const double* from, float* to) { HWY_DYNAMIC_DISPATCH(convert_float)(size, from, to); }

void convert(std::size_t size, const double* from, double* to) { std::copy_n(from, size, to); }

void convert_scaled(std::size_t size, double scale, const float* from, double* to) {
  HWY_DYNAMIC_DISPATCH(scaled_float)(size, scale, from, to);
}

void convert_scaled(std::size_t size, double scale, const double* from, double* to) {
  HWY_DYNAMIC_DISPATCH(scaled_double)(size, scale, from, to);
}

void add_scaled(std::size_t size, double scale, const double* from, double* to) {
  HWY_DYNAMIC_DISPATCH(add_scaled_double)(size, scale, from, to);
}

}  // namespace bilevel::kernels
#endif  // HWY_ONCE
