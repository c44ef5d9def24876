// Numbers and short lists in text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bilevel::data {

/// Without spaces and tabs at both ends.
std::string_view trim(std::string_view text);

/// Equal without regard to the case of ASCII letters.
bool equal_ignoring_case(std::string_view a, std::string_view b);

/// Whether the whole text is a number, and its value: NaN and infinity count as numbers, "1e999" is infinite, "1e-999"
/// is 0. Independent of the locale.
bool parse_number(std::string_view text, double& value);

/// Parses a positive decimal integer that fills the whole text; false also for 0 and for values above 2^63.
bool parse_position(std::string_view text, std::uint64_t& value);

/// The text in single quotes for an error message: control characters become '?', long text is cut.
std::string in_quotes(std::string_view text);

/// "'a', 'b', 'c' and 4 more".
std::string list_in_quotes(const std::vector<std::string>& names, std::size_t most = 5);

/// " (nearest: 'age')" or "".
std::string nearest_hint(std::string_view name, const std::vector<std::string>& known);

/// "1 row", "2 rows".
std::string counted(std::size_t count, std::string_view noun);

}  // namespace bilevel::data
