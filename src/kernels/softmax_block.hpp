// What happens to a block of scores between the two thin products: softmax, losses, residuals of gradient and product.
//
// A block is class-major: entry (class c, row r) at [c * kBlockRows + r], kAlignment-aligned, kBlockRows rows however
// small `count` is. Rows r >= count come out as zeros whatever they held, so that padding never reaches a gradient.
// labels, row_weight, row_loss and row_cross have `count` entries and need no alignment; labels lie in [0, classes).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/feature_rows.hpp"

namespace bilevel::kernels {

/// Z -> P in place: p_r = softmax(z_r), with the greatest score subtracted first, so that no finite score overflows.
/// row_loss[r] = -log p_r[label_r], computed from the scores: it is finite even where p underflows to 0.
/// A row with a NaN or +infinity among its scores becomes NaN, and so does its loss.
/// row_loss may be null; then labels is not read and may be null too.
void softmax_block(std::size_t count, std::size_t classes, const std::int32_t* labels, float* Z, float* row_loss);
void softmax_block(std::size_t count, std::size_t classes, const std::int32_t* labels, double* Z, double* row_loss);

/// R = w_r (p_r - e_{label_r}), the gradient of w_r times the loss in the scores. R may be P.
/// row_weight null means all ones.
void residual_block(std::size_t count, std::size_t classes, const std::int32_t* labels, const float* P,
                    const float* row_weight, float* R);
void residual_block(std::size_t count, std::size_t classes, const std::int32_t* labels, const double* P,
                    const double* row_weight, double* R);

/// R = w_r p_r * (z_r - <p_r, z_r>), the second derivative of w_r times the loss in the scores, applied to z_r: the
/// scores of a direction. row_cross[r] = <p_r - e_{label_r}, z_r>, the mixed derivative in weight and direction
/// (without w_r). R may be P or Z. row_weight null means all ones; row_cross may be null, then labels may be null too.
void product_block(std::size_t count, std::size_t classes, const std::int32_t* labels, const float* P, const float* Z,
                   const float* row_weight, float* R, float* row_cross);
void product_block(std::size_t count, std::size_t classes, const std::int32_t* labels, const double* P, const double* Z,
                   const double* row_weight, double* R, double* row_cross);

}  // namespace bilevel::kernels
