#include "pictures/script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "terminal/visible.hpp"

namespace bilevel::cli {

bool is_drawable(double value) { return std::isfinite(value) && std::abs(value) <= kLargestDrawn; }

void DataBlock::add(const double* numbers, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text_ += ' ';
    text_ += number(numbers[i]);
  }
  text_ += '\n';
}

void DataBlock::row(std::initializer_list<double> numbers) { add(numbers.begin(), numbers.size()); }
void DataBlock::row(const std::vector<double>& numbers) { add(numbers.data(), numbers.size()); }

void DataBlock::point(double x, double y) {
  if (is_drawable(x) && is_drawable(y)) row({x, y});
}

std::string gnuplot_string(std::string_view text) {
  std::string result = "'";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const unsigned char first = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      result += '?';
    } else if (first < 0x20 || first == 0x7F) {
      result += ' ';
    } else if (first == '\'') {
      result += "\u2019";
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result + "'";
}

std::string gnuplot_tic(std::string_view text) {
  std::string doubled;
  for (const char c : text) doubled += c == '%' ? "%%" : std::string(1, c);
  return gnuplot_string(doubled);
}

std::string number(double value) { return is_drawable(value) ? fmt::format("{:.9g}", value) : "NaN"; }

std::string short_number(double value, int digits) { return fmt::format("{:.{}g}", value, digits); }

bool has_width(const Range& range) {
  constexpr double kWritten = 1e-7;  // numbers are written with nine digits, of which some tell places within the range
  return is_drawable(range.low) && is_drawable(range.high) &&
         range.high - range.low > kWritten * std::max(std::abs(range.low), std::abs(range.high));
}

Range range_of(const std::vector<double>& values) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double value : values) {
    if (!is_drawable(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (!(low <= high)) return {};
  // A range narrower than the digits of its tick labels could not be read.
  const double margin = std::max({0.04 * (high - low), 1e-6 * std::max(std::abs(low), std::abs(high)), 1e-12});
  return {low - margin, high + margin};
}

}  // namespace bilevel::cli
