#include "sources/formula_names.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bilevel/status.hpp"
#include "sources/formula_error.hpp"
#include "sources/formula_functions.hpp"

namespace bilevel {

namespace {

// Of short names nearly every other is near: then at least the first letter must agree.
constexpr std::size_t kShortestGuess = 3, kLongEnough = 5, kLongestGuess = 40;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return is_letter(c) || is_digit(c); });
}

}  // namespace

std::optional<EntryName> entry_name(std::string_view name) {
  if (name.empty() || (name.front() != 'x' && name.front() != 'y')) return std::nullopt;
  const auto digits = name.substr(1);
  if (!std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  EntryName entry{.of_y = name.front() == 'y', .has_digits = !digits.empty()};
  if (entry.has_digits) {
    entry.index = 0;
    for (const char digit : digits) entry.index = 10 * entry.index + (digit - '0');
  }
  return entry;
}

std::string_view meaning_of(std::string_view name) {
  if (entry_name(name)) return "a variable";
  if (named_constant(name)) return "a constant";
  if (name == "sum" || name == "if") return "a function";
  if (name == "and" || name == "or" || name == "not") return "an operator";
  const auto& all = functions();
  const bool is_function = std::any_of(all.begin(), all.end(), [&](const auto& f) { return f.name == name; });
  return is_function ? "a function" : "";
}

void check_parameters(const FormulaParameters& parameters) {
  for (const auto& [name, values] : parameters) {
    if (!is_name(name)) {
      throw FormulaMistake{
          0, fmt::format("'{}' cannot name a parameter: a name is a letter followed by letters, digits and _",
                         shortened(name))};
    }
    if (const auto meaning = meaning_of(name); !meaning.empty()) {
      throw FormulaMistake{0, fmt::format("'{}' cannot name a parameter: it is {} of formulas", name, meaning)};
    }
    if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); })) {
      throw FormulaMistake{
          0, fmt::format("the parameter '{}' must be finite, but it holds NaN or infinity", shortened(name))};
    }
  }
}

std::string suggestion(std::string_view name, const FormulaParameters& parameters,
                       const std::vector<std::string_view>& indices) {
  std::vector<std::string> known(indices.begin(), indices.end());
  for (const auto& [parameter, values] : parameters) known.push_back(parameter);
  std::string own;
  for (const auto& each : known) own += (own.empty() ? "" : ", ") + each;
  if (!std::any_of(name.begin(), name.end(), is_digit)) {
    for (const auto& function : functions()) known.emplace_back(function.name);
    known.emplace_back("sum");
  }
  if (name.size() >= kShortestGuess && name.size() <= kLongestGuess) {
    const auto near = nearest_name(name, known);
    const bool is_likely = !near.empty() && (name.size() >= kLongEnough || near.front() == name.front());
    if (is_likely) return fmt::format("; did you mean '{}'?", near);
  }
  constexpr std::size_t kLongestList = 200;
  if (own.empty() || own.size() > kLongestList) return "; a formula knows x, y, pi, e, its parameters and functions";
  return fmt::format("; a formula knows x, y, pi, e, functions, and here {}", own);
}

}  // namespace bilevel
