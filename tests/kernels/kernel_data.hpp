// What the kernel tests share: seeded arrays, plain double loops to compare with, and a walk over instruction sets.
#pragma once

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "kernels/aligned_buffer.hpp"
#include "kernels/feature_rows.hpp"

namespace bilevel::kernels {

/// Values in [-1, 1), the same for the same seed on every machine.
inline std::vector<double> uniform_values(std::size_t size, std::uint64_t seed) {
  std::vector<double> values(size);
  std::uint64_t state = seed * 0x9e3779b97f4a7c15U + 1;
  for (double& value : values) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    value = static_cast<double>(state >> 11) * 0x1p-52 - 1.0;
  }
  return values;
}

template <class Real>
AlignedBuffer<Real> uniform_buffer(std::size_t size, std::uint64_t seed) {
  AlignedBuffer<Real> buffer(size);
  const std::vector<double> values = uniform_values(size, seed);
  for (std::size_t i = 0; i < size; ++i) buffer[i] = static_cast<Real>(values[i]);
  return buffer;
}

/// classes x weight_stride weights, zero behind the features.
template <class Real>
AlignedBuffer<Real> uniform_weights(const FeatureRows<Real>& data, std::size_t classes, std::uint64_t seed) {
  AlignedBuffer<Real> W = uniform_buffer<Real>(classes * data.weight_stride(), seed);
  for (std::size_t c = 0; c < classes; ++c) {
    for (std::size_t j = data.features(); j < data.weight_stride(); ++j) W[c * data.weight_stride() + j] = Real{0};
  }
  return W;
}

/// Bound on the rounding error of a sum of n products of values in [-1, 1], in any order, with or without FMA.
template <class Real>
double sum_tolerance(std::size_t n) {
  return static_cast<double>(n + 2) * static_cast<double>(n + 2) * std::numeric_limits<Real>::epsilon();
}

/// Calls check() once for each instruction set that is compiled in and runs here, from scalar to the widest.
template <class Check>
void for_each_target(Check check) {
  const std::int64_t all = hwy::SupportedTargets();
  std::vector<std::int64_t> targets{HWY_SCALAR};
  for (const std::int64_t target : {HWY_SSE4, HWY_AVX2, HWY_AVX3, HWY_NEON}) {
    if ((all & target) != 0) targets.push_back(target);
  }
  for (const std::int64_t target : targets) {
    SCOPED_TRACE(std::string("instruction set ") + hwy::TargetName(target));
    hwy::GetChosenTarget().Update(target);
    check();
  }
  hwy::GetChosenTarget().Update(all);
}

}  // namespace bilevel::kernels
