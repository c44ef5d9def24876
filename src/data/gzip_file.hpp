// Whole files in memory, decompressed if they are gzip.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace bilevel::data {

/// The bytes of a regular file as they are, perhaps none. Throws InvalidInput if it cannot be read or is larger than
/// max_bytes.
std::string read_raw_bytes(const std::filesystem::path& path, std::size_t max_bytes);

/// The same, but gzip content (also of several members) is recognised by its first bytes and decompressed. Throws
/// InvalidInput also if the file is empty or damaged.
std::string read_bytes(const std::filesystem::path& path, std::size_t max_bytes);

/// nearest_hint among what the folder of `path` holds.
std::string nearest_entry_hint(const std::filesystem::path& path);

/// Throws InvalidInput if the content is UTF-16 or has zero bytes; `expected` names what was hoped for.
void check_is_text(const std::string& bytes, const std::string& name, std::string_view expected);

/// Decompresses gzip content; `name` is the file's name for messages.
std::string decompress_gzip(const std::string& compressed, const std::string& name, std::size_t max_bytes);

}  // namespace bilevel::data
