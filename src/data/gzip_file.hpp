// Whole files in memory, decompressed if they are gzip.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace bilevel::data {

/// The bytes of a regular file as they are, perhaps none. Throws InvalidInput if it cannot be read or is larger than
/// max_bytes.
std::string read_raw_bytes(const std::filesystem::path& path, std::size_t max_bytes);

/// The same, but gzip content (also of several members) is recognised by its first bytes and decompressed. Throws
/// InvalidInput also if the file is empty or damaged, and as soon as compressed content proves to be neither IDX nor
/// text, or to promise more than max_bytes.
std::string read_bytes(const std::filesystem::path& path, std::size_t max_bytes);

/// The first bytes of what read_bytes would return: all of a short file, else at most `most`. Throws InvalidInput if
/// the file cannot be opened; what is damaged ends early.
std::string read_beginning(const std::filesystem::path& path, std::size_t most);

/// nearest_hint among what the folder of `path` holds.
std::string nearest_entry_hint(const std::filesystem::path& path);

/// Throws InvalidInput if the content is UTF-16 or has zero bytes; `expected` names what was hoped for.
/// Zero bytes before `from` are not looked for.
void check_is_text(std::string_view bytes, const std::string& name, std::string_view expected, std::size_t from = 0);

/// Told all that was decompressed so far, and how much of it is known from the call before; throws to end it.
using CheckBlock = std::function<void(std::string_view so_far, std::size_t known)>;

/// Decompresses gzip content; `name` is the file's name for messages.
std::string decompress_gzip(const std::string& compressed, const std::string& name, std::size_t max_bytes,
                            const CheckBlock& check = {});

}  // namespace bilevel::data
