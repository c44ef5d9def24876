// Input as error messages show it: however long it is and whatever it holds, a few readable words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bilevel {

/// The text with control characters as '?', cut after `longest` bytes (never inside a UTF-8 character) and then "...".
inline std::string shown(std::string_view text, std::size_t longest = 60) {
  std::size_t kept = text.size() <= longest ? text.size() : longest;
  if (kept < text.size()) {
    while (kept > 0 && (static_cast<unsigned char>(text[kept]) & 0xC0) == 0x80) --kept;
  }
  std::string result(text.substr(0, kept));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return kept < text.size() ? result + "..." : result;
}

}  // namespace bilevel
