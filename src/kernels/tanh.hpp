// tanh of many numbers at once.
#pragma once

#include <cstddef>

namespace bilevel::kernels {

/// values[i] = tanh(values[i]) for i < count, good to 4 units in the last place; NaN stays NaN. No alignment needed.
void tanh_in_place(std::size_t count, float* values);
void tanh_in_place(std::size_t count, double* values);

}  // namespace bilevel::kernels
