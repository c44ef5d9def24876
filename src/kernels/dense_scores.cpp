#include "kernels/dense_products.hpp"

// Before foreach_target.h.
#include "kernels/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense_scores.cpp"
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
constexpr std::size_t kScoreClasses = 6;  // 4 x 6 accumulators, 4 rows, 1 weight: 29 of 32 registers
#else
constexpr std::size_t kScoreClasses = 2;  // 4 x 2, 4, 1: 13 of 16
#endif
constexpr std::size_t kScoreRows = 4;

/// A score tile's weights for this many bytes of columns stay in the first cache beside the rows that pass by.
constexpr std::size_t kPartBytes = 3200;

/// How far ahead in its rows a score tile fetches into the first cache: they come late by themselves while the lines
/// fetched from memory hold the buffers.
constexpr std::size_t kRowsAheadBytes = 256;

#if HWY_TARGET == HWY_SCALAR

template <class D, class V, class T = hn::TFromD<D>>
HWY_INLINE void store_lane_sums(D /*d*/, V v0, V v1, V v2, V v3, bool add, T* HWY_RESTRICT out) {
  out[0] = hn::GetLane(v0) + (add ? out[0] : T{0});
  out[1] = hn::GetLane(v1) + (add ? out[1] : T{0});
  out[2] = hn::GetLane(v2) + (add ? out[2] : T{0});
  out[3] = hn::GetLane(v3) + (add ? out[3] : T{0});
}

#else

/// Sum of the 128-bit blocks of v.
template <class D, class V>
HWY_INLINE auto sum_of_blocks(D d, V v) {
  if constexpr (hn::MaxLanes(d) * sizeof(hn::TFromD<D>) <= 16) {
    return v;
  } else {
    const hn::Half<D> half;
    return sum_of_blocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}

/// The sum of each vector's neighbours, two lanes of a block coming from a and b in turn.
template <class D, class V>
HWY_INLINE V fold(D d, V a, V b) {
  return hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
}

template <class D, class V, class T>
HWY_INLINE void store_or_add(D d, V v, bool add, T* HWY_RESTRICT out) {
  hn::StoreU(add ? hn::Add(v, hn::LoadU(d, out)) : v, d, out);
}

/// out[0 .. 4) = the lane sums of v0 .. v3, transposed while they are summed: 2 shuffles a vector instead of 4.
template <class D, class V, class T = hn::TFromD<D>>
HWY_INLINE void store_lane_sums(D d, V v0, V v1, V v2, V v3, bool add, T* HWY_RESTRICT out) {
  const hn::Full128<T> block;
  const V low = fold(d, v0, v1);
  const V high = fold(d, v2, v3);
  if constexpr (sizeof(T) == 4) {
    const hn::Repartition<double, D> pairs;
    const auto low_pairs = hn::BitCast(pairs, low);
    const auto high_pairs = hn::BitCast(pairs, high);
    const V sums = hn::Add(hn::BitCast(d, hn::InterleaveLower(pairs, low_pairs, high_pairs)),
                           hn::BitCast(d, hn::InterleaveUpper(pairs, low_pairs, high_pairs)));
    store_or_add(block, sum_of_blocks(d, sums), add, out);
  } else {
    store_or_add(block, sum_of_blocks(d, low), add, out);
    store_or_add(block, sum_of_blocks(d, high), add, out + 2);
  }
}

#endif

/// The scores of kScoreRows rows in kClasses classes over the columns [from, to), put into Z or, from the second part
/// of the columns on, added to it: vector accumulators along the features, summed at the end. kOwnRowsAhead: the rows
/// come from memory, and are fetched a little ahead.
template <std::size_t kClasses, bool kOwnRowsAhead, class T>
HWY_NOINLINE void score_tile(const T* const* HWY_RESTRICT rows, std::size_t from, std::size_t to, std::size_t stride,
                             Fetch fetch, const T* HWY_RESTRICT W, T* HWY_RESTRICT Z) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const T* HWY_RESTRICT x0 = rows[0];
  const T* HWY_RESTRICT x1 = rows[1];
  const T* HWY_RESTRICT x2 = rows[2];
  const T* HWY_RESTRICT x3 = rows[3];
  V sums[kClasses][kScoreRows];
#pragma GCC unroll 8
  for (std::size_t c = 0; c < kClasses; ++c) {
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kScoreRows; ++r) sums[c][r] = hn::Zero(d);
  }
  for (std::size_t j = from; j < to; j += hn::Lanes(d)) {
    fetch_step(fetch);
    if constexpr (kOwnRowsAhead) {
      // Behind the last column this reads no memory.
      __builtin_prefetch(x0 + j + kRowsAheadBytes / sizeof(T), 0, 3);
      __builtin_prefetch(x1 + j + kRowsAheadBytes / sizeof(T), 0, 3);
      __builtin_prefetch(x2 + j + kRowsAheadBytes / sizeof(T), 0, 3);
      __builtin_prefetch(x3 + j + kRowsAheadBytes / sizeof(T), 0, 3);
    }
    const V v0 = hn::Load(d, x0 + j);
    const V v1 = hn::Load(d, x1 + j);
    const V v2 = hn::Load(d, x2 + j);
    const V v3 = hn::Load(d, x3 + j);
#pragma GCC unroll 8
    for (std::size_t c = 0; c < kClasses; ++c) {
      const V w = hn::Load(d, W + c * stride + j);
      sums[c][0] = hn::MulAdd(v0, w, sums[c][0]);
      sums[c][1] = hn::MulAdd(v1, w, sums[c][1]);
      sums[c][2] = hn::MulAdd(v2, w, sums[c][2]);
      sums[c][3] = hn::MulAdd(v3, w, sums[c][3]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t c = 0; c < kClasses; ++c) {
    store_lane_sums(d, sums[c][0], sums[c][1], sums[c][2], sums[c][3], from > 0, Z + c * kBlockRows);
  }
}

template <class T>
struct Scores {
  const T* const* rows;
  std::size_t count, stride;
  std::size_t from, to;
  Fetch fetch;
  const T* W;
  T* Z;

  // The tile's weights stay in the first cache while the rows pass by.
  template <std::size_t kClasses>
  void call(std::size_t first) {
    const std::size_t steps = (to - from) / hn::Lanes(hn::ScalableTag<T>());
    for (std::size_t r = 0; r < count; r += kScoreRows) {
      score_tile<kClasses, true>(rows + r, from, to, stride, fetch, W + first * stride, Z + first * kBlockRows + r);
      fetch.at += steps * fetch.step;
    }
  }
};

/// A group of rows that lie anywhere. They have been fetched with the group before; of the next one, every tile fetches
/// a row or none.
template <class T>
struct GroupScores {
  const T* const* rows;
  std::size_t count, stride;
  const T* const* next_rows;
  std::size_t next_count;
  std::size_t calls;  // of score_tile in one part of the columns: the fetching is spread evenly over them
  const T* W;
  T* Z;
  std::size_t from = 0, to = 0;
  std::size_t due = 0;
  const T* const* next = nullptr;

  template <std::size_t kClasses>
  void call(std::size_t first) {
    for (std::size_t r = 0; r < count; r += kScoreRows) {
      Fetch fetch{reinterpret_cast<const char*>(W), 0};
      due += next_count;
      if (due >= calls) {
        due -= calls;
        fetch = {reinterpret_cast<const char*>(*next++ + from), hn::Lanes(hn::ScalableTag<T>()) * sizeof(T)};
      }
      score_tile<kClasses, false>(rows + r, from, to, stride, fetch, W + first * stride, Z + first * kBlockRows + r);
    }
  }
};

/// The column behind a part of the row: parts have kPartBytes or a little less, in whole lines.
template <class T>
HWY_INLINE std::size_t end_of_part(std::size_t stride, std::size_t part) {
  constexpr std::size_t kLine = kAlignment / sizeof(T);
  const std::size_t parts = (stride * sizeof(T) + kPartBytes - 1) / kPartBytes;
  return stride / kLine * (part + 1) / parts * kLine;
}

template <class T>
void scores(const T* const* rows, std::size_t count, std::size_t stride, NextBlock next, const T* W,
            std::size_t classes, T* Z) {
  const std::size_t tiles = (classes + kScoreClasses - 1) / kScoreClasses;
  const std::size_t row_groups = (count + kScoreRows - 1) / kScoreRows;
  const std::size_t steps = stride / hn::Lanes(hn::ScalableTag<T>()) * tiles * row_groups;
  Scores<T> walk{rows, count, stride, 0, 0, fetch_evenly(next.at, next.bytes / 2, steps), W, Z};
  for (std::size_t part = 0; walk.to < stride; ++part) {
    walk.from = walk.to;
    walk.to = end_of_part<T>(stride, part);
    for_class_tiles<kScoreClasses>(classes, walk);
  }
}

template <class T>
void scores_gathered(const T* const* rows, std::size_t count, std::size_t ahead, std::size_t stride, const T* W,
                     std::size_t classes, T* Z) {
  const std::size_t tiles = (classes + kScoreClasses - 1) / kScoreClasses;
  for (std::size_t r = 0; r < count; r += kGroupRows) {
    const std::size_t own = count - r < kGroupRows ? count - r : kGroupRows;
    const std::size_t behind = count - r - own;
    const std::size_t next = behind == 0 ? ahead / 2 : behind < kGroupRows ? behind : kGroupRows;
    const std::size_t calls = (own + kScoreRows - 1) / kScoreRows * tiles;
    GroupScores<T> walk{rows + r, own, stride, rows + r + own, next < calls ? next : calls, calls, W, Z + r};
    for (std::size_t part = 0; walk.to < stride; ++part) {
      walk.from = walk.to;
      walk.to = end_of_part<T>(stride, part);
      walk.next = walk.next_rows;
      for_class_tiles<kScoreClasses>(classes, walk);
    }
  }
}

void scores_float(const float* const* rows, std::size_t count, std::size_t stride, NextBlock next, const float* W,
                  std::size_t classes, float* Z) {
  scores(rows, count, stride, next, W, classes, Z);
}

void scores_double(const double* const* rows, std::size_t count, std::size_t stride, NextBlock next, const double* W,
                   std::size_t classes, double* Z) {
  scores(rows, count, stride, next, W, classes, Z);
}

void scores_gathered_float(const float* const* rows, std::size_t count, std::size_t ahead, std::size_t stride,
                           const float* W, std::size_t classes, float* Z) {
  scores_gathered(rows, count, ahead, stride, W, classes, Z);
}

void scores_gathered_double(const double* const* rows, std::size_t count, std::size_t ahead, std::size_t stride,
                            const double* W, std::size_t classes, double* Z) {
  scores_gathered(rows, count, ahead, stride, W, classes, Z);
}

}  // namespace bilevel::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bilevel::kernels {

HWY_EXPORT(scores_float);
HWY_EXPORT(scores_double);
HWY_EXPORT(scores_gathered_float);
HWY_EXPORT(scores_gathered_double);

void dense_scores(const float* const* rows, std::size_t count, std::size_t stride, NextBlock next, const float* W,
                  std::size_t classes, float* Z) {
  HWY_DYNAMIC_DISPATCH(scores_float)(rows, count, stride, next, W, classes, Z);
}

void dense_scores(const double* const* rows, std::size_t count, std::size_t stride, NextBlock next, const double* W,
                  std::size_t classes, double* Z) {
  HWY_DYNAMIC_DISPATCH(scores_double)(rows, count, stride, next, W, classes, Z);
}

void dense_scores_gathered(const float* const* rows, std::size_t count, std::size_t ahead, std::size_t stride,
                           const float* W, std::size_t classes, float* Z) {
  HWY_DYNAMIC_DISPATCH(scores_gathered_float)(rows, count, ahead, stride, W, classes, Z);
}

void dense_scores_gathered(const double* const* rows, std::size_t count, std::size_t ahead, std::size_t stride,
                           const double* W, std::size_t classes, double* Z) {
  HWY_DYNAMIC_DISPATCH(scores_gathered_double)(rows, count, ahead, stride, W, classes, Z);
}

}  // namespace bilevel::kernels
#endif  // HWY_ONCE
