// The two thin products over dense rows given by pointers. Internal to dense_rows.cpp; tested and timed through it.
#pragma once

#include <cstddef>

namespace bilevel::kernels {

/// The memory that the next block will read: fetched into the second cache meanwhile, one half by dense_scores, the
/// other by dense_accumulate. No bytes: nothing is fetched, `at` must then be any valid address.
struct NextBlock {
  const char* at;
  std::size_t bytes;
};

/// Z[c * kBlockRows + r] = <rows[r], W_c> for r < count. `rows` has kBlockRows entries, all readable: those behind
/// `count` may repeat a row; their places in Z, up to the next multiple of 4, are overwritten. `stride` is the length
/// of W's rows, a multiple of 64 bytes, and rows are zero up to it.
void dense_scores(const float* const* rows, std::size_t count, std::size_t stride, NextBlock next, const float* W,
                  std::size_t classes, float* Z);
void dense_scores(const double* const* rows, std::size_t count, std::size_t stride, NextBlock next, const double* W,
                  std::size_t classes, double* Z);

/// dense_scores() of rows that lie anywhere: the same bits. rows[count .. count + ahead) come next, ahead <=
/// kGroupRows: a half of them is fetched. Behind them, `rows` must be readable up to the next multiple of 4.
void dense_scores_gathered(const float* const* rows, std::size_t count, std::size_t ahead, std::size_t stride,
                           const float* W, std::size_t classes, float* Z);
void dense_scores_gathered(const double* const* rows, std::size_t count, std::size_t ahead, std::size_t stride,
                           const double* W, std::size_t classes, double* Z);

/// G_c += sum_{r < count} R[c * kBlockRows + r] rows[r].
void dense_accumulate(const float* const* rows, std::size_t count, std::size_t stride, NextBlock next, const float* R,
                      std::size_t classes, float* G);
void dense_accumulate(const double* const* rows, std::size_t count, std::size_t stride, NextBlock next, const double* R,
                      std::size_t classes, double* G);

/// dense_accumulate() of rows that lie anywhere: the same bits. The other half of rows[count .. count + ahead) is
/// fetched.
void dense_accumulate_gathered(const float* const* rows, std::size_t count, std::size_t ahead, std::size_t stride,
                               const float* R, std::size_t classes, float* G);
void dense_accumulate_gathered(const double* const* rows, std::size_t count, std::size_t ahead, std::size_t stride,
                               const double* R, std::size_t classes, double* G);

}  // namespace bilevel::kernels
