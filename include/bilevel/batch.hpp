// Which samples an oracle averages over, and the seeded source of such choices.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bilevel/random.hpp"

namespace bilevel {

/// A view of sample indices, or all samples. Does not own the indices: they must outlive the call it is passed to.
class Batch {
 public:
  /// All samples.
  constexpr Batch() = default;

  /// The samples at `indices` (0-based, repetitions allowed, non-empty); the oracle averages over them.
  explicit constexpr Batch(std::span<const std::uint32_t> indices) : indices_(indices), is_full_(false) {}

  constexpr bool is_full() const { return is_full_; }
  constexpr std::span<const std::uint32_t> indices() const { return indices_; }

  /// Number of samples it stands for, given the objective's total.
  constexpr std::size_t size(std::size_t total) const { return is_full_ ? total : indices_.size(); }

 private:
  std::span<const std::uint32_t> indices_;
  bool is_full_ = true;
};

inline constexpr Batch full{};

/// Draws minibatches epoch by epoch: every sample once per epoch, in an order reshuffled from the seed.
/// Same seed, same sequence; state() and restore() make it resumable bit for bit.
class Sampler {
 public:
  /// count >= 1 samples, 1 <= batch_size <= count, else InvalidOption.
  Sampler(std::size_t count, std::size_t batch_size, std::uint64_t seed);

  /// The next batch; valid until the next call. The last batch of an epoch is shorter when the sizes do not divide.
  Batch next();

  std::string state() const;
  /// Throws InvalidInput if `state` was not made by state() of a sampler of the same count and batch size.
  void restore(const std::string& state);

 private:
  std::size_t batch_size_;
  Random random_;
  std::vector<std::uint32_t> order_;
  std::size_t position_;
};

}  // namespace bilevel
