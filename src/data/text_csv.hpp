// From CSV text with a column of documents to rows of hashed words.
#pragma once

#include <string>
#include <string_view>

#include "bilevel/text.hpp"
#include "data/class_labels.hpp"
#include "data/hashed_words.hpp"

namespace bilevel::data {

/// Fills rows, label codes and encoding of a table of Format::text; returns the number of documents without words. The
/// columns are those of `training` if it is from a CSV file too. `text` has no byte order mark.
std::size_t read_text_csv(Table& table, TextCodes& codes, HashedWords& words, std::string_view text,
                          const std::string& name, const Table* training, const TextOptions& options);

}  // namespace bilevel::data
