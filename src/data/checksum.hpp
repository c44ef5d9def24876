#pragma once

#include <cstdint>
#include <string_view>

namespace bilevel::data {

/// CRC-32 of the bytes.
std::uint32_t checksum(std::string_view bytes);

}  // namespace bilevel::data
