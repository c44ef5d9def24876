// Whole files in memory, decompressed if they are gzip.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace bilevel::data {

/// The bytes of a regular file; gzip content (also of several members) is recognised by its first bytes and
/// decompressed. Throws InvalidInput if the file cannot be read, is damaged, or is larger than max_bytes.
std::string read_bytes(const std::filesystem::path& path, std::size_t max_bytes);

/// Decompresses gzip content; `name` is the file's name for messages.
std::string decompress_gzip(const std::string& compressed, const std::string& name, std::size_t max_bytes);

}  // namespace bilevel::data
