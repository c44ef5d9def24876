// Numbers and paragraphs as people read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bilevel::cli {

/// "8.2 us", "3.4 ms", "0.42 s", "12.3 s", "2 min 05 s", "1 h 05 min". Negative or not finite: "?".
std::string format_duration(double seconds);

/// "20,000".
std::string format_count(std::int64_t count);

/// "1 row", "2 rows", "20,000 rows". `plural` defaults to singular + "s".
std::string format_count(std::int64_t count, std::string_view singular, std::string_view plural = "");

/// Columns that UTF-8 text takes on a screen: 2 for East Asian wide signs and emoji, 0 for combining marks, control
/// characters and colour codes (ESC [ ... letter). A byte that is not UTF-8 takes 1.
std::size_t display_width(std::string_view text);

/// The longest beginning of at most `width` columns; "…" stands at its end (within the width) if something was cut.
std::string cut_to_width(std::string_view text, std::size_t width);

/// Lines of at most `width` columns, broken at spaces; '\n' stays a break. All lines but the first start with `indent`
/// spaces, and the first is taken to start there already. A longer word gets a line of its own. No '\n' at the end.
std::string wrap_text(std::string_view text, std::size_t width, std::size_t indent = 0);

/// wrap_text as a list of lines, with longer words broken where the width ends: no line is wider than `width` > 1.
std::vector<std::string> wrapped_lines(std::string_view text, std::size_t width);

/// Seconds until the end at the present pace; empty before there is a pace (nothing done yet, or under 0.2 s).
std::optional<double> time_left(double fraction_done, double elapsed_seconds);

/// "about 2 min 05 s left", or "" if time_left is empty.
std::string time_left_text(double fraction_done, double elapsed_seconds);

}  // namespace bilevel::cli
