#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bilevel/check.hpp"

namespace bilevel {

bool CheckReport::passed() const {
  return std::ranges::all_of(checks, [](const Check& check) { return check.passed; });
}

std::vector<std::string> CheckReport::failed() const {
  std::vector<std::string> names;
  for (const auto& check : checks) {
    if (!check.passed) names.push_back(check.name);
  }
  return names;
}

OracleSet CheckReport::suspects() const {
  OracleSet set;
  for (const auto& check : checks) {
    if (!check.passed) set = set | check.suspects;
  }
  return set;
}

std::string CheckReport::text() const {
  std::size_t width = 0;
  for (const auto& check : checks) width = std::max(width, check.name.size());

  std::string text;
  for (const auto& check : checks) {
    std::string measured;
    if (check.measure == Check::Measure::relative_error) {
      measured = fmt::format("relative error {:.1e}", check.measured);
    } else if (std::isinf(check.measured)) {
      measured = "only rounding remains";
    } else {
      measured = fmt::format("slope {:.2f}", check.measured);
    }
    text += fmt::format("{:5}  {:{}}  {}",
                        check.passed    ? "ok"
                        : check.at_kink ? "kink"
                                        : "WRONG",
                        check.name, width, measured);
    if (!check.passed) text += fmt::format("; {}", check.explanation);
    text += '\n';
  }
  for (const auto& sentence : not_checked) text += fmt::format("not checked: {}\n", sentence);

  const auto failures = failed().size();
  if (failures == 0) {
    text += fmt::format("all {} checks passed\n", checks.size());
  } else if (std::ranges::all_of(checks, [](const Check& check) { return check.passed || check.at_kink; })) {
    text += fmt::format("{} of {} checks failed at a kink: check at another point\n", failures, checks.size());
  } else {
    text += fmt::format("{} of {} checks failed: look at {} first\n", failures, checks.size(), to_string(suspects()));
  }
  return text;
}

}  // namespace bilevel
