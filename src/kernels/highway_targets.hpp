// The instruction sets that kernels are compiled for: included before <hwy/foreach_target.h>.
#pragma once

// The tiles are arrays of vectors, which scalable vectors cannot be. SSSE3 and AVX3_DL have nothing over their
// neighbours here and would only cost compile time.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3 | HWY_AVX3_DL)
