#include "diagnostics/critical_points_starts.hpp"

#include <cmath>

#include "bilevel/random.hpp"

namespace bilevel {

namespace {

std::uint64_t next_prime(std::uint64_t after) {
  for (std::uint64_t candidate = after + 1;; ++candidate) {
    bool prime = candidate > 1;
    for (std::uint64_t divisor = 2; prime && divisor * divisor <= candidate; ++divisor) {
      prime = candidate % divisor != 0;
    }
    if (prime) return candidate;
  }
}

}  // namespace

ScrambledHalton::ScrambledHalton(const Box& box, std::uint64_t seed) : box_(box) {
  Random random(seed);
  std::uint64_t base = 1;
  for (Index j = 0; j < box.dim(); ++j) {
    base = next_prime(base);
    std::vector<std::uint32_t> digits{0};
    for (const auto digit : random.permutation(base - 1)) digits.push_back(digit + 1);
    coordinates_.push_back({base, std::move(digits), random.uniform()});
  }
}

Vec ScrambledHalton::next() {
  ++count_;
  Vec point(box_.dim());
  for (Index j = 0; j < box_.dim(); ++j) {
    const Coordinate& coordinate = coordinates_[static_cast<std::size_t>(j)];
    double place = 1, inverse = coordinate.shift;
    for (std::uint64_t rest = count_; rest > 0; rest /= coordinate.base) {
      place /= static_cast<double>(coordinate.base);
      inverse += place * coordinate.digits[rest % coordinate.base];
    }
    inverse -= std::floor(inverse);
    point[j] = box_.low[j] + inverse * (box_.high[j] - box_.low[j]);
  }
  return point;
}

}  // namespace bilevel
