// The ways between follower vectors, which are double, and the kernels' Reals; and sums of such vectors, by the widest
// vectors that the processor has.
#pragma once

#include <cstddef>

namespace bilevel::kernels {

/// to[i] = from[i] for i < size, rounded to Real. No alignment needed; the arrays must not overlap.
void convert(std::size_t size, const double* from, float* to);
void convert(std::size_t size, const double* from, double* to);

/// to[i] = scale * from[i] for i < size, multiplied in double. No alignment needed; the arrays must not overlap.
void convert_scaled(std::size_t size, double scale, const float* from, double* to);
void convert_scaled(std::size_t size, double scale, const double* from, double* to);

/// to[i] += scale * from[i] for i < size. No alignment needed; the arrays must not overlap.
void add_scaled(std::size_t size, double scale, const double* from, double* to);

}  // namespace bilevel::kernels
