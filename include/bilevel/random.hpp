// Random numbers that are the same on every platform: the standard fixes the engine but not the distributions.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace bilevel {

/// Seeded generator with portable draws. Copyable; a copy continues the same sequence.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  /// Uniform integer in [0, bound), bound >= 1, without modulo bias.
  std::uint64_t below(std::uint64_t bound);

  /// Uniform in [0, 1) with 53 random bits.
  double uniform();

  /// Standard normal (Box-Muller, one draw per call).
  double normal();

  /// A uniformly random permutation of 0..count-1 (Fisher-Yates).
  std::vector<std::uint32_t> permutation(std::size_t count);

  std::mt19937_64& engine() { return engine_; }
  const std::mt19937_64& engine() const { return engine_; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace bilevel
