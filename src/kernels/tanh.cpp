#include "kernels/tanh.hpp"

// Before foreach_target.h.
#include "kernels/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/tanh.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace bilevel::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
HWY_INLINE void tanh_of_vector(T* HWY_RESTRICT values) {
  const hn::ScalableTag<T> d;
  const auto x = hn::LoadU(d, values);
  // Comparisons inside Tanh need not keep NaN.
  hn::StoreU(hn::IfThenElse(hn::IsNaN(x), x, hn::Tanh(d, x)), d, values);
}

template <class T>
void tanh_all(std::size_t count, T* HWY_RESTRICT values) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) tanh_of_vector(values + i);
  if (i == count) return;
  HWY_ALIGN T rest[hn::MaxLanes(d)] = {};
  for (std::size_t k = i; k < count; ++k) rest[k - i] = values[k];
  tanh_of_vector(rest);
  for (std::size_t k = i; k < count; ++k) values[k] = rest[k - i];
}

void tanh_float(std::size_t count, float* values) { tanh_all(count, values); }
void tanh_double(std::size_t count, double* values) { tanh_all(count, values); }

}  // namespace bilevel::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bilevel::kernels {

HWY_EXPORT(tanh_float);
HWY_EXPORT(tanh_double);

void tanh_in_place(std::size_t count, float* values) { HWY_DYNAMIC_DISPATCH(tanh_float)(count, values); }
void tanh_in_place(std::size_t count, double* values) { HWY_DYNAMIC_DISPATCH(tanh_double)(count, values); }

}  // namespace bilevel::kernels
#endif  // HWY_ONCE
