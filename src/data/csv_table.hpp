// From CSV text to a table of features: numbers as they are, text columns one feature a category.
#pragma once

#include <string>
#include <string_view>

#include "bilevel/data.hpp"

namespace bilevel::data {

/// Fills features, labels, classes and encoding. `training` is null for training data. `text` has no byte order mark.
void read_csv(Table& table, std::string_view text, const std::string& name, const Table* training,
              const ReadOptions& options);

}  // namespace bilevel::data
