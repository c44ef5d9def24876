// Dot products and updates over contiguous memory, in the widest vectors this machine has.
#include <cstddef>

#include "bilevel/autodiff/tape.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/autodiff/contiguous.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h must come first
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace bilevel::autodiff::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

double Dot(const double* HWY_RESTRICT a, const double* HWY_RESTRICT b, std::size_t count) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  auto s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
  std::size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    s0 = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), s0);
    s1 = hn::MulAdd(hn::LoadU(d, a + i + lanes), hn::LoadU(d, b + i + lanes), s1);
    s2 = hn::MulAdd(hn::LoadU(d, a + i + 2 * lanes), hn::LoadU(d, b + i + 2 * lanes), s2);
    s3 = hn::MulAdd(hn::LoadU(d, a + i + 3 * lanes), hn::LoadU(d, b + i + 3 * lanes), s3);
  }
  for (; i + lanes <= count; i += lanes) s0 = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), s0);
  double total = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
  for (; i < count; ++i) total += a[i] * b[i];
  return total;
}

double Sum(const double* HWY_RESTRICT a, std::size_t count) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  auto s0 = hn::Zero(d), s1 = hn::Zero(d);
  std::size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    s0 = hn::Add(s0, hn::LoadU(d, a + i));
    s1 = hn::Add(s1, hn::LoadU(d, a + i + lanes));
  }
  double total = hn::GetLane(hn::SumOfLanes(d, hn::Add(s0, s1)));
  for (; i < count; ++i) total += a[i];
  return total;
}

void Axpy(double scale, const double* HWY_RESTRICT a, double* HWY_RESTRICT target, std::size_t count) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto factor = hn::Set(d, scale);
  std::size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    const auto t0 = hn::MulAdd(factor, hn::LoadU(d, a + i), hn::LoadU(d, target + i));
    const auto t1 = hn::MulAdd(factor, hn::LoadU(d, a + i + lanes), hn::LoadU(d, target + i + lanes));
    hn::StoreU(t0, d, target + i);
    hn::StoreU(t1, d, target + i + lanes);
  }
  for (; i < count; ++i) target[i] += scale * a[i];
}

}  // namespace bilevel::autodiff::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bilevel::autodiff {

HWY_EXPORT(Dot);
HWY_EXPORT(Sum);
HWY_EXPORT(Axpy);

// Below this length a plain loop is over before the dispatch has found its target.
constexpr Index kShort = 8;

double contiguous_dot(const double* a, const double* b, Index count) {
  if (count > kShort) return HWY_DYNAMIC_DISPATCH(Dot)(a, b, static_cast<std::size_t>(count));
  double total = 0;
  for (Index i = 0; i < count; ++i) total += a[i] * b[i];
  return total;
}

double contiguous_sum(const double* a, Index count) {
  if (count > kShort) return HWY_DYNAMIC_DISPATCH(Sum)(a, static_cast<std::size_t>(count));
  double total = 0;
  for (Index i = 0; i < count; ++i) total += a[i];
  return total;
}

void contiguous_axpy(double scale, const double* a, double* target, Index count) {
  if (count > kShort) return HWY_DYNAMIC_DISPATCH(Axpy)(scale, a, target, static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) target[i] += scale * a[i];
}

}  // namespace bilevel::autodiff
#endif  // HWY_ONCE
