#include "terminal/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace bilevel::cli {

namespace {

struct Sign {
  std::size_t bytes;
  std::size_t columns;
};

std::size_t columns_of(char32_t sign) {
  using Span = std::pair<char32_t, char32_t>;
  constexpr std::array<Span, 8> kZero{{{0x0000, 0x001F},
                                       {0x007F, 0x009F},
                                       {0x0300, 0x036F},
                                       {0x1AB0, 0x1AFF},
                                       {0x1DC0, 0x1DFF},
                                       {0x200B, 0x200F},
                                       {0x20D0, 0x20FF},
                                       {0xFE00, 0xFE0F}}};
  constexpr std::array<Span, 9> kTwo{{{0x1100, 0x115F},
                                      {0x2E80, 0x303E},
                                      {0x3041, 0xA4CF},
                                      {0xAC00, 0xD7A3},
                                      {0xF900, 0xFAFF},
                                      {0xFE30, 0xFE6F},
                                      {0xFF00, 0xFF60},
                                      {0x1F300, 0x1FAFF},
                                      {0x20000, 0x3FFFD}}};
  for (const auto& [first, last] : kZero) {
    if (sign >= first && sign <= last) return 0;
  }
  for (const auto& [first, last] : kTwo) {
    if (sign >= first && sign <= last) return 2;
  }
  return 1;
}

// The length of a colour code "ESC [ digits letter" at the beginning, or 0.
std::size_t colour_code_bytes(std::string_view text) {
  if (text.size() < 3 || text[0] != '\x1b' || text[1] != '[') return 0;
  for (std::size_t i = 2; i < text.size(); ++i) {
    if (text[i] >= '@' && text[i] <= '~') return i + 1;
  }
  return 0;
}

// What stands at the beginning of a text that is not empty.
Sign first_sign(std::string_view text) {
  if (const auto code = colour_code_bytes(text)) return {code, 0};
  const auto byte = static_cast<unsigned char>(text.front());
  const std::size_t length = byte < 0x80 ? 1 : byte >> 5 == 6 ? 2 : byte >> 4 == 14 ? 3 : byte >> 3 == 30 ? 4 : 0;
  if (length == 0 || length > text.size()) return {1, 1};
  char32_t sign = length == 1 ? byte : byte & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if (next >> 6 != 2) return {1, 1};
    sign = (sign << 6) | (next & 0x3FU);
  }
  return {length, columns_of(sign)};
}

}  // namespace

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  // Each limit is where rounding would reach the next form: never "60.0 s" or "1 min 60 s".
  if (seconds > 0 && seconds < 0.0000995) return fmt::format("{:.1f} us", seconds * 1e6);
  if (seconds < 0.0995) return fmt::format("{:.1f} ms", seconds * 1e3);
  if (seconds < 9.995) return fmt::format("{:.2f} s", seconds);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  if (seconds < 3599.5) {
    const auto whole = std::llround(seconds);
    return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  }
  if (seconds > 1e15) return "ages";
  const auto minutes = std::llround(seconds / 60);
  return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

std::string format_count(std::int64_t count) {
  auto digits = fmt::format("{}", count);
  const std::size_t start = count < 0 ? 1 : 0;
  for (std::size_t i = digits.size(); i > start + 3;) digits.insert(i -= 3, 1, ',');
  return digits;
}

std::string format_count(std::int64_t count, std::string_view singular, std::string_view plural) {
  const auto number = format_count(count);
  if (count == 1) return fmt::format("{} {}", number, singular);
  return plural.empty() ? fmt::format("{} {}s", number, singular) : fmt::format("{} {}", number, plural);
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto sign = first_sign(text);
    width += sign.columns;
    text.remove_prefix(sign.bytes);
  }
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return "";
  std::string cut;
  std::size_t used = 0;
  bool has_code = false;
  while (!text.empty()) {
    const auto sign = first_sign(text);
    if (used + sign.columns > width - 1) break;
    has_code = has_code || (sign.bytes > 2 && text.front() == '\x1b');
    cut += text.substr(0, sign.bytes);
    used += sign.columns;
    text.remove_prefix(sign.bytes);
  }
  return cut + "…" + (has_code ? "\x1b[0m" : "");
}

std::string wrap_text(std::string_view text, std::size_t width, std::size_t indent) {
  const std::string margin(indent, ' ');
  std::string wrapped;
  std::size_t used = indent;
  bool line_has_word = false;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '\n') {
      wrapped += '\n';
      line_has_word = false;
      used = 0;  // the margin is written before the next word: an empty line stays empty
      ++i;
    } else if (text[i] == ' ') {
      ++i;
    } else {
      const auto end = std::min(text.find_first_of(" \n", i), text.size());
      const auto word = text.substr(i, end - i);
      const auto columns = display_width(word);
      if (line_has_word && used + 1 + columns > width) {
        wrapped += '\n';
        line_has_word = false;
        used = 0;
      }
      if (line_has_word) {
        wrapped += ' ';
        ++used;
      } else if (used == 0) {
        wrapped += margin;
        used = indent;
      }
      wrapped += word;
      used += columns;
      line_has_word = true;
      i = end;
    }
  }
  return wrapped;
}

std::vector<std::string> wrapped_lines(std::string_view text, std::size_t width) {
  const auto wrapped = wrap_text(text, width);
  std::vector<std::string> lines{""};
  std::size_t used = 0;
  for (std::string_view rest = wrapped; !rest.empty();) {
    const auto sign = first_sign(rest);
    if (rest.front() == '\n' || used + sign.columns > width) {
      lines.emplace_back();
      used = 0;
    }
    if (rest.front() != '\n') lines.back() += rest.substr(0, sign.bytes);
    used += sign.columns;
    rest.remove_prefix(sign.bytes);
  }
  return lines;
}

std::optional<double> time_left(double fraction_done, double elapsed_seconds) {
  constexpr double kTooEarly = 0.2;
  if (!(fraction_done > 0) || !(elapsed_seconds >= kTooEarly)) return std::nullopt;
  if (fraction_done >= 1) return 0.0;
  return elapsed_seconds * (1 - fraction_done) / fraction_done;
}

std::string time_left_text(double fraction_done, double elapsed_seconds) {
  const auto left = time_left(fraction_done, elapsed_seconds);
  if (!left) return "";
  // An estimate's hundredths would only flicker.
  return fmt::format("about {} left", *left < 59.5 ? fmt::format("{:.0f} s", *left) : format_duration(*left));
}

}  // namespace bilevel::cli
