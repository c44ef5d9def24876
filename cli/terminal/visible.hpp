// Texts from outside, as they may stand on a screen.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bilevel::cli {

/// Length of the valid UTF-8 sequence at the beginning of a text that is not empty, 0 if there is none.
std::size_t utf8_length(std::string_view text);

/// The text with everything that a terminal would obey written out: control characters as "\u001b", also those above
/// 0x7f, signs that turn the direction of writing, and bytes that are no UTF-8 as "\x9b". Tabs stay; so do line breaks,
/// unless `one_line`, which writes them as "\n". What is JSON means the same afterwards.
std::string visible(std::string_view text, bool one_line = false);

/// An error's sentence with long input in it cut: what stands in quotes or holds no space is shown with its first 160
/// bytes and "..."; of what is still longer than 600 bytes, the beginning and the end are.
std::string shortened(std::string_view sentence);

}  // namespace bilevel::cli
