// How deep a TOML text nests, found without building anything.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace bilevel {

/// No table of options or of a game nests more than four deep. toml++ takes what it has read apart by recursion, one
/// table of a key "a.a.a..." after another, and the stack holds only some ten thousand.
inline constexpr std::size_t kMostTomlLevels = 64;

/// A line and a column of a text, both from 1; a column counts characters.
struct TomlPlace {
  std::size_t line = 1;
  std::size_t column = 1;
  bool operator==(const TomlPlace&) const = default;
};

/// Where the text first nests more than `most` levels deep: the tables that a header opens, the parts of a
/// dotted key, lists and inline tables each count one. Strings, comments and the dots of numbers count nothing. Exact
/// up to the first mistake of the text, where a parser stops, too.
std::optional<TomlPlace> deeper_than(std::string_view toml, std::size_t most);

}  // namespace bilevel
