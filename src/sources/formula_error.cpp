#include "sources/formula_error.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace bilevel {

namespace {

// What is shown of a line, before and after the mistake.
constexpr std::size_t kShownBefore = 60;
constexpr std::size_t kShownAfter = 40;

bool continues_a_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_a_character(c); }));
}

std::string printable(std::string_view text) {
  std::string shown(text);
  for (char& c : shown) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
  }
  return shown;
}

}  // namespace

TextPosition position_of(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, std::min(offset, text.size()));
  const auto line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1,
          characters(before.substr(line_start)) + 1};
}

std::string shortened(std::string_view text) {
  if (text.size() <= kShownBefore) return printable(text);
  std::size_t end = kShownBefore;
  while (end > 0 && continues_a_character(text[end])) --end;
  return printable(text.substr(0, end)) + "...";
}

std::string located(std::string_view where, std::string_view text, std::size_t offset, std::string_view sentence) {
  offset = std::min(offset, text.size());
  const auto place = position_of(text, offset);
  const std::size_t line_start = text.substr(0, offset).rfind('\n') + 1;
  const std::size_t line_end = std::min(text.find('\n', offset), text.size());

  std::size_t first = offset - line_start > kShownBefore ? offset - kShownBefore : line_start;
  while (first < offset && continues_a_character(text[first])) ++first;
  std::size_t last = std::min(line_end, offset + kShownAfter);
  while (last < line_end && continues_a_character(text[last])) ++last;
  const std::string_view before = first > line_start ? "..." : "", after = last < line_end ? "..." : "";
  return fmt::format("{}:{}:{}: {}\n    {}{}{}\n    {}^", where, place.line, place.column, sentence, before,
                     printable(text.substr(first, last - first)), after,
                     std::string(before.size() + characters(text.substr(first, offset - first)), ' '));
}

}  // namespace bilevel
