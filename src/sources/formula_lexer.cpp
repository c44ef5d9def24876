#include "sources/formula_lexer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "sources/formula_error.hpp"

namespace bilevel {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

struct LookAlike {
  std::uint32_t code;
  std::string_view name;
  std::string_view instead;
};
constexpr std::array kLookAlikes{LookAlike{0x2212, "a minus sign beyond ASCII", "-"},
                                 LookAlike{0x2010, "a hyphen beyond ASCII", "-"},
                                 LookAlike{0x2011, "a hyphen beyond ASCII", "-"},
                                 LookAlike{0x2013, "a dash", "-"},
                                 LookAlike{0x2014, "a dash", "-"},
                                 LookAlike{0x00D7, "a multiplication sign", "*"},
                                 LookAlike{0x00B7, "a multiplication dot", "*"},
                                 LookAlike{0x22C5, "a multiplication dot", "*"},
                                 LookAlike{0x2217, "an asterisk beyond ASCII", "*"},
                                 LookAlike{0x00F7, "a division sign", "/"},
                                 LookAlike{0x2215, "a division slash", "/"},
                                 LookAlike{0x2044, "a fraction slash", "/"},
                                 LookAlike{0x00B9, "a raised 1", "^1"},
                                 LookAlike{0x00B2, "a raised 2", "^2"},
                                 LookAlike{0x00B3, "a raised 3", "^3"},
                                 LookAlike{0x03C0, "the letter pi", "pi"},
                                 LookAlike{0x221A, "a root sign", "sqrt(...)"},
                                 LookAlike{0x2211, "a sum sign", "sum(i, from, to, term)"},
                                 LookAlike{0x2264, "a comparison beyond ASCII", "<="},
                                 LookAlike{0x2265, "a comparison beyond ASCII", ">="},
                                 LookAlike{0x2260, "a comparison beyond ASCII", "!="},
                                 LookAlike{0x00A0, "a space beyond ASCII", " "},
                                 LookAlike{0x202F, "a space beyond ASCII", " "},
                                 LookAlike{0x2009, "a space beyond ASCII", " "},
                                 LookAlike{0xFEFF, "a byte order mark", " "}};

// The code of the UTF-8 character at `offset`; nothing if these bytes are none.
std::optional<std::uint32_t> decode(std::string_view text, std::size_t offset) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[offset + i]); };
  const unsigned lead = byte(0);
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() - offset < length) return std::nullopt;
  std::uint32_t code = lead & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return std::nullopt;
    code = (code << 6) | (byte(i) & 0x3Fu);
  }
  return code;
}

[[noreturn]] void refuse_character(std::string_view text, std::size_t offset) {
  const char c = text[offset];
  const auto byte = static_cast<unsigned char>(c);
  if (byte < 0x80) {
    if (byte < 0x20 || byte == 0x7f) {
      throw FormulaMistake{offset, fmt::format("the control character 0x{:02x} has no place in a formula", byte)};
    }
    std::string hint = "a formula has + - * / ^ ( ) [ ] and commas beside numbers and names";
    if (c == '=') hint = "a formula is one expression, without an equality";
    if (c == '&') hint = "write and between conditions";
    if (c == '|') hint = "write or between conditions, and abs(...) for an absolute value";
    if (c == '!') hint = "write not before a condition";
    if (c == '?' || c == ':') hint = "a choice is written if(condition, a, b)";
    if (c == '{' || c == '}') hint = "only ( and ) group";
    throw FormulaMistake{offset, fmt::format("'{}' has no place in a formula: {}", c, hint)};
  }
  const auto code = decode(text, offset);
  if (!code) throw FormulaMistake{offset, fmt::format("the byte 0x{:02x} is no character of UTF-8", byte)};
  for (const auto& look_alike : kLookAlikes) {
    if (look_alike.code != *code) continue;
    throw FormulaMistake{offset, fmt::format("this is {} (U+{:04X}): write {}", look_alike.name, *code,
                                             look_alike.instead == " " ? "a plain space" : look_alike.instead)};
  }
  throw FormulaMistake{
      offset, fmt::format("the character U+{:04X} has no place in a formula, which is written in ASCII", *code)};
}

Token number_at(std::string_view text, std::size_t offset) {
  std::size_t end = offset;
  const auto digits = [&] {
    const std::size_t first = end;
    while (end < text.size() && is_digit(text[end])) ++end;
    return end > first;
  };
  bool any = digits();
  if (end < text.size() && text[end] == '.') {
    ++end;
    any = digits() || any;
  }
  if (!any) throw FormulaMistake{offset, "a point without digits is no number"};
  // "2e" is 2 followed by the constant e; only with digits behind it does e begin an exponent.
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    const std::size_t mantissa_end = end++;
    if (end < text.size() && (text[end] == '+' || text[end] == '-')) ++end;
    if (!digits()) end = mantissa_end;
  }
  if (end < text.size() && text[end] == '.') {
    throw FormulaMistake{offset, fmt::format("'{}' is no number: it has two points or a point in its exponent",
                                             shortened(text.substr(offset, end + 1 - offset)))};
  }
  Token token{TokenKind::number, offset, text.substr(offset, end - offset)};
  const auto read = std::from_chars(token.text.data(), token.text.data() + token.text.size(), token.number);
  if (read.ec == std::errc::result_out_of_range) {
    throw FormulaMistake{offset,
                         fmt::format("'{}' is too large or too small for a number of 64 bits", shortened(token.text))};
  }
  return token;
}

// A comparison's characters at `offset`; 0 if there is none.
std::size_t comparison_at(std::string_view text, std::size_t offset) {
  const auto rest = text.substr(offset);
  for (const std::string_view two : {"<=", ">=", "==", "!="}) {
    if (rest.starts_with(two)) return 2;
  }
  return rest.starts_with('<') || rest.starts_with('>') ? 1 : 0;
}

}  // namespace

std::vector<Token> tokenize(std::string_view text) {
  std::vector<Token> tokens;
  std::size_t offset = 0;
  while (offset < text.size()) {
    const char c = text[offset];
    if (is_space(c)) {
      ++offset;
      continue;
    }
    if (c == '.' && !tokens.empty() && tokens.back().kind == TokenKind::name &&
        is_letter(text[std::min(offset + 1, text.size() - 1)])) {
      throw FormulaMistake{tokens.back().offset, fmt::format("functions are written without '{}.' before their name",
                                                             shortened(tokens.back().text))};
    }
    if (is_digit(c) || c == '.') {
      tokens.push_back(number_at(text, offset));
    } else if (is_letter(c)) {
      std::size_t end = offset + 1;
      while (end < text.size() && (is_letter(text[end]) || is_digit(text[end]))) ++end;
      tokens.push_back({TokenKind::name, offset, text.substr(offset, end - offset)});
    } else if (std::string_view("+-*/^()[],").find(c) != std::string_view::npos) {
      if (c == '*' && offset + 1 < text.size() && text[offset + 1] == '*') {
        throw FormulaMistake{offset, "a power is not written **: write ^"};
      }
      tokens.push_back({TokenKind::symbol, offset, text.substr(offset, 1)});
    } else if (const std::size_t length = comparison_at(text, offset); length > 0) {
      tokens.push_back({TokenKind::symbol, offset, text.substr(offset, length)});
    } else {
      refuse_character(text, offset);
    }
    offset = tokens.back().offset + tokens.back().text.size();
  }
  tokens.push_back({TokenKind::end, text.size(), text.substr(text.size())});
  return tokens;
}

}  // namespace bilevel
