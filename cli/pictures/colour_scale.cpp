#include "pictures/colour_scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "pictures/script.hpp"

namespace bilevel::cli {

ColourScale::ColourScale(const std::vector<double>& values) {
  std::vector<double> drawn;
  std::copy_if(values.begin(), values.end(), std::back_inserter(drawn), is_drawable);
  if (drawn.empty()) return;
  const auto [low, high] = std::minmax_element(drawn.begin(), drawn.end());
  lowest_ = *low;
  highest_ = *high;
  const auto decile = drawn.begin() + static_cast<std::ptrdiff_t>(drawn.size() / 10);
  std::nth_element(drawn.begin(), decile, drawn.end());
  // Where many of the values are the minimum itself, the rest still needs a scale of its own.
  softness_ = std::max(*decile - lowest_, (highest_ - lowest_) * 1e-6);
  if (!(softness_ > 0)) softness_ = 1;
}

double ColourScale::position(double value) const {
  if (!is_drawable(value)) return std::numeric_limits<double>::quiet_NaN();
  if (!(highest_ > lowest_)) return 0;
  const double above = std::clamp(value, lowest_, highest_) - lowest_;
  return std::log1p(above / softness_) / std::log1p((highest_ - lowest_) / softness_);
}

double ColourScale::value(double position) const {
  return lowest_ + softness_ * std::expm1(position * std::log1p((highest_ - lowest_) / softness_));
}

std::vector<double> ColourScale::ticks(int about) const {
  std::vector<double> result;
  for (int i = 0; i < about && highest_ > lowest_; ++i) {
    const double wanted = (i + 0.5) / about;
    // Rounded to 1, 2 or 5 times a power of ten that moves the tick by less than half the way to its neighbour.
    const double room = (value((i + 1.0) / about) - value(static_cast<double>(i) / about)) / 2;
    const double power = std::pow(10, std::floor(std::log10(room)));
    const double step = power * (room >= 5 * power ? 5 : room >= 2 * power ? 2 : 1);
    const double tick = std::round(value(wanted) / step) * step;
    if (!(tick >= lowest_ && tick <= highest_)) continue;
    if (result.empty() || position(tick) - position(result.back()) > 0.5 / about) result.push_back(tick);
  }
  if (result.empty()) result.push_back(lowest_);
  return result;
}

std::string colour_bar(const ColourScale& scale, const std::string& title) {
  std::string ticks;
  for (const double tick : scale.ticks()) {
    ticks += fmt::format("{}{} {}", ticks.empty() ? "" : ", ", gnuplot_string(short_number(tick, 6)),
                         number(scale.position(tick)));
  }
  return fmt::format(
      "set palette defined (0 '#ffffff', 0.25 '#f1ece0', 0.5 '#d3cbb8', 0.75 '#a59d92', 1 '#6b6769')\n"
      "set cbrange [0:1]\n"
      "set cbtics ({})\n"
      "set cblabel {} offset 1,0\n",
      ticks, gnuplot_string(title));
}

}  // namespace bilevel::cli
