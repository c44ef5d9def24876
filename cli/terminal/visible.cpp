#include "terminal/visible.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace bilevel::cli {

namespace {

constexpr std::size_t kLongest = 200;  // of one piece of input
constexpr std::size_t kShown = 160;    // of a longer one
constexpr std::size_t kLongestSentence = 600, kBeginning = 350, kEnd = 150;

char32_t sign_of(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence.front());
  if (sequence.size() == 1) return first;
  char32_t sign = first & (0xFFU >> (sequence.size() + 1));
  for (const char c : sequence.substr(1)) sign = (sign << 6) | (static_cast<unsigned char>(c) & 0x3FU);
  return sign;
}

bool is_obeyed(char32_t sign) {
  const auto in = [&](char32_t first, char32_t last) { return sign >= first && sign <= last; };
  // C0, DEL and C1; marks of direction, of embedding and of isolation; line and paragraph separators.
  return in(0, 0x1F) || in(0x7F, 0x9F) || in(0x200E, 0x200F) || in(0x2028, 0x202E) || in(0x2066, 0x2069) ||
         sign == 0x61C;
}

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80; }

/// The beginning of at most `bytes`, not cut within a sign.
std::string_view beginning(std::string_view text, std::size_t bytes) {
  if (bytes >= text.size()) return text;
  while (bytes > 0 && is_continuation(text[bytes])) --bytes;
  return text.substr(0, bytes);
}

std::string_view ending(std::string_view text, std::size_t bytes) {
  auto start = text.size() - std::min(bytes, text.size());
  while (start < text.size() && is_continuation(text[start])) ++start;
  return text.substr(start);
}

std::string cut(std::string_view piece) {
  return piece.size() <= kLongest ? std::string(piece) : std::string(beginning(piece, kShown)) + "...";
}

/// Where the quote that opens at `open` is closed: before a space, a sign of punctuation or the end.
std::size_t closing_quote(std::string_view text, std::size_t open) {
  for (auto at = text.find('\'', open + 1); at != text.npos; at = text.find('\'', at + 1)) {
    if (at + 1 == text.size() || std::string_view(" ,;:.)?").find(text[at + 1]) != std::string_view::npos) return at;
  }
  return text.npos;
}

std::string with_short_quotes(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const bool opens = text[i] == '\'' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '(');
    const auto close = opens ? closing_quote(text, i) : text.npos;
    if (opens && close == text.npos) return result + std::string(text.substr(i));
    if (!opens) {
      result += text[i++];
      continue;
    }
    result += "'" + cut(text.substr(i + 1, close - i - 1)) + "'";
    i = close + 1;
  }
  return result;
}

std::string with_short_words(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    result += cut(word);
    text.remove_prefix(word.size());
    const auto spaces = std::min(text.find_first_not_of(' '), text.size());
    result += text.substr(0, spaces);
    text.remove_prefix(spaces);
  }
  return result;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) return 0;
  }
  // Overlong forms, surrogates and numbers beyond Unicode.
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) || (first == 0xF0 && byte(1) < 0x90) ||
      (first == 0xF4 && byte(1) > 0x8F)) {
    return 0;
  }
  return length;
}

std::string visible(std::string_view text, bool one_line) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const auto length = utf8_length(text);
    const auto sequence = text.substr(0, std::max<std::size_t>(length, 1));
    text.remove_prefix(sequence.size());
    if (length == 0) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(sequence.front()));
      continue;
    }
    const auto sign = sign_of(sequence);
    if (sign == '\n') {
      result += one_line ? "\\n" : "\n";
    } else if (sign == '\t' || !is_obeyed(sign)) {
      result += sequence;
    } else {
      result += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(sign));
    }
  }
  return result;
}

std::string shortened(std::string_view sentence) {
  const auto text = with_short_words(with_short_quotes(sentence));
  if (text.size() <= kLongestSentence) return text;
  return fmt::format("{} ... {}", beginning(text, kBeginning), ending(text, kEnd));
}

}  // namespace bilevel::cli
