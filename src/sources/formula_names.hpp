// Which names a formula knows, and what they may be called.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bilevel/formula.hpp"
#include "bilevel/vec.hpp"

namespace bilevel {

/// Largest index of an entry of x or y: beyond, an objective could not keep its numbers in memory.
inline constexpr Index kLargestEntry = 5'000'000;

/// x, x3, y, y12: which vector, and the index that the name carries (1 for x and y alone).
struct EntryName {
  bool of_y = false;
  bool has_digits = false;
  double index = 1;
};
std::optional<EntryName> entry_name(std::string_view name);

/// What the name already means ("a function", "a constant", ...), "" if it is free. Parameters are not considered.
std::string_view meaning_of(std::string_view name);

/// Throws FormulaMistake at offset 0 unless every parameter has a name that formulas can use and that is free, and
/// holds finite numbers.
void check_parameters(const FormulaParameters& parameters);

/// What to write for a name that other languages know and formulas do not, or why there is no such function; "" for
/// other names.
std::string_view foreign_name(std::string_view name);

/// "; did you mean 'sin'?", or a list of what there is. A function is not offered for a name with digits, such as log3:
/// another number there is another function.
std::string suggestion(std::string_view name, const FormulaParameters& parameters,
                       const std::vector<std::string_view>& indices);

}  // namespace bilevel
