// What the two thin products share: fetching beside the work, and classes in tiles. Compiled once for each target.
#if defined(BILEVEL_DENSE_TILES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BILEVEL_DENSE_TILES_INL
#undef BILEVEL_DENSE_TILES_INL
#else
#define BILEVEL_DENSE_TILES_INL
#endif

#include <hwy/highway.h>

#include <cstddef>

#include "kernels/feature_rows.hpp"

HWY_BEFORE_NAMESPACE();
namespace bilevel::kernels::HWY_NAMESPACE {

/// Memory that is brought into the caches on the side: a place, and how many bytes to go on with each step.
struct Fetch {
  const char* at;
  std::size_t step;
};

/// `bytes` from `at` on, spread evenly over `steps`; what goes beyond a line a step is left to the hardware.
HWY_INLINE Fetch fetch_evenly(const char* at, std::size_t bytes, std::size_t steps) {
  if (steps == 0) return {at, 0};
  const std::size_t step = (bytes + steps - 1) / steps;
  return {at, step < kAlignment ? step : kAlignment};
}

HWY_INLINE void fetch_step(Fetch& fetch) {
  // Into all caches: though the first drops it again, this is 4 to 10 % faster in float64 than into the second alone.
  __builtin_prefetch(fetch.at, 0, 3);
  fetch.at += fetch.step;
}

/// Calls f.call<tile>(first class) with the constant kTile that equals `tile`.
template <std::size_t kTile, class F>
HWY_INLINE void for_tile(std::size_t tile, std::size_t first, F& f) {
  if constexpr (kTile > 0) {
    if (tile == kTile) {
      f.template call<kTile>(first);
    } else {
      for_tile<kTile - 1>(tile, first, f);
    }
  }
}

/// Cuts the classes into tiles of nearly equal size, at most kMost each: small remainders would run slowly.
template <std::size_t kMost, class F>
HWY_INLINE void for_class_tiles(std::size_t classes, F& f) {
  const std::size_t tiles = (classes + kMost - 1) / kMost;
  std::size_t first = 0;
  for (std::size_t i = 0; i < tiles; ++i) {
    const std::size_t tile = classes / tiles + (i < classes % tiles ? 1 : 0);
    for_tile<kMost>(tile, first, f);
    first += tile;
  }
}

}  // namespace bilevel::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
