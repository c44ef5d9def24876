// Which fields of a CSV file mean "no value".
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "data/number.hpp"

namespace bilevel::data {

/// The spellings of ReadOptions::missing, which must outlive it.
class Missing {
 public:
  explicit Missing(const std::vector<std::string>& spellings) : spellings_(spellings) {
    double ignored = 0;
    for (const std::string& spelling : spellings) {
      longest_ = std::max(longest_, spelling.size());
      has_numbers_ = has_numbers_ || (parse_number(spelling, ignored) && std::isfinite(ignored));
    }
  }

  bool contains(std::string_view text) const {
    if (text.size() > longest_) return false;
    return std::any_of(spellings_.begin(), spellings_.end(),
                       [&](const std::string& spelling) { return equal_ignoring_case(spelling, text); });
  }

  // Whether a finite number, such as -999, means "no value".
  bool has_numbers() const { return has_numbers_; }

 private:
  const std::vector<std::string>& spellings_;
  std::size_t longest_ = 0;
  bool has_numbers_ = false;
};

}  // namespace bilevel::data
