#include "bilevel/random.hpp"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace bilevel {

std::uint64_t Random::below(std::uint64_t bound) {
  // Reject the incomplete last interval of the 64-bit range. Only a draw near its end needs the division that tells.
  std::uint64_t draw = engine_();
  while (draw > UINT64_MAX - bound && draw >= UINT64_MAX - UINT64_MAX % bound) draw = engine_();
  return draw % bound;
}

double Random::uniform() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }

double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::vector<std::uint32_t> Random::permutation(std::size_t count) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[below(i)]);
  return order;
}

}  // namespace bilevel
