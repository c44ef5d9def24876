#include "kernels/sparse_products.hpp"

// Before foreach_target.h.
#include "kernels/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/sparse_products.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/highway.h>

#include "kernels/feature_rows.hpp"

HWY_BEFORE_NAMESPACE();
namespace bilevel::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Vectors of outputs that share one walk over a row: twice as many accumulators fit into 16 registers.
constexpr std::size_t kTileVectors = 4;

/// How many entries ahead the weights are fetched: the second cache rarely holds those of all features.
constexpr std::size_t kEntriesAhead = 16;

template <std::size_t kVectors, class T>
HWY_INLINE void fetch_entry(const SparseRow<T>& row, std::size_t k, const T* tile, std::size_t stride) {
  if (k >= row.entries) return;
  const auto* place = reinterpret_cast<const char*>(tile + row.columns[k] * stride);
  constexpr std::size_t kBytes = kVectors * hn::MaxLanes(hn::ScalableTag<T>()) * sizeof(T);
#pragma GCC unroll 8
  for (std::size_t at = 0; at < kBytes; at += kAlignment) __builtin_prefetch(place + at, 0, 3);
}

template <std::size_t kVectors, class T, class V>
HWY_INLINE void add_entry(const SparseRow<T>& row, std::size_t k, const T* HWY_RESTRICT W, std::size_t stride,
                          V (&sums)[kVectors]) {
  const hn::ScalableTag<T> d;
  fetch_entry<kVectors>(row, k + kEntriesAhead, W, stride);
  const T* HWY_RESTRICT w = W + row.columns[k] * stride;
  const V value = hn::Set(d, row.values[k]);
#pragma GCC unroll 4
  for (std::size_t u = 0; u < kVectors; ++u) sums[u] = hn::MulAdd(value, hn::Load(d, w + u * hn::Lanes(d)), sums[u]);
}

template <std::size_t kVectors, class T>
HWY_NOINLINE void scores_tile(const SparseRow<T>& row, const T* HWY_RESTRICT W, std::size_t stride, T* HWY_RESTRICT z) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  // Two sums, or each addition waits for the one before it.
  V even[kVectors], odd[kVectors];
#pragma GCC unroll 4
  for (std::size_t u = 0; u < kVectors; ++u) even[u] = odd[u] = hn::Zero(d);
  std::size_t k = 0;
  for (; k + 2 <= row.entries; k += 2) {
    add_entry(row, k, W, stride, even);
    add_entry(row, k + 1, W, stride, odd);
  }
  if (k < row.entries) add_entry(row, k, W, stride, even);
#pragma GCC unroll 4
  for (std::size_t u = 0; u < kVectors; ++u) hn::Store(hn::Add(even[u], odd[u]), d, z + u * lanes);
}

template <std::size_t kVectors, class T>
HWY_NOINLINE void accumulate_tile(const SparseRow<T>& row, const T* HWY_RESTRICT e, std::size_t stride,
                                  T* HWY_RESTRICT G) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  V errors[kVectors];
#pragma GCC unroll 4
  for (std::size_t u = 0; u < kVectors; ++u) errors[u] = hn::Load(d, e + u * lanes);
  for (std::size_t k = 0; k < row.entries; ++k) {
    fetch_entry<kVectors, T>(row, k + kEntriesAhead, G, stride);
    T* HWY_RESTRICT g = G + row.columns[k] * stride;
    const V value = hn::Set(d, row.values[k]);
#pragma GCC unroll 4
    for (std::size_t u = 0; u < kVectors; ++u) {
      hn::Store(hn::MulAdd(value, errors[u], hn::Load(d, g + u * lanes)), d, g + u * lanes);
    }
  }
}

/// Calls f.call<vectors>(first output) for the tiles that `stride` outputs are cut into.
template <std::size_t kVectors, class T, class F>
HWY_INLINE void for_tiles(std::size_t first, std::size_t stride, const F& f) {
  if constexpr (kVectors > 0) {
    const std::size_t width = kVectors * hn::Lanes(hn::ScalableTag<T>());
    for (; first + width <= stride; first += width) f.template call<kVectors>(first);
    for_tiles<kVectors - 1, T>(first, stride, f);
  }
}

template <class T>
struct Scores {
  const SparseRow<T>& row;
  const T* W;
  std::size_t stride;
  T* z;

  template <std::size_t kVectors>
  void call(std::size_t first) const {
    scores_tile<kVectors>(row, W + first, stride, z + first);
  }
};

template <class T>
struct Accumulate {
  const SparseRow<T>& row;
  const T* e;
  std::size_t stride;
  T* G;

  template <std::size_t kVectors>
  void call(std::size_t first) const {
    accumulate_tile<kVectors>(row, e + first, stride, G + first);
  }
};

void scores_float(const SparseRow<float>& row, const float* W, std::size_t stride, float* z) {
  for_tiles<kTileVectors, float>(0, stride, Scores<float>{row, W, stride, z});
}

void scores_double(const SparseRow<double>& row, const double* W, std::size_t stride, double* z) {
  for_tiles<kTileVectors, double>(0, stride, Scores<double>{row, W, stride, z});
}

void accumulate_float(const SparseRow<float>& row, const float* e, std::size_t stride, float* G) {
  for_tiles<kTileVectors, float>(0, stride, Accumulate<float>{row, e, stride, G});
}

void accumulate_double(const SparseRow<double>& row, const double* e, std::size_t stride, double* G) {
  for_tiles<kTileVectors, double>(0, stride, Accumulate<double>{row, e, stride, G});
}

}  // namespace bilevel::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bilevel::kernels {

HWY_EXPORT(scores_float);
HWY_EXPORT(scores_double);
HWY_EXPORT(accumulate_float);
HWY_EXPORT(accumulate_double);

void sparse_row_scores(const SparseRow<float>& row, const float* W, std::size_t stride, float* z) {
  HWY_DYNAMIC_DISPATCH(scores_float)(row, W, stride, z);
}

void sparse_row_scores(const SparseRow<double>& row, const double* W, std::size_t stride, double* z) {
  HWY_DYNAMIC_DISPATCH(scores_double)(row, W, stride, z);
}

void sparse_row_accumulate(const SparseRow<float>& row, const float* e, std::size_t stride, float* G) {
  HWY_DYNAMIC_DISPATCH(accumulate_float)(row, e, stride, G);
}

void sparse_row_accumulate(const SparseRow<double>& row, const double* e, std::size_t stride, double* G) {
  HWY_DYNAMIC_DISPATCH(accumulate_double)(row, e, stride, G);
}

}  // namespace bilevel::kernels
#endif  // HWY_ONCE
