#include "data/number.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "bilevel/status.hpp"
#include "core/shown.hpp"

namespace bilevel::data {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// from_chars says only "out of range" for both ends of the scale; a number below the smallest double is one with a
// negative exponent or with zeros before and right after the point.
bool underflows(std::string_view text) {
  const auto exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) return exponent + 1 < text.size() && text[exponent + 1] == '-';
  const auto digit = text.find_first_of("123456789");
  return text.find('.') < digit;
}

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char p, char q) { return lower(p) == lower(q); });
}

bool parse_number(std::string_view text, double& value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop != end || error == std::errc::invalid_argument) return false;
  if (error == std::errc::result_out_of_range) {
    value = underflows(text) ? 0.0 : std::numeric_limits<double>::infinity();
    if (text[0] == '-') value = -value;
  }
  return true;
}

bool parse_position(std::string_view text, std::uint64_t& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end && value > 0 && value <= std::uint64_t{1} << 63;
}

std::string in_quotes(std::string_view text) { return fmt::format("'{}'", shown(text)); }

std::string list_in_quotes(const std::vector<std::string>& names, std::size_t most) {
  constexpr std::size_t kLongEnough = 200;
  std::string list;
  std::size_t listed = 0;
  for (; listed < std::min(most, names.size()) && list.size() < kLongEnough; ++listed) {
    if (listed > 0) list += ", ";
    list += in_quotes(names[listed]);
  }
  if (listed < names.size()) list += fmt::format(" and {} more", names.size() - listed);
  return list;
}

std::string nearest_hint(std::string_view name, const std::vector<std::string>& known) {
  const std::string nearest = nearest_name(name, known);
  return nearest.empty() ? "" : fmt::format(" (nearest: {})", in_quotes(nearest));
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace bilevel::data
