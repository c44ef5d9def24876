#include "data/checksum.hpp"

#include <zlib.h>

#include <limits>

namespace bilevel::data {

std::uint32_t checksum(std::string_view bytes) {
  uLong sum = crc32(0, nullptr, 0);
  while (!bytes.empty()) {
    const auto chunk = bytes.substr(0, std::numeric_limits<int>::max());  // zlib counts in 32 bits
    sum = crc32(sum, reinterpret_cast<const Bytef*>(chunk.data()), static_cast<uInt>(chunk.size()));
    bytes.remove_prefix(chunk.size());
  }
  return static_cast<std::uint32_t>(sum);
}

}  // namespace bilevel::data
