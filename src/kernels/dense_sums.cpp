#include "kernels/dense_products.hpp"

// Before foreach_target.h.
#include "kernels/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense_sums.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include <hwy/highway.h>

#include "kernels/dense_tiles-inl.hpp"
#include "kernels/feature_rows.hpp"

HWY_BEFORE_NAMESPACE();
namespace bilevel::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Accumulators, operands and one broadcast must fit into the registers, or the inner loops spill.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr std::size_t kAccumulateClasses = 10;  // 2 x 10 accumulators, 2 columns, 1 residual: 23 of 32
#else
constexpr std::size_t kAccumulateClasses = 5;  // 2 x 5, 2, 1: 13 of 16
#endif

/// Fetches what comes next evenly, one line for two columns of a row.
struct FetchAhead {
  Fetch fetch;

  template <std::size_t kVectors>
  HWY_INLINE void step(std::size_t /*r*/, std::size_t /*column*/) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < kVectors / 2; ++k) fetch_step(fetch);
  }
};

/// With the r-th row's columns at `column`, fetches those at at[r] + column.
template <class T>
struct FetchRows {
  const T* at[kBlockRows];

  template <std::size_t /*kVectors*/>
  HWY_INLINE void step(std::size_t r, std::size_t column) {
    __builtin_prefetch(at[r] + column, 0, 3);
  }
};

/// G's columns [column, column + kVectors vectors) of kClasses classes. The block's part is summed apart from G first,
/// which keeps float32 sums over many blocks accurate.
template <std::size_t kClasses, std::size_t kVectors, class T, class FetchNext>
HWY_INLINE void accumulate_columns(const T* const* HWY_RESTRICT rows, std::size_t count, std::size_t stride,
                                   std::size_t column, FetchNext& fetch, const T* HWY_RESTRICT R, T* HWY_RESTRICT G) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  V sums[kClasses][kVectors];
#pragma GCC unroll 16
  for (std::size_t c = 0; c < kClasses; ++c) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < kVectors; ++k) sums[c][k] = hn::Zero(d);
  }
  for (std::size_t r = 0; r < count; ++r) {
    const T* HWY_RESTRICT x = rows[r] + column;
    V columns[kVectors];
#pragma GCC unroll 4
    for (std::size_t k = 0; k < kVectors; ++k) {
      columns[k] = hn::Load(d, x + k * lanes);
      // The columns of the next tile, into the first cache. Behind the last column this reads no memory.
      __builtin_prefetch(x + (kVectors + k) * lanes, 0, 3);
    }
    fetch.template step<kVectors>(r, column);
#pragma GCC unroll 16
    for (std::size_t c = 0; c < kClasses; ++c) {
      const V residual = hn::Set(d, R[c * kBlockRows + r]);
#pragma GCC unroll 4
      for (std::size_t k = 0; k < kVectors; ++k) sums[c][k] = hn::MulAdd(residual, columns[k], sums[c][k]);
    }
  }
#pragma GCC unroll 16
  for (std::size_t c = 0; c < kClasses; ++c) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < kVectors; ++k) {
      T* HWY_RESTRICT g = G + c * stride + column + k * lanes;
      hn::Store(hn::Add(hn::Load(d, g), sums[c][k]), d, g);
    }
  }
}

/// Few classes need more columns, or the additions wait for each other.
template <std::size_t kClasses>
constexpr std::size_t kTileVectors = kClasses <= 3 ? 4 : 2;

template <std::size_t kClasses, class T, class FetchNext>
HWY_NOINLINE void accumulate_tile(const T* const* HWY_RESTRICT rows, std::size_t count, std::size_t stride,
                                  FetchNext fetch, const T* HWY_RESTRICT R, T* HWY_RESTRICT G) {
  const hn::ScalableTag<T> d;
  constexpr std::size_t kVectors = kTileVectors<kClasses>;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t column = 0;
  for (; column + kVectors * lanes <= stride; column += kVectors * lanes) {
    accumulate_columns<kClasses, kVectors>(rows, count, stride, column, fetch, R, G);
  }
  for (; column < stride; column += lanes) accumulate_columns<kClasses, 1>(rows, count, stride, column, fetch, R, G);
}

template <class T>
struct Accumulate {
  const T* const* rows;
  std::size_t count, stride;
  FetchAhead ahead;
  const T* R;
  T* G;

  template <std::size_t kClasses>
  void call(std::size_t first) {
    accumulate_tile<kClasses>(rows, count, stride, ahead, R + first * kBlockRows, G + first * stride);
    ahead.fetch.step = 0;  // the first tile has fetched it all
  }
};

/// Every tile fetches its share of the next rows, every row of a tile a line for each of its columns or none.
template <class T>
struct AccumulateGroup {
  const T* const* rows;
  std::size_t count, stride;
  const T* const* next_rows;
  std::size_t next_count;
  std::size_t tiles;
  const T* R;
  T* G;
  std::size_t tile = 0;

  template <std::size_t kClasses>
  void call(std::size_t first) {
    constexpr std::size_t kVectors = kTileVectors<kClasses>;
    const T* const* next = next_rows + next_count * tile / tiles;
    ++tile;
    const T* const* const end = next_rows + next_count * tile / tiles;
    const std::size_t lines = static_cast<std::size_t>(end - next) * kVectors;
    FetchRows<T> fetch;
    for (std::size_t r = 0, due = 0, vector = 0; r < count; ++r) {
      fetch.at[r] = rows[r];  // is there already
      due += lines;
      if (due < count || next == end) continue;
      due -= count;
      fetch.at[r] = *next + vector * hn::Lanes(hn::ScalableTag<T>());
      if (++vector < kVectors) continue;
      vector = 0;
      ++next;
    }
    accumulate_tile<kClasses>(rows, count, stride, fetch, R + first * kBlockRows, G + first * stride);
  }
};

template <class T>
void accumulate(const T* const* rows, std::size_t count, std::size_t stride, NextBlock next, const T* R,
                std::size_t classes, T* G) {
  const std::size_t steps = stride / hn::Lanes(hn::ScalableTag<T>()) / 2 * count;
  const std::size_t half = next.bytes / 2;  // the first half is fetched with the scores
  Accumulate<T> tiles{rows, count, stride, {fetch_evenly(next.at + half, half, steps)}, R, G};
  for_class_tiles<kAccumulateClasses>(classes, tiles);
}

template <class T>
void accumulate_gathered(const T* const* rows, std::size_t count, std::size_t ahead, std::size_t stride, const T* R,
                         std::size_t classes, T* G) {
  const std::size_t fetched = ahead / 2;  // with the scores
  const std::size_t tile_count = (classes + kAccumulateClasses - 1) / kAccumulateClasses;
  AccumulateGroup<T> tiles{rows, count, stride, rows + count + fetched, ahead - fetched, tile_count, R, G};
  for_class_tiles<kAccumulateClasses>(classes, tiles);
}

void accumulate_float(const float* const* rows, std::size_t count, std::size_t stride, NextBlock next, const float* R,
                      std::size_t classes, float* G) {
  accumulate(rows, count, stride, next, R, classes, G);
}

void accumulate_double(const double* const* rows, std::size_t count, std::size_t stride, NextBlock next,
                       const double* R, std::size_t classes, double* G) {
  accumulate(rows, count, stride, next, R, classes, G);
}

void accumulate_gathered_float(const float* const* rows, std::size_t count, std::size_t ahead, std::size_t stride,
                               const float* R, std::size_t classes, float* G) {
  accumulate_gathered(rows, count, ahead, stride, R, classes, G);
}

void accumulate_gathered_double(const double* const* rows, std::size_t count, std::size_t ahead, std::size_t stride,
                                const double* R, std::size_t classes, double* G) {
  accumulate_gathered(rows, count, ahead, stride, R, classes, G);
}

}  // namespace bilevel::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bilevel::kernels {

HWY_EXPORT(accumulate_float);
HWY_EXPORT(accumulate_double);
HWY_EXPORT(accumulate_gathered_float);
HWY_EXPORT(accumulate_gathered_double);

void dense_accumulate(const float* const* rows, std::size_t count, std::size_t stride, NextBlock next, const float* R,
                      std::size_t classes, float* G) {
  HWY_DYNAMIC_DISPATCH(accumulate_float)(rows, count, stride, next, R, classes, G);
}

void dense_accumulate(const double* const* rows, std::size_t count, std::size_t stride, NextBlock next, const double* R,
                      std::size_t classes, double* G) {
  HWY_DYNAMIC_DISPATCH(accumulate_double)(rows, count, stride, next, R, classes, G);
}

void dense_accumulate_gathered(const float* const* rows, std::size_t count, std::size_t ahead, std::size_t stride,
                               const float* R, std::size_t classes, float* G) {
  HWY_DYNAMIC_DISPATCH(accumulate_gathered_float)(rows, count, ahead, stride, R, classes, G);
}

void dense_accumulate_gathered(const double* const* rows, std::size_t count, std::size_t ahead, std::size_t stride,
                               const double* R, std::size_t classes, double* G) {
  HWY_DYNAMIC_DISPATCH(accumulate_gathered_double)(rows, count, ahead, stride, R, classes, G);
}

}  // namespace bilevel::kernels
#endif  // HWY_ONCE
