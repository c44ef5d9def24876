#include "pictures/series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bilevel::cli {

std::vector<std::size_t> thinned(const std::vector<double>& values, std::size_t buckets) {
  std::vector<std::size_t> kept;
  if (values.size() <= 4 * buckets) {
    kept.resize(values.size());
    std::iota(kept.begin(), kept.end(), std::size_t{0});
    return kept;
  }
  for (std::size_t b = 0; b < buckets; ++b) {
    const std::size_t begin = b * values.size() / buckets, end = (b + 1) * values.size() / buckets;
    std::size_t low = begin, high = begin, missing = begin;
    for (std::size_t i = begin; i < end; ++i) {
      if (!is_drawable(values[i])) missing = i;  // kept too: the line is interrupted there
      if (values[i] < values[low] || !is_drawable(values[low])) low = i;
      if (values[i] > values[high] || !is_drawable(values[high])) high = i;
    }
    std::vector<std::size_t> chosen{begin, low, high, missing, end - 1};
    std::sort(chosen.begin(), chosen.end());
    kept.insert(kept.end(), chosen.begin(), std::unique(chosen.begin(), chosen.end()));
  }
  return kept;
}

ValueAxis value_axis(const std::vector<double>& values, double decades) {
  ValueAxis axis;
  bool has_negative = false, has_zero = false;
  std::vector<double> positive;
  for (const double value : values) {
    if (!is_drawable(value)) {
      ++axis.missing;
    } else if (value > 0) {
      positive.push_back(value);
    } else {
      (value < 0 ? has_negative : has_zero) = true;
    }
  }
  axis.empty = axis.missing == values.size();
  if (!has_negative && !positive.empty()) {
    const auto [low, high] = std::minmax_element(positive.begin(), positive.end());
    const double from = std::log10(*low), to = std::log10(*high);
    if (to - from > decades) {
      const double margin = 0.06 * (to - from);
      axis.logarithmic = true;
      axis.hides_zeros = has_zero;
      axis.range = {std::pow(10, std::max(from - margin, -307.0)), std::pow(10, to + margin)};
      return axis;
    }
  }
  axis.range = range_of(values);
  return axis;
}

std::string ValueAxis::commands(char letter) const {
  return fmt::format("{} {}\nset {}range [{}:{}]\n", logarithmic ? "set logscale" : "unset logscale", letter, letter,
                     fmt::format("{:.9g}", range.low), fmt::format("{:.9g}", range.high));
}

}  // namespace bilevel::cli
