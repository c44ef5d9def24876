// Starts that cover a box evenly: a scrambled Halton sequence.
#pragma once

#include <cstdint>
#include <vector>

#include "bilevel/box.hpp"

namespace bilevel {

/// Coordinate j of point k is the radical inverse of k in the j-th prime base, its digits permuted at random.
/// [Halton 1960; scrambling: Braaten and Weller 1979]
class ScrambledHalton {
 public:
  ScrambledHalton(const Box& box, std::uint64_t seed);

  /// The next point of the sequence, inside the box.
  Vec next();

 private:
  struct Coordinate {
    std::uint64_t base;
    std::vector<std::uint32_t> digits;  // permutation of 0 .. base - 1 that leaves 0 where it is
    double shift;                       // modulo 1: without it every sequence would visit the same corner first
  };
  Box box_;
  std::vector<Coordinate> coordinates_;
  std::uint64_t count_ = 0;
};

}  // namespace bilevel
