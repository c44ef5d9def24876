// The two thin products over dense rows given by pointers. Internal to dense_rows.cpp; tested and timed through it.
#pragma once

#include <cstddef>

namespace bilevel::kernels {

/// Z[c * kBlockRows + r] = <rows[r], W_c> for r < count. `rows` has kBlockRows entries, all readable: those behind
/// `count` may repeat a row; their places in Z, up to the next multiple of 4, are overwritten. `stride` is the length of
/// W's rows, a multiple of 64 bytes, and rows are zero up to it.
void dense_scores(const float* const* rows, std::size_t count, std::size_t stride, const float* W, std::size_t classes,
                  float* Z);
void dense_scores(const double* const* rows, std::size_t count, std::size_t stride, const double* W,
                  std::size_t classes, double* Z);

/// G_c += sum_{r < count} R[c * kBlockRows + r] rows[r]. Meanwhile it fetches from memory as much of the next block as
/// dense_scores does not fetch in time itself: `next_count` rows, each `next_stride` Reals long, that lie at `next`;
/// 0 rows fetch nothing.
void dense_accumulate(const float* const* rows, std::size_t count, std::size_t stride, const float* next,
                      std::size_t next_count, std::size_t next_stride, const float* R, std::size_t classes, float* G);
void dense_accumulate(const double* const* rows, std::size_t count, std::size_t stride, const double* next,
                      std::size_t next_count, std::size_t next_stride, const double* R, std::size_t classes, double* G);

}  // namespace bilevel::kernels
